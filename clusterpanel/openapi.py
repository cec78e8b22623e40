"""The API's own description, together with how every address says no."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.types import DictStrAny

REFUSAL: dict[str, Any] = {
    "title": "Refusal",
    "type": "object",
    "description": "Of several, the first one carries all of them in `errors`.",
    "required": ["code", "why", "fix", "evidence"],
    "properties": {
        "code": {"type": "string", "description": "Stable; for scripts."},
        "why": {"type": "string"},
        "fix": {"type": "string", "description": "What to do about it."},
        "evidence": {"type": "object"},
        "field": {"type": "string", "description": "The field of the request it is about."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Refusal"}},
    },
}
NOES = {
    401: "Nobody is signed in",
    403: "Not with this role or token, or the CSRF token of a session is missing",
    404: "There is no such thing",
    409: "Not now: the state of things, or a gate that is open",
    422: "Not like this: what was sent is wrong",
    502: "A server of the cluster did not answer",
}


class DescribedApi(NinjaAPI):
    """Ninja describes only what succeeds; a script must know a refusal when it gets one."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: DictStrAny | None = None
    ) -> OpenAPISchema:
        found = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        found["components"].setdefault("schemas", {})["Refusal"] = REFUSAL
        body = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        for methods in found["paths"].values():
            for operation in methods.values():
                for status, words in NOES.items():
                    operation["responses"][status] = {"description": words, "content": body}
        return found

"""Who may call which service. Every door (page, API, stream, command) goes through services, so a
rule that stands at a service holds for all of them.

    @needs(Role.OPERATOR)      a person needs this role; `by` None is the panel or its console. What
                               is refused to a person is in the audit, for whatever reason
    @open_to_viewers           whoever is signed in
    @of_the_panel              never called for a person: workers and beats
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied

from clusterpanel import audit
from clusterpanel.people.roles import Role, missing
from clusterpanel.people.standing import standing
from clusterpanel.words import translated
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say

P = ParamSpec("P")
T = TypeVar("T")
OPEN, PANEL = "open to viewers", "of the panel"


class Forbidden(PermissionDenied):
    """The role of whoever asks does not reach: 403 at every door."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal.why))
        self.refusal = refusal

    def __str__(self) -> str:
        return f"{translated(self.refusal.why)} {translated(self.refusal.fix)}"


def needs(role: Role) -> Callable[[Callable[P, T]], Callable[P, T]]:
    def ruled(service: Callable[P, T]) -> Callable[P, T]:
        assert "by" in inspect.signature(service).parameters, service

        @functools.wraps(service)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            require(kwargs.get("by"), role, doing=service.__name__, about=kwargs)
            try:
                return service(*args, **kwargs)
            except Refused as refused:
                _tell(kwargs.get("by"), service.__name__, kwargs, refused)
                raise

        guarded.rule = role  # type: ignore[attr-defined]
        return guarded

    return ruled


def open_to_viewers(service: Callable[P, T]) -> Callable[P, T]:
    service.rule = OPEN  # type: ignore[attr-defined]
    return service


def of_the_panel(service: Callable[P, T]) -> Callable[P, T]:
    service.rule = PANEL  # type: ignore[attr-defined]
    return service


def require(by: Any, role: Role, *, doing: str, about: Mapping[str, Any]) -> None:
    """Raises Forbidden, and writes the refusal into the audit."""
    if by is None:
        return
    found = standing(by)
    if found is None:
        _refuse(by, doing, _nobody())
    elif not found.role.may_as(role):
        _refuse(by, doing, missing(found.role, role))
    elif found.cluster_id is not None and found.cluster_id != _cluster_id(about):
        _refuse(by, doing, other_cluster())


def _tell(by: Any, doing: str, about: Mapping[str, Any], refused: Refused) -> None:
    """Into the audit, by code: what was sent may be secret."""
    if by is not None:
        codes = [refusal.code for refusal in refused.refusals]
        detail = {"codes": codes, "cluster": _cluster_id(about)}
        audit.record(who=by.get_username(), action="refused", subject=doing, detail=detail)


def _refuse(by: Any, doing: str, refusal: Refusal) -> None:
    detail = {"code": refusal.code, **refusal.evidence}
    audit.record(who=by.get_username(), action="refused", subject=doing, detail=detail)
    raise Forbidden(refusal)


def _cluster_id(about: Mapping[str, Any]) -> int | None:
    cluster, run = about.get("cluster"), about.get("run")
    return cluster.pk if cluster is not None else getattr(run, "cluster_id", None)


def _nobody() -> Refusal:
    return Refusal(
        "not_active", say("This person may not use the panel any more."), say("Sign in again.")
    )


def other_cluster() -> Refusal:
    return Refusal(
        "token_scope",
        say("This token is for one cluster, and this is not it."),
        say("Use another token, or make one for this cluster."),
    )

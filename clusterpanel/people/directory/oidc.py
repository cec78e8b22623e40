"""Signing in at an OpenID Connect provider: the code flow with PKCE, state and nonce, by Authlib.

What comes back is believed when its signature is by a key of the provider and an algorithm of
ours, and issuer, audience, nonce and times are right. The panel keeps nothing while somebody is
away at the provider: `Pending` travels in a signed cookie.
"""

from __future__ import annotations

import functools
import hmac
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypedDict
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import JoseError

from clusterpanel.people.directory.configured import ANSWER_S, Oidc
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say

SKEW_S = 60  # by how much the provider's clock may differ
_KNOWN_S = 300  # for so long its endpoints are not asked for again
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Pending(TypedDict):
    """What the answer has to fit. `at`: epoch seconds of the beginning."""

    state: str
    nonce: str
    verifier: str
    back: str
    at: float


class _Session(OAuth2Session):
    """Said with every request: requests would let REQUESTS_CA_BUNDLE win over what the session has.
    Nothing is followed to another address."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        kwargs |= {"verify": self.verify, "allow_redirects": False}
        return super().request(method, url, *args, **kwargs)


class _App(DjangoOAuth2App):
    client_cls = _Session


def begin(config: Oidc, back: str, *, again: bool) -> tuple[str, Pending]:
    """The provider's address to go to, and what to remember until `back` is opened.

    `again`: the provider shall ask for the password (or whatever it asks) although it knows the
    person. Raises Refused (directory_away, provider_wrong).
    """
    asked: dict[str, Any] = {"prompt": "login", "max_age": 0} if again else {}
    with _told(config):
        made = _client(config).create_authorization_url(back, **asked)
    pending = Pending(
        state=made["state"],
        nonce=made["nonce"],
        verifier=made["code_verifier"],
        back=back,
        at=time.time(),
    )
    return made["url"], pending


def finish(config: Oidc, pending: Pending, answer: Mapping[str, str]) -> dict[str, Any]:
    """The claims about who came back with `answer`, the query of the address.

    Raises Refused: provider_refused, state_wrong, code_refused, token_wrong, or as `begin`.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), pending["state"].encode()):
        why = say("This answer belongs to another sign-in.")
        raise Refused(Refusal("state_wrong", why, _BEGIN))
    if answer.get("iss", config.issuer) != config.issuer:
        raise Refused(_wrong(config, "iss of the answer"))
    if error := answer.get("error", ""):
        why = say("%(name)s did not let you in.", name=config.name)
        raise Refused(Refusal("provider_refused", why, _BEGIN, {"detail": error[:80]}))
    with _told(config):
        client = _client(config)
        token = client.fetch_access_token(
            pending["back"], code=answer.get("code", ""), code_verifier=pending["verifier"]
        )
        claims = client.parse_id_token(token, pending["nonce"], _expected(config), leeway=SKEW_S)
    if claims is None:
        raise Refused(_wrong(config, "no id_token"))
    return dict(claims)


def signed_in_at(claims: Mapping[str, Any]) -> float | None:
    """Epoch seconds when the person showed the provider who he is; None when it does not say."""
    at = claims.get("auth_time")
    if not isinstance(at, int | float) or isinstance(at, bool):
        return None
    return float(at) if 0 < at <= time.time() + SKEW_S else None


def values(claims: Mapping[str, Any], name: str) -> list[str]:
    """The words of a claim; dots lead into it, as in Keycloak's realm_access.roles.

    Raises ValueError when there is something else than words.
    """
    found: Any = claims
    for part in [name] if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found or []
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError(name)
    return listed


def _client(config: Oidc) -> Any:
    known = _metadata(config, int(time.monotonic() // _KNOWN_S))
    methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    basic = "client_secret_basic" in methods
    return OAuth().register(
        "provider",
        client_cls=_App,
        client_id=config.client_id,
        client_secret=config.client_secret.read(),
        authorize_url=known["authorization_endpoint"],
        access_token_url=known["token_endpoint"],
        jwks_uri=known["jwks_uri"],
        issuer=config.issuer,
        # Ours, whatever the provider offers: nothing may be chosen by who made the token.
        id_token_signing_alg_values_supported=list(config.algorithms),
        client_kwargs={
            "scope": config.scopes,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if basic else "client_secret_post",
            "default_timeout": ANSWER_S,
            "verify": config.ca_file or True,
        },
    )


@functools.lru_cache(maxsize=4)
def _metadata(config: Oidc, _moment: int) -> dict[str, Any]:
    """What the provider says of itself, or the settings. An error is not remembered."""
    if config.jwks_uri:
        return {name: getattr(config, name) for name in _ENDPOINTS}
    url = f"{config.issuer.rstrip('/')}/.well-known/openid-configuration"
    trusted = config.ca_file or True
    answer = requests.get(url, timeout=ANSWER_S, verify=trusted, allow_redirects=False)
    answer.raise_for_status()
    told = answer.json()
    if not isinstance(told, dict) or told.get("issuer") != config.issuer:
        raise Refused(_unfit(config, "issuer"))
    for name in _ENDPOINTS:
        if urlsplit(str(told.get(name, ""))).scheme != "https":
            raise Refused(_unfit(config, name))
    return told


def _expected(config: Oidc) -> dict[str, dict[str, Any]]:
    return {
        "iss": {"essential": True, "value": config.issuer},
        "aud": {"essential": True, "value": config.client_id},
        "sub": {"essential": True},
    }


@contextmanager
def _told(config: Oidc) -> Iterator[None]:
    """Whatever goes wrong on the way to the provider and with what it sent, as a refusal."""
    try:
        yield
    except (requests.RequestException, OSError) as error:
        why = say("%(name)s cannot be asked at the moment.", name=config.name)
        fix = say(
            "Try again later. Who has a password of this panel itself can sign in all the same."
        )
        raise Refused(Refusal("directory_away", why, fix, _detail(error))) from None
    except AuthlibBaseError as error:
        why = say("%(name)s did not accept the end of this sign-in.", name=config.name)
        raise Refused(Refusal("code_refused", why, _BEGIN, _detail(error))) from None
    # Not only what the library raises itself: what is in a token, or in the keys, may be anything.
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(_wrong(config, f"{type(error).__name__}: {error}")) from None


_BEGIN: Text = say("Begin again. If it happens again, the audit says why.")


def _wrong(config: Oidc, detail: str) -> Refusal:
    why = say("What %(name)s sent about you cannot be trusted.", name=config.name)
    return Refusal("token_wrong", why, _BEGIN, {"detail": detail[:200]})


def _unfit(config: Oidc, detail: str) -> Refusal:
    why = say("%(name)s says something else about itself than the settings do.", name=config.name)
    fix = say("Compare OIDC_ISSUER with what the provider publishes: %(what)s.", what=detail)
    return Refusal("provider_wrong", why, fix, {"detail": detail})


def _detail(error: Exception) -> dict[str, str]:
    return {"detail": str(error)[:200]}

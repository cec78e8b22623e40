"""System checks: a wrong setting is named at the start, with what to do."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from clusterpanel.fields import field_keys
from clusterpanel.people.directory import configured


@register()
def field_keys_are_fernet_keys(**_: Any) -> list[CheckMessage]:
    try:
        for key in field_keys():
            Fernet(key)
    except ValueError:
        hint = "Make one with: python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())'"
        return [
            Error(
                "PANEL_FIELD_KEYS holds a value that is no Fernet key.",
                hint,
                id="clusterpanel.E001",
            )
        ]
    return []


@register()
def directories_are_whole(**_: Any) -> list[CheckMessage]:
    """Half a directory would let nobody in, or the wrong ones: it is better said at the start."""
    found: list[configured.Problem] = []
    if settings.LDAP:
        found += configured.ldap_problems(settings.LDAP)
    if settings.OIDC:
        found += configured.oidc_problems(settings.OIDC)
    return [
        Error(f"{each.setting} {each.why}.", each.fix, id="clusterpanel.E002") for each in found
    ]


@register()
def passwords_travel_encrypted(**_: Any) -> list[CheckMessage]:
    if not settings.LDAP or not settings.LDAP.unencrypted:
        return []
    why = "LDAP_SEND_PASSWORDS_UNENCRYPTED: whoever is on the way to the directory reads every password."
    return [Warning(why, "Let the directory speak TLS and remove it.", id="clusterpanel.W001")]

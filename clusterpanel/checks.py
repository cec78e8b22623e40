"""System checks: a wrong setting is named at the start, with what to do."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, Error, register

from clusterpanel.fields import field_keys


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

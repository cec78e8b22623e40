"""How long a password is: Django's own rule counts every space and has no upper end."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

SHORTEST, LONGEST = 12, 128  # characters


class Length:
    """Several spaces in a row count as one: twelve of them are no password. What is longer than
    `LONGEST` is refused and never cut; hashing a megabyte would be a way to keep the panel busy."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(re.sub(" +", " ", password)) < SHORTEST:
            why = gettext("It must have at least %(n)s characters; several spaces count as one.")
            raise ValidationError(why % {"n": SHORTEST}, code="password_too_short")
        if len(password) > LONGEST:
            why = gettext("It must have at most %(n)s characters.")
            raise ValidationError(why % {"n": LONGEST}, code="password_too_long")

    def get_help_text(self) -> str:
        return gettext("%(from)s to %(to)s characters.") % {"from": SHORTEST, "to": LONGEST}

"""TOTP (RFC 6238) as a second factor: six digits of an app, or a recovery code that opens once."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from clusterpanel.people.models import Person, RecoveryCode
from clusterpanel.people.roles import Role
from clusterpanel.words import translated
from nodes.domain.text import say

STEP_S = 30
CODES = 10
_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
_CODE_LENGTH = 24  # of 27 letters: 114 bits, too many to try a stolen hash against


def is_set(person: Person | None) -> bool:
    return person is not None and person.factor_since is not None


def is_missing(role: Role, person: Person | None) -> bool:
    """Whether the setting asks this person for a second factor that is not set up."""
    wanted = settings.SECOND_FACTOR_FOR
    if wanted == "nobody" or is_set(person):
        return False
    return wanted == "everybody" or role is Role.ADMINISTRATOR


def needed_json() -> dict[str, Any]:
    why = say("Your role needs a second factor, and yours is not set up.")
    fix = say("Sign in in a browser and set it up.")
    words = {"why": translated(why), "fix": translated(fix)}
    return {"code": "second_factor_missing", **words, "evidence": {}}


def new_secret() -> str:
    return pyotp.random_base32()


def picture(user: Any, secret: str) -> str:
    """The QR code as SVG for a page; an app reads name and secret from it."""
    return segno.make(address(user, secret), error="m").svg_inline(scale=5, border=2)


def address(user: Any, secret: str) -> str:
    name = settings.PANEL_NAME or "Cluster Panel"
    return pyotp.TOTP(secret).provisioning_uri(name=user.get_username(), issuer_name=name)


def step_of(secret: str, code: str, newer_than: int) -> int | None:
    """The time step whose code this is; one step late or early counts, one that was used does not."""
    now = int(time.time()) // STEP_S
    given = "".join(code.split())
    for step in (now, now - 1, now + 1):
        expected = pyotp.TOTP(secret).generate_otp(step)
        if step > newer_than and secrets.compare_digest(given.encode(), expected.encode()):
            return step
    return None


def opens(person: Person, code: str) -> bool:
    """Use up a code; of two people who send the same one at once, one comes in."""
    step = step_of(person.second_factor, code, person.factor_step)
    if step is not None:
        mine = Person.objects.filter(pk=person.pk, factor_step__lt=step)
        return bool(mine.update(factor_step=step))
    deleted, _ = person.recovery_codes.filter(digest=digest(person, code)).delete()
    return bool(deleted)


def set_up(person: Person, secret: str, step: int) -> list[str]:
    """From now on; returns the recovery codes, which are never shown again."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)) for _ in range(CODES)]
    with transaction.atomic():
        person.second_factor, person.factor_step = secret, step
        person.factor_since = timezone.now()
        person.save(update_fields=["second_factor", "factor_step", "factor_since"])
        person.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(person=person, digest=digest(person, code)) for code in codes
        )
    return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in codes]


def remove(person: Person) -> None:
    with transaction.atomic():
        person.second_factor, person.factor_step, person.factor_since = "", 0, None
        person.save(update_fields=["second_factor", "factor_step", "factor_since"])
        person.recovery_codes.all().delete()


def digest(person: Person, code: str) -> str:
    plain = "".join(c for c in code.lower() if c.isalnum())
    return hashlib.sha256(f"{person.pk}:{plain}".encode()).hexdigest()

"""People: who there is, with which role. For administrators, and for root on the console (`by` None)."""

from __future__ import annotations

import re
from typing import Any

from axes.utils import reset
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from clusterpanel import audit
from clusterpanel.people import confirming, second_factor
from clusterpanel.people.guessing import guessed_name
from clusterpanel.people.models import Person
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say

NAME = re.compile(r"[A-Za-z0-9_.@+-]{1,150}")


@needs(Role.ADMINISTRATOR)
def person_add(*, by: User | None, name: str, role: str) -> User:
    """Somebody new, without a password: `person_password_link` makes the way to set one.

    Raises Refused: name_invalid, name_taken, role_unknown.
    """
    wanted = _role(role)
    if not NAME.fullmatch(name):
        why = say("“%(name)s” is no name to sign in with.", name=name[:150])
        fix = say("Use letters, digits and . _ - @ +, without spaces.")
        raise Refused(Refusal("name_invalid", why, fix, field="name"))
    try:
        with transaction.atomic():
            user = get_user_model().objects.create_user(name)
            Person.objects.create(user=user, role=wanted)
            _record(by, "person.add", user, role=wanted)
    except IntegrityError:
        why = say("There is somebody with the name “%(name)s” already.", name=name)
        raise Refused(
            Refusal("name_taken", why, say("Choose another name."), field="name")
        ) from None
    return user


@needs(Role.ADMINISTRATOR)
def person_role_set(*, by: User | None, user: User, role: str, password: str = "") -> None:
    """Counts at once, also in open sessions. Raises Refused: role_unknown, last_administrator,
    role_elsewhere, or that the password is asked for."""
    wanted = _role(role)
    if hasattr(user, "identity"):
        why = say("The role of %(name)s comes from a directory.", name=user.get_username())
        fix = say("Change his groups there; it counts from his next sign-in.")
        raise Refused(Refusal("role_elsewhere", why, fix, field="role"))
    confirming.require(by, password)
    with transaction.atomic():
        if wanted is not Role.ADMINISTRATOR:
            _keep_one(user)
        Person.objects.update_or_create(user=user, defaults={"role": wanted})
        get_user_model().objects.filter(pk=user.pk).update(is_superuser=False)
        _record(by, "person.role", user, role=wanted)


@needs(Role.ADMINISTRATOR)
def person_deactivate(*, by: User | None, user: User) -> None:
    """Sessions and tokens end at once; what was done stays under the name."""
    with transaction.atomic():
        _keep_one(user)
        get_user_model().objects.filter(pk=user.pk).update(is_active=False)
        _end_sessions(user)
        _record(by, "person.deactivate", user)


@needs(Role.ADMINISTRATOR)
def person_activate(*, by: User | None, user: User) -> None:
    with transaction.atomic():
        get_user_model().objects.filter(pk=user.pk).update(is_active=True)
        _record(by, "person.activate", user)


@needs(Role.ADMINISTRATOR)
def person_sign_out(*, by: User | None, user: User) -> None:
    """Ends every session of this person; tokens stay."""
    with transaction.atomic():
        _end_sessions(user)
        _record(by, "person.sign_out", user)


@needs(Role.ADMINISTRATOR)
def person_password_link(*, by: User | None, user: User, also_here: bool = False) -> str:
    """The path of a page where a password is set, once, within a day. Whoever has it is that person:
    it is shown to the administrator and kept nowhere. The old password holds until then.

    `also_here`: decided for somebody who comes in by a directory; he then comes in without it, too.
    Raises Refused: password_elsewhere.
    """
    directory = hasattr(user, "identity")
    if directory and not also_here:
        why = say("%(name)s comes in by a directory.", name=user.get_username())
        fix = say("Tick that a password of the panel shall let him in as well.")
        raise Refused(Refusal("password_elsewhere", why, fix))
    token = default_token_generator.make_token(user)
    _record(by, "person.password_link", user, **({"beside_directory": True} if directory else {}))
    return reverse("password-set", args=[urlsafe_base64_encode(force_bytes(user.pk)), token])


@needs(Role.ADMINISTRATOR)
def person_factor_remove(*, by: User | None, user: User, password: str = "") -> None:
    """For somebody who lost app and recovery codes."""
    confirming.require(by, password)
    with transaction.atomic():
        second_factor.remove(row(user))
        _end_sessions(user)
        _record(by, "person.factor_remove", user)


@needs(Role.ADMINISTRATOR)
def person_unlock(*, by: User | None, user: User) -> int:
    """Ends the pause after too many wrong passwords; how many attempts were forgotten."""
    found = int(reset(username=guessed_name(user.get_username())))
    _record(by, "person.unlock", user)
    return found


def row(user: Any) -> Person:
    """The person behind a user; one that never had a row gets it with the role that it has."""
    role = Role.ADMINISTRATOR if user.is_superuser else Role.VIEWER
    return Person.objects.get_or_create(user=user, defaults={"role": role})[0]


def _end_sessions(user: User) -> None:
    Person.objects.filter(pk=row(user).pk).update(epoch=F("epoch") + 1)


def _keep_one(user: User) -> None:
    """Called inside the transaction that changes `user`: the panel keeps an administrator of its
    own, who comes in also when every directory is down."""
    chief = Q(is_superuser=True) | Q(person__role=Role.ADMINISTRATOR)
    found = get_user_model().objects.filter(chief, is_active=True, identity=None)
    if list(found.values_list("pk", flat=True)) == [user.pk]:
        why = say("%(name)s is the last administrator.", name=user.get_username())
        fix = say("Make somebody else an administrator first.")
        raise Refused(Refusal("last_administrator", why, fix))


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        known: Text = say("Choose viewer, operator or administrator.")
        why = say("There is no role “%(role)s”.", role=str(value)[:40])
        raise Refused(Refusal("role_unknown", why, known, field="role")) from None


def _record(by: User | None, action: str, user: User, **detail: object) -> None:
    who = by.get_username() if by else "console"
    audit.record(who=who, action=action, subject=user.get_username(), detail=detail)

"""Whoever comes in by a directory: who that is here, and with which role from now on."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F

from clusterpanel import audit
from clusterpanel.people.models import Identity, Person
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import of_the_panel
from clusterpanel.people.services.persons import NAME
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say


@dataclass(frozen=True)
class Arrival:
    """What a directory says of somebody who showed it who he is.

    `issuer` and `subject` are the same for ever; `login` is a name, and may be anybody's.
    `at`: what the directory is called in sentences. `role` None: no group of his gives one.
    """

    way: str
    at: str
    issuer: str
    subject: str
    login: str
    role: Role | None


@of_the_panel
def person_admit(*, arrival: Arrival) -> User:
    """The person, made at the first time, with the role that the directory gives today.

    Raises Refused: no_role (open sessions end and tokens open nothing), deactivated, name_unusable.
    """
    identity = _known(arrival)
    role = arrival.role
    if role is None:
        raise Refused(_lapsed(arrival, identity))
    identity = identity or _new(arrival, role)
    user = identity.user
    if not user.is_active:
        why = say("Your account of this panel is deactivated.")
        fix = say("Ask an administrator of the panel.")
        raise Refused(Refusal("deactivated", why, fix, {"detail": user.get_username()}))
    _take_over(arrival, identity, role)
    return User.objects.get(pk=user.pk)  # as it is now


def _known(arrival: Arrival) -> Identity | None:
    found = Identity.objects.select_related("user")
    digest = Identity.digest_of(arrival.issuer, arrival.subject)
    return found.filter(digest=digest).first()


def _new(arrival: Arrival, role: Role) -> Identity:
    if not NAME.fullmatch(arrival.login):
        why = say("%(at)s calls you by a name that cannot be used here.", at=arrival.at)
        fix = say("Names have letters, digits and . _ - @ +. Ask an administrator of the panel.")
        raise Refused(Refusal("name_unusable", why, fix, {"detail": arrival.login[:150]}))
    try:
        with transaction.atomic():
            user = get_user_model().objects.create_user(_free_name(arrival))
            Person.objects.create(user=user, role=role)
            detail = {"way": arrival.way, "issuer": arrival.issuer, "subject": arrival.subject}
            audit.record(who=user.get_username(), action="person.arrive", detail=detail)
            return Identity.objects.create(
                user=user,
                way=arrival.way,
                issuer=arrival.issuer,
                subject=arrival.subject,
                digest=Identity.digest_of(arrival.issuer, arrival.subject),
                login=arrival.login,
            )
    except IntegrityError:  # the same person in two browsers at once, or somebody took the name
        if identity := _known(arrival):
            return identity
        raise


def _free_name(arrival: Arrival) -> str:
    """Somebody else's name stays his: an account is never taken over by being called like it."""
    users = get_user_model().objects
    base = arrival.login[:130]
    name, number = base, 1
    while users.filter(username__iexact=name).exists():
        name = f"{base}@{arrival.way}" + (f"-{number}" if number > 1 else "")
        number += 1
    return name


def _take_over(arrival: Arrival, identity: Identity, role: Role) -> None:
    """Role and login name of today."""
    with transaction.atomic():
        Identity.objects.filter(pk=identity.pk).update(admitted=True, login=arrival.login[:150])
        before = Person.objects.filter(user=identity.user).values_list("role", flat=True).first()
        get_user_model().objects.filter(pk=identity.user_id).update(is_superuser=False)
        if before == role:
            return
        Person.objects.update_or_create(user=identity.user, defaults={"role": role})
        detail = {"role": role, "before": before, "by": arrival.way}
        name = identity.user.get_username()
        audit.record(who=name, action="person.role", subject=name, detail=detail)


def _lapsed(arrival: Arrival, identity: Identity | None) -> Refusal:
    """No group any more, or none yet."""
    if identity is not None:
        with transaction.atomic():
            Identity.objects.filter(pk=identity.pk).update(admitted=False)
            Person.objects.filter(user=identity.user).update(epoch=F("epoch") + 1)
    why = say("%(at)s knows you, but none of your groups gives a role here.", at=arrival.at)
    fix = say("Ask whoever keeps the groups, or an administrator of the panel.")
    return Refusal("no_role", why, fix, {"detail": arrival.login[:150]})

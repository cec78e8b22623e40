"""People from the console, where root is: also when nobody can sign in any more."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError

from clusterpanel.people import services
from clusterpanel.people.standing import standing
from clusterpanel.words import translated
from nodes.domain.refusal import Refused

VERBS = (
    "list",
    "add",
    "role",
    "link",
    "deactivate",
    "activate",
    "sign-out",
    "unlock",
    "drop-factor",
)


class Command(BaseCommand):
    help = "List people; add somebody, give a role, make a link to set a password, and so on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=VERBS)
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument("role", nargs="?", default="", help="viewer, operator, administrator")

    def handle(self, *_: Any, verb: str, name: str, role: str, **options: Any) -> None:
        if verb == "list":
            for user in get_user_model().objects.order_by("username"):
                self.stdout.write(f"{user.username}  {_state(user)}")
            return
        if not name or (verb in ("add", "role") and not role):
            raise CommandError(
                f"manage.py person {verb} NAME{' ROLE' if verb in ('add', 'role') else ''}"
            )
        try:
            said = self._act(verb, name, role)
        except Refused as refused:
            first = refused.first
            raise CommandError(f"{translated(first.why)} {translated(first.fix)}") from None
        self.stdout.write(said)

    def _act(self, verb: str, name: str, role: str) -> str:
        if verb == "add":
            user = services.person_add(by=None, name=name, role=role)
            return _link(user)
        found = get_user_model().objects.filter(username=name).first()
        if found is None:
            raise CommandError(f"There is no “{name}”. Known: manage.py person list")
        if verb == "link":
            return _link(found)
        if verb == "role":
            services.person_role_set(by=None, user=found, role=role)
        else:
            _SIMPLE[verb](by=None, user=found)
        return f"{name}: {verb} done."


_SIMPLE: dict[str, Callable[..., object]] = {
    "deactivate": services.person_deactivate,
    "activate": services.person_activate,
    "sign-out": services.person_sign_out,
    "unlock": services.person_unlock,
    "drop-factor": services.person_factor_remove,
}


def _state(user: User) -> str:
    found = standing(user)
    state = str(found.role) if found else "deactivated"
    identity = getattr(user, "identity", None)
    return f"{state}  by {identity.get_way_display()}" if identity else state


def _link(user: User) -> str:
    # Whoever types this on the console has decided it, also for somebody of a directory.
    path = services.person_password_link(by=None, user=user, also_here=True)
    return (
        f"Open this path on the panel within a day to set the password of {user.username}:\n{path}"
    )

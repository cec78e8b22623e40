"""Makes a bearer token for the API. It is shown once; only its hash is kept."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from clusterpanel.models import ApiToken
from clusterpanel.people import services
from clusterpanel.people.roles import Role
from clusterpanel.people.standing import role_of
from clusterpanel.words import translated
from nodes.domain.refusal import Refused
from nodes.models import Cluster

DAYS = 365


class Command(BaseCommand):
    help = "Make an API token for USER and print it once; --list shows them, --revoke ends them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--name", default="console", help="what it is for")
        parser.add_argument("--role", choices=list(Role), help="less than the role of USER")
        parser.add_argument("--cluster", metavar="NAME", help="for one cluster only")
        parser.add_argument(
            "--days", type=int, default=DAYS, help=f"until it ends ({DAYS}); 0: never"
        )
        parser.add_argument("--list", action="store_true")
        parser.add_argument(
            "--revoke",
            nargs="?",
            const="all",
            metavar="ID",
            help="end the token with this ID of --list, or all tokens of USER",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        try:
            self._act(user, options)
        except Refused as refused:
            first = refused.first
            raise CommandError(f"{translated(first.why)} {translated(first.fix)}") from None

    def _act(self, user: User, options: dict[str, Any]) -> None:
        if options["list"]:
            for token in user.api_tokens.order_by("pk"):
                self.stdout.write(_line(token))
        elif options["revoke"]:
            self._revoke(user, options["revoke"])
        else:
            _, text = services.token_create(
                by=None,
                user=user,
                name=options["name"],
                role=options["role"] or role_of(user),
                scope=_cluster(options["cluster"]),
                days=options["days"] or None,
                overrides=True,  # who has the console has everything
            )
            self.stdout.write(text)

    def _revoke(self, user: User, which: str) -> None:
        found = user.api_tokens.filter(revoked_at=None)
        tokens = list(found if which == "all" else found.filter(pk=which))
        for token in tokens:
            services.token_revoke(by=None, token=token)
        name = user.get_username()
        self.stdout.write(f"{len(tokens)} tokens of {name} no longer open the API.")


def _cluster(name: str | None) -> Cluster | None:
    if not name:
        return None
    found = Cluster.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no cluster “{name}”.")
    return found


def _line(token: ApiToken) -> str:
    state = "revoked" if token.revoked_at else f"ends {token.expires_at or 'never'}"
    used = f"last used {token.last_used_at or 'never'}"
    scope = token.cluster.name if token.cluster else "all clusters"
    return f"{token.pk}  {token.name}  {token.role}  {scope}  {state}  {used}"

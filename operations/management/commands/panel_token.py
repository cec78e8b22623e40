"""Makes a bearer token for the API. It is shown once; only its hash is kept."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clusterpanel import audit
from clusterpanel.api import digest
from clusterpanel.models import ApiToken


class Command(BaseCommand):
    help = "Make an API token for USER and print it once; --revoke ends all tokens of USER."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--revoke", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        with transaction.atomic():
            if options["revoke"]:
                ended, _ = ApiToken.objects.filter(user=user).delete()
                audit.record(who="console", action="token.revoke", subject=user.get_username())
                self.stdout.write(
                    f"{ended} tokens of {user.get_username()} no longer open the API."
                )
                return
            token = secrets.token_urlsafe(32)
            ApiToken.objects.create(user=user, digest=digest(token))
            audit.record(who="console", action="token.create", subject=user.get_username())
        self.stdout.write(token)

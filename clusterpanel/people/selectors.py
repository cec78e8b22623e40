"""What the pages of people and accounts read."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import QuerySet

from clusterpanel.models import ApiToken
from clusterpanel.people.models import Person
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs


@needs(Role.ADMINISTRATOR)
def people(*, by: User | None) -> Sequence[User]:
    """Everybody, those who may sign in first."""
    found = get_user_model().objects.select_related("person", "identity")
    return list(found.order_by("-is_active", "username"))


@needs(Role.ADMINISTRATOR)
def person_tokens(*, by: User | None, user: User) -> QuerySet[ApiToken]:
    return own_tokens(user)


def own_tokens(user: User) -> QuerySet[ApiToken]:
    """Newest first; revoked ones too."""
    return user.api_tokens.select_related("cluster", "user").order_by("-pk")


def person_row(user: User) -> Person | None:
    return Person.objects.filter(user_id=user.pk).first()

"""People of each role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from clusterpanel.people.models import Person

PASSWORD = "correct horse battery"


def person(name: str, role: str = "operator", password: str | None = None) -> User:
    user = User.objects.create_user(name, password=password)
    Person.objects.create(user=user, role=role)
    return user


def at_the_keyboard(user: Any) -> Any:
    """As if the password had been typed a moment ago."""
    user.password_at = timezone.now()
    return user

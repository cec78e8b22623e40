from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from tests.people.made import person


@pytest.fixture
def olga(db: None) -> User:
    """An operator: runs procedures, saves no settings, and never goes on without a backup."""
    return person("olga")


@pytest.fixture
def signed_in(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


@pytest.fixture
def chief(db: None) -> Client:
    """Signed in as a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield

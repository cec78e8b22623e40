"""Fixtures of the tests of `nodes`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from nodes import services
from nodes.models import Cluster
from nodes.transport import pool
from tests.fakes import recorded
from tests.nodes.made import GOOD
from tests.people.made import person


@pytest.fixture
def ann() -> User:
    return person("ann", "administrator")


@pytest.fixture
def cluster(ann: User) -> Cluster:
    return services.cluster_create(by=ann, **GOOD)


@pytest.fixture
def nodes_say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def say(state: str) -> None:
        monkeypatch.setattr(pool, "transport_for", recorded.connect(state))

    say("healthy")
    return say

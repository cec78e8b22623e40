"""The dashboard's stream: parts that changed, and a beat also when nothing did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, override_settings

from nodes.announcing import SEEN
from nodes.models import Cluster
from nodes.views import stream
from nodes.views.parts import PARTS
from tests.fakes import seen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _the_reader_says_goodbye() -> AsyncIterator[None]:
    """The loop outlives the farewell of the hub's reader to Redis, as a server's loop does."""
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def site(transactional_db: None) -> Cluster:
    made = seen.cluster()
    seen.observed(made, "healthy")
    return made


@pytest.fixture
async def client(site: Cluster) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(await User.objects.acreate_user("maria"))
    return client


class Reader:
    """Reads events of one response, one after the other."""

    def __init__(self, response: Any) -> None:
        self._pieces: AsyncIterator[bytes] = response.streaming_content
        self._ready: list[tuple[str, Any]] = []

    async def next(self) -> tuple[str, Any]:
        while not self._ready:
            piece = await asyncio.wait_for(anext(self._pieces), 10)
            kind, data = piece.decode().strip().split("\n", 1)
            event = (kind.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
            self._ready.append(event)
        return self._ready.pop(0)

    async def to_the_end(self) -> None:
        while True:
            await self.next()

    async def until_beat(self) -> list[str]:
        """Names of the parts that came before the next beat."""
        names = []
        while (event := await self.next())[0] != "beat":
            names.append(event[1]["name"])
        return names


async def opened(client: AsyncClient, site: Cluster) -> Reader:
    reader = Reader(await client.get(f"/clusters/{site.pk}/events"))
    assert (await reader.next())[0] == "beat"
    assert [(await reader.next())[1]["name"] for _ in PARTS] == list(PARTS)
    return reader


async def test_it_needs_a_sign_in_and_a_cluster(client: AsyncClient, site: Cluster) -> None:
    assert (await AsyncClient().get(f"/clusters/{site.pk}/events")).status_code == 302
    assert (await client.get("/clusters/999/events")).status_code == 404


async def test_no_proxy_may_hold_it_back(client: AsyncClient, site: Cluster) -> None:
    response = await client.get(f"/clusters/{site.pk}/events")
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Content-Encoding"] == "identity"


async def test_an_announcement_brings_what_changed_and_nothing_else(
    client: AsyncClient, site: Cluster, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 60.0)  # so that only an announcement can wake it
    reader = await opened(client, site)
    await sync_to_async(seen.observed)(site, "one-stopped")
    SEEN.announce(str(site.pk))
    names: list[str] = []
    while "topology" not in names:
        kind, data = await reader.next()
        names += [data["name"]] if kind == "part" else []
    assert "verdict" in names
    assert "done" not in names


async def test_facts_that_are_the_same_bring_a_beat_alone(
    client: AsyncClient, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.05)
    reader = await opened(client, site)
    for _ in range(3):
        assert await reader.until_beat() == []


@override_settings(REDIS_URL="unix:///nowhere/broker.sock")
async def test_without_redis_the_page_hears_of_it_a_moment_later(
    client: AsyncClient, site: Cluster
) -> None:
    reader = await opened(client, site)
    await sync_to_async(seen.observed)(site, "full-stop")
    names: list[str] = []
    while "verdict" not in names:
        names += await reader.until_beat()


async def test_silence_of_the_servers_is_news(
    client: AsyncClient, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.3)
    await sync_to_async(seen.observed)(site, "healthy", age_s=14.5)
    reader = await opened(client, site)
    names: list[str] = []
    while "verdict" not in names:
        names += await reader.until_beat()


async def test_it_ends_with_its_cluster(
    client: AsyncClient, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.05)
    reader = await opened(client, site)
    await Cluster.objects.filter(pk=site.pk).adelete()
    with pytest.raises(StopAsyncIteration):
        await reader.to_the_end()

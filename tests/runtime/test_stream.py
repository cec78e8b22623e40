"""The event stream: every line once, in order, from wherever the browser was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.test import AsyncClient, override_settings
from django.urls import include, path

from operations import selectors
from operations.models import Run
from operations.runtime import hub, journal
from operations.stream import run_events
from tests.runtime.conftest import HOLDS, make_run, step

urlpatterns = [
    path("runs/<str:run_id>/events", run_events),
    path("", include("clusterpanel.urls")),
]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.runtime.test_stream"),
]


@pytest.fixture(autouse=True)
async def _the_reader_says_goodbye() -> AsyncIterator[None]:
    """The loop outlives the farewell of the hub's reader to Redis, as a server's loop does."""
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(selectors, "PROOFS", {"holds": HOLDS})
    run = make_run(step("one", "node1", "true"))
    Run.objects.filter(pk=run.pk).update(state="running", fence=1)
    return run


@pytest.fixture
async def client() -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(await User.objects.acreate_user("maria"))
    return client


def add(run: Run, *texts: str) -> int:
    chunks = [f"{text}\n".encode() for text in texts]
    return journal.append_output(run_id=run.pk, fence=1, step="one", attempt=1, chunks=chunks)


def end(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="succeeded")


async def messages(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, str, Any]]:
    """(event, id, data) of each message."""
    async for piece in stream:
        for block in piece.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in fields:
                yield fields["event"], fields.get("id", ""), json.loads(fields["data"])


def body(response: Any) -> AsyncIterator[bytes]:
    content: AsyncIterator[bytes] = response.streaming_content
    return content


async def numbers_until_end(response: Any) -> list[int]:
    found: list[int] = []
    async for kind, _, data in messages(body(response)):
        if kind == "lines":
            found += [line["n"] for line in data["lines"]]
        if kind == "end":
            return found
    raise AssertionError("the stream ended without `end`")


async def test_it_needs_a_sign_in(run: Run) -> None:
    response = await AsyncClient().get(f"/runs/{run.pk}/events")
    assert response.status_code == 302


async def test_a_run_that_does_not_exist_is_not_found(client: AsyncClient) -> None:
    assert (await client.get("/runs/nothing/events")).status_code == 404


async def test_no_proxy_may_hold_it_back(client: AsyncClient, run: Run) -> None:
    response = await client.get(f"/runs/{run.pk}/events")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Content-Encoding"] == "identity"
    assert "no-cache" in response.headers["Cache-Control"]


async def test_it_sends_state_then_all_lines_then_end(client: AsyncClient, run: Run) -> None:
    await sync_to_async(add)(run, *(f"line {i}" for i in range(1200)))
    await sync_to_async(end)(run)
    response = await client.get(f"/runs/{run.pk}/events")
    kinds = [(kind, id) async for kind, id, _ in messages(body(response))]
    assert [kind for kind, _ in kinds] == ["state", "lines", "lines", "lines", "end"]
    assert [id for kind, id in kinds if kind == "lines"] == ["500", "1000", "1200"]


async def test_pages_that_stand_at_the_same_line_cost_one_look_together(
    client: AsyncClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    read = journal.read

    def counted(run_id: str, *, after: int, limit: int) -> list[journal.Line]:
        looks.append(after)
        return read(run_id, after=after, limit=limit)

    monkeypatch.setattr(journal, "read", counted)
    await sync_to_async(add)(run, *(f"line {i}" for i in range(1200)))
    await sync_to_async(end)(run)
    pages = [await client.get(f"/runs/{run.pk}/events") for _ in range(20)]
    found = await asyncio.gather(*(numbers_until_end(page) for page in pages))
    assert found == [list(range(1, 1201))] * 20
    assert sorted(looks) == [0, 500, 1000]


async def test_a_page_that_claims_lines_nobody_wrote_disturbs_no_other(
    client: AsyncClient, run: Run
) -> None:
    await sync_to_async(add)(run, *"abc")
    liar = await client.get(f"/runs/{run.pk}/events?after=99999999")
    honest = await client.get(f"/runs/{run.pk}/events")
    reading = [asyncio.create_task(numbers_until_end(page)) for page in (liar, honest)]
    await sync_to_async(add)(run, "d")
    await sync_to_async(end)(run)
    found = await asyncio.wait_for(asyncio.gather(*reading), 20)
    assert found[1] == [1, 2, 3, 4]
    assert set(found[0]) <= {4}


async def test_a_page_that_is_behind_passes_over_output_that_was_just_removed(
    client: AsyncClient, run: Run
) -> None:
    await sync_to_async(add)(run, *(f"line {i}" for i in range(1200)))
    await sync_to_async(end)(run)
    ahead = aiter(messages(body(await client.get(f"/runs/{run.pk}/events?after=1200"))))
    await anext(ahead)  # somebody stands at the end
    behind = await client.get(f"/runs/{run.pk}/events")
    await run.journal.all().adelete()
    assert await asyncio.wait_for(numbers_until_end(behind), 20) == []


@pytest.mark.parametrize("way", ["header", "query"])
async def test_it_goes_on_behind_the_last_line_the_browser_has(
    client: AsyncClient, run: Run, way: str
) -> None:
    await sync_to_async(add)(run, *"abcdef")
    await sync_to_async(end)(run)
    if way == "header":
        response = await client.get(f"/runs/{run.pk}/events", headers={"Last-Event-ID": "4"})
    else:
        response = await client.get(f"/runs/{run.pk}/events?after=4")
    assert await numbers_until_end(response) == [5, 6]


async def _while_lines_come(client: AsyncClient, run: Run, announce: bool) -> list[int]:
    response = await client.get(f"/runs/{run.pk}/events")

    def work() -> None:
        for i in range(40):
            newest = add(run, f"line {i}")
            if announce:
                hub.notify(run.pk, newest)
        with transaction.atomic():  # as the executor stores an end: with its event, or not at all
            end(run)
            newest = journal.append_event(run_id=run.pk, fence=1, event={"type": "run"})
        if announce:
            hub.notify(run.pk, newest)

    reading = asyncio.create_task(numbers_until_end(response))
    await sync_to_async(work)()
    return await asyncio.wait_for(reading, 20)


async def test_lines_that_come_while_it_is_open_arrive_once_and_in_order(
    client: AsyncClient, run: Run, broker_url: str
) -> None:
    assert await _while_lines_come(client, run, announce=True) == list(range(1, 42))


@override_settings(REDIS_URL="unix:///nowhere/broker.sock")
async def test_without_redis_nothing_is_lost(client: AsyncClient, run: Run) -> None:
    assert await _while_lines_come(client, run, announce=True) == list(range(1, 42))


async def test_a_lost_announcement_delays_and_loses_nothing(
    client: AsyncClient, run: Run, broker_url: str
) -> None:
    assert await _while_lines_come(client, run, announce=False) == list(range(1, 42))


async def test_markup_and_escapes_travel_as_data(client: AsyncClient, run: Run) -> None:
    await sync_to_async(add)(run, "<script>alert(1)</script>", "\x1b[31mred", "x" * 5000)
    await sync_to_async(end)(run)
    response = await client.get(f"/runs/{run.pk}/events")
    lines = [
        line
        async for kind, _, data in messages(body(response))
        if kind == "lines"
        for line in data["lines"]
    ]
    assert [line["text"] for line in lines[:2]] == ["<script>alert(1)</script>", "\x1b[31mred"]
    assert (len(lines[2]["text"]), lines[2]["cut"]) == (4000, 5000)

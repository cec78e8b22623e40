"""A page that is open does not outlive the sign-in, or the token, that opened it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import AsyncClient, Client, override_settings
from django.utils import timezone

from clusterpanel.api import digest
from clusterpanel.models import ApiToken
from clusterpanel.people import admission, services
from clusterpanel.people.admission import Admission, still_open
from clusterpanel.people.models import Person
from clusterpanel.people.sessions import kept
from nodes.models import Cluster
from operations.models import Run
from tests.fakes import seen
from tests.people.made import PASSWORD, at_the_keyboard, person
from tests.web.made import made_run

pytestmark = pytest.mark.django_db(transaction=True)
ROUND_S = 0.05
Act = Callable[["Scene"], object]


@pytest.fixture(autouse=True)
async def _rounds_are_short(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The loop outlives the farewell of the hub's reader to Redis, as a server's loop does."""
    monkeypatch.setattr(admission, "EVERY_S", ROUND_S)
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Scene:
    """Maria watches, and Olga is an administrator who goes on watching."""

    def __init__(self) -> None:
        self.maria = person("maria", "administrator", PASSWORD)
        self.olga = at_the_keyboard(person("olga", "administrator", PASSWORD))
        self.token = ApiToken.objects.create(
            user=self.maria, role="viewer", digest=digest("maria's"), expires_at=in_an_hour()
        )
        self.cluster: Cluster = seen.cluster()
        seen.observed(self.cluster, "healthy")
        self.run: Run = made_run("running", cluster=self.cluster)
        self.browser = Client()
        self.browser.force_login(self.maria)

    def session(self) -> Session:
        return Session.objects.get(pk=kept(self.browser.cookies["sessionid"].value))


def in_an_hour() -> Any:
    return timezone.now() + timedelta(hours=1)


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return Scene()


async def opened(scene: Scene, door: str) -> AsyncIterator[bytes]:
    """A stream that has begun to speak."""
    client, headers = AsyncClient(), {}
    if door == "token":
        headers = {"authorization": "Bearer maria's"}
    elif door == "olga":
        await client.aforce_login(scene.olga)
    else:
        client.cookies = scene.browser.cookies
    address = {
        "run": f"/runs/{scene.run.pk}/events",
        "api": f"/api/v1/runs/{scene.run.pk}/events",
        "dashboard": f"/clusters/{scene.cluster.pk}/events",
        "token": f"/api/v1/runs/{scene.run.pk}/events",
        "olga": f"/runs/{scene.run.pk}/events",
    }[door]
    answer: Any = await client.get(address, headers=headers)
    assert answer.status_code == 200
    pieces = aiter(answer.streaming_content)
    await asyncio.wait_for(anext(pieces), 10)
    return pieces


async def to_its_end(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass


async def goes_on(pieces: AsyncIterator[bytes]) -> bool:
    """Whether it is still open after some rounds."""
    reading = asyncio.ensure_future(to_its_end(pieces))
    await asyncio.wait([reading], timeout=10 * ROUND_S)
    over = reading.done()
    reading.cancel()
    return not over


def sign_out(scene: Scene) -> None:
    scene.browser.post("/sign-out/")


def expire(scene: Scene) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=scene.session().pk).update(expire_date=past)


SESSION_ENDS: dict[str, Act] = {
    "sign-out": sign_out,
    "expiry": expire,
    "sign-out everywhere": lambda scene: services.own_sign_out_everywhere(by=scene.maria),
    "sign-out by an administrator": lambda scene: services.person_sign_out(
        by=scene.olga, user=scene.maria
    ),
    "deactivation": lambda scene: services.person_deactivate(by=scene.olga, user=scene.maria),
    "another role": lambda scene: services.person_role_set(
        by=scene.olga, user=scene.maria, role="viewer"
    ),
    "another password": lambda scene: services.password_change(
        by=scene.maria, old=PASSWORD, new="another good password"
    ),
    "the account is removed": lambda scene: scene.maria.delete(),
}
TOKEN_ENDS: dict[str, Act] = {
    "revoked": lambda scene: services.token_revoke(by=scene.maria, token=scene.token),
    "expired": lambda scene: ApiToken.objects.update(expires_at=timezone.now()),
    "deactivation": SESSION_ENDS["deactivation"],
    "removed": lambda scene: ApiToken.objects.all().delete(),
}


@pytest.mark.parametrize("door", ["run", "api", "dashboard"])
@pytest.mark.parametrize("why", SESSION_ENDS)
async def test_a_stream_ends_with_its_session(scene: Scene, door: str, why: str) -> None:
    hers, olgas = await opened(scene, door), await opened(scene, "olga")
    await sync_to_async(SESSION_ENDS[why])(scene)
    await asyncio.wait_for(to_its_end(hers), 5)
    assert await goes_on(olgas)


@pytest.mark.parametrize("why", TOKEN_ENDS)
async def test_a_stream_ends_with_its_token(scene: Scene, why: str) -> None:
    hers, olgas = await opened(scene, "token"), await opened(scene, "olga")
    await sync_to_async(TOKEN_ENDS[why])(scene)
    await asyncio.wait_for(to_its_end(hers), 5)
    assert await goes_on(olgas)


async def test_a_stream_ends_when_a_second_factor_is_wanted(scene: Scene) -> None:
    hers = await opened(scene, "run")
    with override_settings(SECOND_FACTOR_FOR="everybody"):
        await asyncio.wait_for(to_its_end(hers), 5)


@pytest.mark.parametrize("door", ["run", "api", "dashboard", "token"])
async def test_while_nothing_changes_it_goes_on(scene: Scene, door: str) -> None:
    assert await goes_on(await opened(scene, door))


async def test_a_token_outlives_the_sessions_of_its_owner(scene: Scene) -> None:
    hers = await opened(scene, "token")
    await sync_to_async(services.own_sign_out_everywhere)(by=scene.maria)
    assert await goes_on(hers)


async def test_a_database_that_is_away_ends_no_stream(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> set[Admission]:
        raise OperationalError("away")

    monkeypatch.setattr(admission, "still_open", away)
    hers = await opened(scene, "run")
    assert await goes_on(hers)


async def test_many_streams_cost_one_look_together(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(admissions: Any) -> set[Admission]:
        asked.append(len(admissions))
        return still_open(admissions)

    monkeypatch.setattr(admission, "EVERY_S", 0.5)
    monkeypatch.setattr(admission, "still_open", counted)
    doors = ["run", "token", "olga", "dashboard"]
    streams = [await opened(scene, door) for door in doors * 5]
    asked.clear()
    await asyncio.sleep(1.25)
    assert len(asked) in (2, 3)
    assert set(asked) <= {7}  # Maria's session and token, and a session of Olga's for each of five
    await sync_to_async(User.objects.all().delete)()
    await asyncio.wait_for(asyncio.gather(*map(to_its_end, streams)), 10)
    asked.clear()
    await asyncio.sleep(1.0)
    assert asked == []  # nobody watches, nobody looks


@pytest.mark.parametrize("count", [1, 500])
def test_a_look_at_any_number_of_people_is_three_queries(
    count: int, django_assert_num_queries: Any
) -> None:
    users = [User(username=f"u{n}", password="x") for n in range(count)]
    people = User.objects.bulk_create(users)
    Person.objects.bulk_create(Person(user=user, role="viewer") for user in people)
    later = in_an_hour()
    sessions = [Session(session_key=f"s{u.pk}", expire_date=later) for u in people]
    Session.objects.bulk_create(sessions)
    tokens = [ApiToken(user=u, role="viewer", digest=f"d{u.pk}") for u in people]
    made = ApiToken.objects.bulk_create(tokens)
    admissions = [
        *(Admission(u.pk, f"s{u.pk}", None, ("x", "viewer", 0)) for u in people),
        *(Admission(t.user_id, None, t.pk, ("viewer", None)) for t in made),
    ]
    with django_assert_num_queries(3):
        assert still_open(admissions) == set(admissions)

"""What a stream was let in with, and the look that ends it when that does not hold any more.

Every request is asked at the door; a stream is one request that lasts for hours. One look every
`EVERY_S` seconds asks the database about all streams of this process together, in three queries at
most, however many people watch.

    with doorkeeper().watches(admission(request), subscription.wake) as stay:
        while not stay.over: ...

A stream that ends so just ends. Its page connects again, and the door says what is the matter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from clusterpanel.models import ApiToken
from clusterpanel.people import second_factor
from clusterpanel.people.middleware import EPOCH
from clusterpanel.people.sessions import kept
from clusterpanel.people.standing import role_from

log = logging.getLogger(__name__)
EVERY_S = 2.0
_reader = ThreadPoolExecutor(1, thread_name_prefix="doorkeeper")
_OF_PERSON = ("role", "epoch", "factor_since")  # not the secret, which would be decrypted
Conditions = tuple[object, ...]


@dataclass(frozen=True)
class Admission:
    """By a session (`sessions.kept`) or by a token. `conditions` is all that was true of it and must stay so."""

    user_id: int
    session: str | None
    token: int | None
    conditions: Conditions


def admission(request: HttpRequest) -> Admission:
    """Of a request that was just let in; asks the database nothing."""
    user = request.user
    assert user.pk is not None
    if token := getattr(user, "token", None):
        return Admission(user.pk, None, token.pk, (token.role, token.cluster_id))
    role = request.panel_role  # type: ignore[attr-defined]
    conditions = (user.password, role, request.session.get(EPOCH, 0))
    return Admission(user.pk, kept(request.session.session_key), None, conditions)


def still_open(admissions: Collection[Admission]) -> set[Admission]:
    """Those that would be let in again at this moment."""
    people = _people({each.user_id for each in admissions})
    sessions = _sessions({each.session for each in admissions if each.session})
    tokens = _tokens({each.token for each in admissions if each.token is not None})

    def holds(each: Admission) -> bool:
        if each.user_id not in people:
            return False
        if each.token is not None:
            return tokens.get(each.token) == each.conditions
        return each.session in sessions and people[each.user_id] == each.conditions

    return {each for each in admissions if holds(each)}


def _people(ids: Collection[int]) -> dict[int, Conditions]:
    """Of those who may use the panel; of somebody whose second factor is missing: none that holds."""
    known = get_user_model().objects.filter(pk__in=ids, is_active=True).select_related("person")
    known = known.only("password", "is_superuser", *(f"person__{name}" for name in _OF_PERSON))
    found: dict[int, Conditions] = {}
    for user in known:
        person = getattr(user, "person", None)
        role = role_from(user, person.role if person else None)
        missing = second_factor.is_missing(role, person)
        found[user.pk] = () if missing else (user.password, role, person.epoch if person else 0)
    return found


def _sessions(keys: Collection[str]) -> set[str]:
    alive = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(alive.values_list("session_key", flat=True)) if keys else set()


def _tokens(ids: Collection[int]) -> dict[int, Conditions]:
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    usable = ApiToken.objects.filter(in_time, pk__in=ids, revoked_at=None)
    rows = usable.values_list("pk", "role", "cluster_id") if ids else ()
    return {pk: (role, cluster_id) for pk, role, cluster_id in rows}


class Stay:
    """One open stream. `over`: whoever reads it must go."""

    def __init__(self, admission: Admission, wake: Callable[[], object]) -> None:
        self.admission = admission
        self.over = False
        self._wake = wake

    def end(self) -> None:
        self.over = True
        self._wake()


class Doorkeeper:
    """Looks while somebody stays."""

    def __init__(self) -> None:
        self._stays: set[Stay] = set()
        self._rounds: asyncio.Task[None] | None = None

    @contextmanager
    def watches(self, admission: Admission, wake: Callable[[], object]) -> Iterator[Stay]:
        """`wake` is called once, in this event loop, when the stay is over."""
        stay = Stay(admission, wake)
        self._stays.add(stay)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._go_round())
        try:
            yield stay
        finally:
            self._stays.discard(stay)
            if not self._stays and self._rounds is not None:
                self._rounds.cancel()
                self._rounds = None

    async def _go_round(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(EVERY_S)
            stays = list(self._stays)
            asked = {stay.admission for stay in stays}
            try:
                held = await loop.run_in_executor(_reader, _look, asked)
            except DatabaseError as error:
                # The streams read the same database: they have nothing to tell meanwhile.
                log.warning("who may go on watching is not known: %s", error)
                continue
            except Exception:
                log.exception("who may go on watching is not known")
                continue
            for stay in stays:
                if stay.admission not in held:
                    stay.end()


def _look(asked: set[Admission]) -> set[Admission]:
    try:
        return still_open(asked)
    except DatabaseError:
        connection.close()
        raise


_doorkeepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Doorkeeper] = WeakKeyDictionary()


def doorkeeper() -> Doorkeeper:
    """The one of the running event loop."""
    return _doorkeepers.setdefault(asyncio.get_running_loop(), Doorkeeper())

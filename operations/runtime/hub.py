"""Telling browsers that a journal has grown. Only a run's id and a number travel; the record stays in
the database (law 7), so Redis may lose everything and nobody misses a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import redis
from django.conf import settings

from clusterpanel import redis as clients

log = logging.getLogger(__name__)
_SILENT_AFTER_FAILURE_S = 1.0
_POLL_S = 1.0  # how often the database is asked while Redis is away
_LISTEN_S = 5.0  # below the client's own limit, which would end the reader


def channel() -> str:
    """One channel for a panel; two panels on one Redis have queues of their own, so also channels."""
    return f"{settings.CELERY_TASK_DEFAULT_QUEUE}:journal"


# Announcing: from workers, after the commit


class Announcer:
    """Publishes from a thread of its own: a Redis that hangs never holds up a run."""

    def __init__(self, client: Callable[[], redis.Redis] = clients.client) -> None:
        self.pid = os.getpid()
        self._client = client
        self._newest: dict[str, int] = {}
        self._wake = threading.Condition()
        threading.Thread(target=self._work, name="announcer", daemon=True).start()

    def notify(self, run_id: str, last_line: int) -> None:
        with self._wake:
            self._newest[run_id] = max(last_line, self._newest.get(run_id, 0))
            self._wake.notify()

    def _work(self) -> None:
        connection = self._client()
        while True:
            with self._wake:
                while not self._newest:
                    self._wake.wait()
                news, self._newest = self._newest, {}
            try:
                for run_id, line in news.items():
                    connection.publish(channel(), f"{run_id} {line}")
            except redis.RedisError as error:
                log.warning("no announcement to browsers, they poll: %s", error)
                self._keep(news)
                time.sleep(_SILENT_AFTER_FAILURE_S)

    def _keep(self, news: dict[str, int]) -> None:
        with self._wake:
            self._newest = {**news, **self._newest}


_announcer: Announcer | None = None
_announcer_lock = threading.Lock()


def notify(run_id: str, last_line: int) -> None:
    """Say that the run's journal now ends at `last_line`. Returns at once and never fails."""
    global _announcer
    with _announcer_lock:
        if _announcer is None or _announcer.pid != os.getpid():
            _announcer = Announcer()
        announcer = _announcer
    announcer.notify(run_id, last_line)


# Listening: in the web process, one reader for all browsers


class Subscription:
    """Wakes up when the journal of one run may have grown."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._grown = asyncio.Event()

    def wake(self) -> None:
        self._grown.set()

    async def wait(self, timeout_s: float) -> bool:
        """True when the journal may have grown, False when `timeout_s` passed in silence.

        While Redis is away it is True every second: ask the database.
        """
        limit = timeout_s if self._hub.listening else min(timeout_s, _POLL_S)
        try:
            await asyncio.wait_for(self._grown.wait(), limit)
        except TimeoutError:
            return not self._hub.listening
        self._grown.clear()
        return True


class Hub:
    """One per event loop. Its reader runs while somebody listens, and is started again if it dies."""

    def __init__(self) -> None:
        self.listening = False
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._reader: asyncio.Task[None] | None = None

    @contextmanager
    def subscribe(self, run_id: str) -> Iterator[Subscription]:
        subscription = Subscription(self)
        self._subscriptions.setdefault(run_id, set()).add(subscription)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._supervise())
        try:
            yield subscription
        finally:
            self._forget(run_id, subscription)

    def _forget(self, run_id: str, subscription: Subscription) -> None:
        left = self._subscriptions.get(run_id, set())
        left.discard(subscription)
        if not left:
            self._subscriptions.pop(run_id, None)
        if not self._subscriptions and self._reader is not None:
            self._reader.cancel()
            self._reader = None
            self.listening = False

    async def _supervise(self) -> None:
        while not self._dismissed():
            try:
                await self._listen()
            except (redis.RedisError, OSError) as error:
                log.warning("announcements are not heard, polling: %s", error)
            except Exception:
                log.exception("the reader of announcements failed; starting it again")
            self.listening = False
            if not self._dismissed():
                await asyncio.sleep(_SILENT_AFTER_FAILURE_S)

    def _dismissed(self) -> bool:
        """Whether this reader was cancelled or replaced.

        redis-py may turn a cancellation that meets its own time limit into a TimeoutError; a reader
        that only waited to be cancelled would then live for ever and hold up the end of the loop.
        """
        task = asyncio.current_task()
        return task is not self._reader or task is None or task.cancelling() > 0

    async def _listen(self) -> None:
        client = clients.listener()
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(channel())
                self._reconnected()
                while not self._dismissed():
                    message = await pubsub.get_message(
                        ignore_subscribe_messages=True, timeout=_LISTEN_S
                    )
                    if message is not None:
                        self._heard(message["data"])
        finally:
            with contextlib.suppress(redis.RedisError, OSError):
                await client.aclose()

    def _reconnected(self) -> None:
        """What was said while nobody listened is lost: everybody looks once."""
        self.listening = True
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.wake()

    def _heard(self, data: bytes) -> None:
        run_id = data.decode(errors="replace").partition(" ")[0]
        for subscription in self._subscriptions.get(run_id, ()):
            subscription.wake()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())

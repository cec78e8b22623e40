"""Telling pages that something has changed. Only a key travels; what changed stays in the database
(law 7), so Redis may lose everything and nobody misses a thing.

    SEEN = Channel("seen")
    SEEN.announce("7")                        from any process, after the commit
    with SEEN.hub().subscribe("7") as changes:  in the web process
        await changes.wait(5.0)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import redis
from django.conf import settings

from clusterpanel import redis as clients

log = logging.getLogger(__name__)
_SILENT_AFTER_FAILURE_S = 1.0
_POLL_S = 1.0  # how often the database is asked while Redis is away
_LISTEN_S = 5.0  # below the client's own limit, which would end the reader


class Channel:
    """Announcements of one kind. Its hubs are one for each event loop."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._announcer: _Announcer | None = None
        self._lock = threading.Lock()
        self._hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()

    @property
    def name(self) -> str:
        """Two panels on one Redis have queues of their own, so also channels."""
        return f"{settings.CELERY_TASK_DEFAULT_QUEUE}:{self.kind}"

    def announce(self, key: str) -> None:
        """Returns at once and never fails. A forked child has none of its parent's threads."""
        with self._lock:
            if self._announcer is None or self._announcer.pid != os.getpid():
                self._announcer = _Announcer(self)
            announcer = self._announcer
        announcer.add(key)

    def hub(self) -> Hub:
        """The hub of the running event loop."""
        return self._hubs.setdefault(asyncio.get_running_loop(), Hub(self))


class _Announcer:
    """Publishes from a thread of its own: a Redis that hangs holds nobody up."""

    def __init__(self, channel: Channel) -> None:
        self.pid = os.getpid()
        self._channel = channel
        self._keys: set[str] = set()
        self._wake = threading.Condition()
        threading.Thread(target=self._work, name=f"announce {channel.kind}", daemon=True).start()

    def add(self, key: str) -> None:
        with self._wake:
            self._keys.add(key)
            self._wake.notify()

    def _work(self) -> None:
        connection = clients.client()
        while True:
            with self._wake:
                while not self._keys:
                    self._wake.wait()
                keys, self._keys = self._keys, set()
            try:
                for key in sorted(keys):
                    connection.publish(self._channel.name, key)
            except redis.RedisError as error:
                # Dropped: open pages look by themselves while Redis is away.
                log.warning("no announcement to pages: %s", error)
                time.sleep(_SILENT_AFTER_FAILURE_S)


class Subscription:
    """Wakes up when what stands behind one key may have changed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._changed = asyncio.Event()

    def wake(self) -> None:
        self._changed.set()

    async def wait(self, timeout_s: float) -> bool:
        """True when there may be something new, False when `timeout_s` passed in silence.

        While Redis is away it is True every second: ask the database.
        """
        limit = timeout_s if self._hub.listening else min(timeout_s, _POLL_S)
        try:
            await asyncio.wait_for(self._changed.wait(), limit)
        except TimeoutError:
            return not self._hub.listening
        self._changed.clear()
        return True


class Hub:
    """Its one reader runs while somebody listens, and is started again if it dies."""

    def __init__(self, channel: Channel) -> None:
        self.listening = False
        self._channel = channel
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._reader: asyncio.Task[None] | None = None

    @contextmanager
    def subscribe(self, key: str) -> Iterator[Subscription]:
        subscription = Subscription(self)
        self._subscriptions.setdefault(key, set()).add(subscription)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._supervise())
        try:
            yield subscription
        finally:
            self._forget(key, subscription)

    def _forget(self, key: str, subscription: Subscription) -> None:
        left = self._subscriptions.get(key, set())
        left.discard(subscription)
        if not left:
            self._subscriptions.pop(key, None)
        if not self._subscriptions and self._reader is not None:
            self._reader.cancel()
            self._reader = None
            self.listening = False

    async def _supervise(self) -> None:
        while not self._dismissed():
            try:
                await self._listen()
            except (redis.RedisError, OSError) as error:
                log.warning("announcements are not heard, pages look by themselves: %s", error)
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
                await pubsub.subscribe(self._channel.name)
                self._wake_all()
                while not self._dismissed():
                    message = await pubsub.get_message(
                        ignore_subscribe_messages=True, timeout=_LISTEN_S
                    )
                    if message is not None:
                        self._heard(message["data"])
        finally:
            with contextlib.suppress(redis.RedisError, OSError):
                await client.aclose()

    def _wake_all(self) -> None:
        """What was said while nobody listened is lost: everybody looks once."""
        self.listening = True
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.wake()

    def _heard(self, key: bytes) -> None:
        for subscription in self._subscriptions.get(key.decode(errors="replace"), ()):
            subscription.wake()

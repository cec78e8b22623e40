"""The broker of the doubled campaign delivers every task twice."""

from __future__ import annotations

import pytest
import redis
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES


def test_what_is_sent_once_lies_in_the_queue_twice(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRANSPORT_ALIASES, "doubled", "chaos.doubled:Transport")
    url = broker_url.replace("unix://", "doubled+socket://")
    with Connection(url) as connection, connection.SimpleQueue("twice") as queue:
        queue.put({"run": "one"})
        with redis.Redis.from_url(broker_url) as client:
            assert client.llen("twice") == 2
        queue.clear()

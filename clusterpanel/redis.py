"""The only place that builds Redis clients, so that time limits are decided once.

redis-py 8 gives every client a socket_timeout of 5 s; a reader that waits longer dies without it
being said, so a reader passes its own.
"""

from __future__ import annotations

import redis
import redis.asyncio
from django.conf import settings

SHORT_S = 2.0
LISTEN_S = 30.0


def client() -> redis.Redis:
    """For short commands; a broker that is away fails within two seconds."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SHORT_S, socket_connect_timeout=SHORT_S
    )


def listener() -> redis.asyncio.Redis:
    """For the one supervised reader of a process; its own waits must stay below LISTEN_S."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_timeout=LISTEN_S, socket_connect_timeout=SHORT_S
    )

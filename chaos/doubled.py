"""A broker that delivers every task twice, for processes with the settings of chaos.settings."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        super()._put(queue, message, **options)
        super()._put(queue, message, **options)


class Transport(redis.Transport):
    Channel = Channel

"""The web application, with a door that lets only so many requests in at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clusterpanel.settings")

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

AT_ONCE = 32


class Door:
    """Each request has a thread and a database connection until its answer begins. When hundreds of
    pages connect again at one moment, they take turns; a stream counts until it has begun.
    """

    def __init__(self, inside: Callable[[Any, Receive, Send], Awaitable[None]]) -> None:
        self._inside = inside
        self._free = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await self._free.acquire()
        within = True

        def leave() -> None:
            nonlocal within
            if within:
                within = False
                self._free.release()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                leave()
            await send(message)

        try:
            await self._inside(scope, receive, sending)
        finally:
            leave()


application = Door(get_asgi_application())

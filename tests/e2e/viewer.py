"""A reader of event streams as a browser is one, small enough for hundreds in one process."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field

from tests.e2e.panel import Client

_NUMBER = re.compile(rb'\{"n": (\d+), ')
_STAMP = re.compile(rb'"at (\d+\.\d+)')
_PAUSE_S = 0.25  # before a page connects again, as the page's script does


@dataclass
class Viewer:
    """Follows one run to its end, through any number of lost connections.

    `numbers`: every line as it came. `late_ms`: for lines that say `at TIME`, how late they were.
    """

    client: Client
    run: str
    numbers: list[int] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    connections: int = 0
    ended: bool = False
    _writer: asyncio.StreamWriter | None = None

    @property
    def complete(self) -> bool:
        """Every line once and in order, and then the end."""
        return self.ended and self.numbers == list(range(1, len(self.numbers) + 1))

    def cut(self) -> None:
        """The connection breaks, without a word."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def follow(self) -> None:
        while not self.ended:
            try:
                await self._once()
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(_PAUSE_S)

    async def _once(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.client.port)
        try:
            self._writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(head)
            self.connections += 1
            await self._read(reader)
        finally:
            self._writer.close()

    def _request(self) -> bytes:
        last = self.numbers[-1] if self.numbers else 0
        lines = [f"GET /api/v1/runs/{self.run}/events?after={last} HTTP/1.1", "Host: 127.0.0.1"]
        lines.append(f"Authorization: {self.client.headers['Authorization']}")
        return "\r\n".join([*lines, "", ""]).encode()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while size := int(await reader.readline() or b"0", 16):
            rest += (await reader.readexactly(size + 2))[:-2]
            *blocks, rest = rest.split(b"\n\n")
            for block in blocks:
                self._take(block)

    def _take(self, block: bytes) -> None:
        now = time.time()
        if block.startswith(b"event: lines"):
            self.numbers += map(int, _NUMBER.findall(block))
            self.late_ms += [1000 * (now - float(stamp)) for stamp in _STAMP.findall(block)]
        elif block.startswith(b"event: end"):
            self.ended = True

"""The one stream of an open dashboard: the parts that look different now, and a beat.

    event: part   {"name": "verdict", "html": "…"}
    event: beat   {"age_s": 1.4}      how old the oldest answer is; null: never asked
    event: over   {}                  whoever watches may not any more (`people.admission`)

A part is drawn again when facts were stored, and at least every BEAT_S seconds, because silence is
news too: facts grow old. Ages are not compared: the page lets them tick by itself.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import translation
from django.views.decorators.http import require_safe

from clusterpanel.people.admission import Admission, admission, doorkeeper
from clusterpanel.sse import message, streamed
from nodes.announcing import SEEN
from nodes.models import Cluster
from nodes.views.parts import PARTS, context, drawn

BEAT_S = 5.0
LEAST_S = 0.25  # between two drawings: a burst of announcements is one piece of news
_AGE = re.compile(r'data-age="[^"]*"')

# Every stream reads the database through these few threads, so that many open pages hold few
# connections.
_readers = ThreadPoolExecutor(2, thread_name_prefix="dashboard")


@require_safe
async def events(request: HttpRequest, cluster_id: int) -> StreamingHttpResponse:
    if not await Cluster.objects.filter(pk=cluster_id).aexists():
        raise Http404(cluster_id)
    language = translation.get_language() or "en"
    return await streamed(_events(_Drawer(cluster_id, language), admission(request)))


async def _events(drawer: _Drawer, admitted: Admission) -> AsyncIterator[bytes]:
    with (
        SEEN.hub().subscribe(str(drawer.cluster_id)) as changes,
        doorkeeper().watches(admitted, changes.wake) as stay,
    ):
        while True:
            news = await drawer.news()
            if stay.over:
                yield message("over", {})
            if drawer.over or stay.over:
                return
            for piece in news:
                yield piece
            await asyncio.sleep(LEAST_S)
            await changes.wait(BEAT_S)


class _Drawer:
    """What one browser has of one dashboard."""

    def __init__(self, cluster_id: int, language: str) -> None:
        self.cluster_id, self.language = cluster_id, language
        self.over = False
        self._seen: dict[str, bytes] = {}

    async def news(self) -> list[bytes]:
        """In a reader thread. Nothing while the database is away: the page sees the silence."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(_readers, self._in_language)
        except DatabaseError:
            return []

    def _in_language(self) -> list[bytes]:
        try:
            with translation.override(self.language):
                return self._news()
        except DatabaseError:
            connection.close()
            raise

    def _news(self) -> list[bytes]:
        cluster = Cluster.objects.filter(pk=self.cluster_id).first()
        if cluster is None:
            self.over = True
            return []
        shown = context(cluster, time.time())
        beat = message("beat", {"age_s": shown["summary"].age_s})
        return [beat, *(piece for name in PARTS if (piece := self._changed(shown, name)))]

    def _changed(self, shown: dict[str, Any], name: str) -> bytes | None:
        html = drawn(shown, name)
        digest = blake2b(_AGE.sub("", html).encode(), digest_size=8).digest()
        if self._seen.get(name) == digest:
            return None
        self._seen[name] = digest
        return message("part", {"name": name, "html": html})

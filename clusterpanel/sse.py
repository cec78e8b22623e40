"""Server-sent events: what every stream of the panel has in common."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections
from django.http import StreamingHttpResponse


def message(kind: str, data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def streamed(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """An answer that no proxy holds back. The sign-in was read in a thread of this request's own;
    it is let go, or a hundred open pages would be a hundred threads with a connection each."""
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    response.headers["Content-Encoding"] = "identity"  # compressed pieces would be held back
    await sync_to_async(close_old_connections)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context and (thread := SyncToAsync.context_to_thread_executor.pop(context, None)):
        thread.shutdown(wait=False)
    return response

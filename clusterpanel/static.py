"""Scripts and sheets go over the wire compressed, also without a build step before the start."""

from __future__ import annotations

import gzip
import os
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

_WORTH = {".css", ".js", ".svg"}


class CompressedStatic(WhiteNoiseMiddleware):
    """WhiteNoise serves a compressed copy where it finds one; this makes them, once for each content,
    in the panel's home."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        encodings = {"gzip": compressed(Path(path))} if Path(path).suffix in _WORTH else None
        return StaticFile(path, headers.items(), stat_cache=None, encodings=encodings)


def compressed(path: Path) -> str:
    """The compressed copy. Two processes may make it at the same time: each renames its own."""
    content = path.read_bytes()
    name = blake2b(content, digest_size=16).hexdigest() + ".gz"
    copy = Path(settings.PANEL_HOME, "static", name)
    if not copy.exists():
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=copy.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(gzip.compress(content, 9, mtime=0))
        Path(made).replace(copy)
    return str(copy)

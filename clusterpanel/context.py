"""What the frame around every page needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template variables of `base.html`; the run dock and the header strip fill themselves by htmx."""
    return {}

"""Under which name wrong passwords are counted."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def guessed_name(name: str) -> str:
    """A directory takes IVANOV and ivanov for the same person, so they share their attempts."""
    return name.lower()


def counted_under(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """As django-axes asks (AXES_USERNAME_CALLABLE)."""
    typed = (credentials or {}).get("username") or request.POST.get("username") or ""
    return guessed_name(str(typed)[:255])

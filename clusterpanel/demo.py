"""Three lab servers for `make demo`, by way of lab/lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings

LAB = Path(settings.BASE_DIR) / "lab" / "lab"
ALONE = "The panel starts without servers."


def prepare(home: Path, say: Callable[[str], object]) -> str:
    """Build three servers, or use those of the last start; what a person needs to add them."""
    return ""

"""How far the audit had come, kept beside the database: whoever removes the newest entries, or writes
the whole chain anew, does not reach this file as well.

`PANEL_HOME/audit-anchor` names the newest entry that this machine has written. It moves on only
while the entry it names is still there; once it is not, the file stays as the evidence.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from clusterpanel.models import AuditEntry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Anchor:
    id: int
    digest: str

    @property
    def holds(self) -> bool:
        return AuditEntry.objects.filter(digest=self.digest).exists()


def path() -> Path:
    return Path(settings.PANEL_HOME, "audit-anchor")


def read() -> Anchor | None:
    """None before the first entry, or when somebody removed the file."""
    try:
        found = json.loads(path().read_text())
        return Anchor(int(found["id"]), str(found["digest"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return Anchor(0, f"{path()} is damaged")


def advance(entry: AuditEntry) -> None:
    """After the entry was committed. Of several processes the newest entry wins."""
    with _locked():
        known = read()
        if known and not known.holds:
            log.error("the audit has lost entry %s (%s): see verify_audit", known.id, known.digest)
        elif known is None or entry.pk > known.id:
            _write({"id": entry.pk, "digest": entry.digest})


def _write(content: dict[str, object]) -> None:
    draft = path().with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(json.dumps(content) + "\n")
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path())


@contextmanager
def _locked() -> Generator[None]:
    with path().with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

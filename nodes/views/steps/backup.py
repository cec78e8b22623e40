"""Step 5: what will be overwritten, and the backups that stand against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from nodes import history
from nodes.domain.text import Text, say
from nodes.history import KnownBackup
from nodes.models import Cluster
from nodes.views.steps.common import around


@dataclass(frozen=True)
class GateCard:
    """One thing to back up, and the newest backup of it."""

    kind: str
    procedure: str
    title: Text
    overwritten: Text
    manual: Text
    installed: bool  # what would overwrite it is done already
    backup: KnownBackup | None

    @property
    def state(self) -> str:
        if self.backup:
            return "ok" if self.backup.usable else "attention"
        return "skipped" if self.installed else "needs"


_KINDS = (
    (
        "database",
        "backup_database",
        say("Database"),
        say(
            "Installing Galera initialises the database of the primary as the first member; every"
            " other server replaces its own database with the primary's."
        ),
        say(
            "Important: before running the script on the master node, you need to back up the"
            " database."
        ),
    ),
    (
        "storage",
        "backup_storage",
        say("Storage directory"),
        say("Installing GlusterFS puts a replicated volume in the place of this directory."),
        say(
            "Important: before running the script on the master node, be sure to back up the"
            " /var/www/html/dpiui2/backend/storage/ directory."
        ),
    ),
)


def page(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    backups = history.of().backups_now(cluster)
    context = around(cluster, "backup")
    done = {stand.key for stand in context["stands"] if stand.done}
    context |= {
        "gates": [
            GateCard(*kind, kind[0] in _installed(done), _best(backups, kind[0])) for kind in _KINDS
        ],
        "primary": cluster.revision.cluster_primary_host,
    }
    return render(request, "nodes/steps/backup.html", context)


def _installed(done: set[str]) -> set[str]:
    return {kind for kind, step in (("database", "galera"), ("storage", "gluster")) if step in done}


def _best(backups: Sequence[KnownBackup], kind: str) -> KnownBackup | None:
    """The newest usable one; else the newest, so that the page can say why it does not count."""
    mine = [backup for backup in backups if backup.kind == kind]
    return next((backup for backup in mine if backup.usable), mine[0] if mine else None)

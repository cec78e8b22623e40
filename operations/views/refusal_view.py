"""A refusal as a page of its own: why, what to do, what was seen, and where to do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from nodes.domain.refusal import Refusal
from nodes.models import Cluster
from operations.domain.planners import PLANNERS
from operations.domain.recovery_choice import Doubt
from operations.models import Run

# Refusals that are good news, and the ones that only say that something is not known.
_DONE = frozenset(
    {
        "already_clustered",
        "already_installed",
        "already_running",
        "nothing_to_do",
        "volume_exists",
    }
)
# What is decided on the page of the recovery, with the evidence beside it.
_RECOVERY = frozenset({"position_moved"})
_UNKNOWN = frozenset({"node_unknown", "candidate_away"})
# Refusals that are put right where the primary is chosen.
_PRIMARY = frozenset({"candidate_away", "fence_open", "primary_counted"})

# Code of a refusal -> the step of the wizard that puts it right; else the checks say more.
_STEP_OF = {
    "already_clustered": "gluster",
    "already_installed": "verify",
    "backup_in_danger": "backup",
    "disk_full": "checks",
    "env_missing": "checks",
    "galera_single": "nodes",
    "gluster_too_small": "nodes",
    "host_key_changed": "access",
    "host_key_unknown": "access",
    "nothing_to_do": "backup",
    "not_root": "access",
    "order_primary_first": "galera",
    "primary_not_first": "nodes",
    "settings_not_applied": "settings",
    "volume_exists": "gluster",
}

# Of a cluster that is installed: what puts them right is an operation, not a step of the wizard.
_OPERATIONS = frozenset(
    {
        "already_running",
        "bootstrap_marker",
        "brick_down",
        "cluster_size",
        "galera_busy",
        "heal_backlog",
        "last_member",
        "member_missing",
        "mount_dead",
        "no_cluster",
        "not_running",
        "order_contradicts",
        "order_unknown",
        "order_unproven",
        "peer_lost",
        "somebody_runs",
        "storage_quorum",
    }
)


def shown(cluster: Cluster, refusal: Refusal) -> dict[str, Any]:
    link, label = _where(cluster, refusal)
    evidence = {
        key: value for key, value in refusal.evidence.items() if key not in ("cause", "instead")
    }
    return {
        "refusal": refusal,
        "tone": tone(refusal),
        "evidence": [(_name(key), lines(value)) for key, value in evidence.items()],
        "link": link,
        "label": label,
    }


def tone(refusal: Refusal) -> str:
    if refusal.code in _DONE:
        return "ok"
    return "unknown" if refusal.code in _UNKNOWN else "attention"


def _where(cluster: Cluster, refusal: Refusal) -> tuple[str, str]:
    """The page on which it is decided or put right, and the words of its link."""
    if isinstance(refusal, Doubt) or refusal.code in _RECOVERY:
        return reverse("recovery", args=[cluster.id]), gettext("Open the recovery page")
    run = str(refusal.evidence.get("run", ""))
    if run and Run.objects.filter(pk=run).exists():
        return reverse("run", args=[run]), gettext("Open the run")
    if refusal.code in _PRIMARY or refusal.field == "primary":
        return reverse("primary", args=[cluster.id]), gettext("Look at the servers")
    if refusal.code in _OPERATIONS:
        instead = str(refusal.evidence.get("instead", ""))
        if instead in PLANNERS:
            return reverse("recovery", args=[cluster.id]), gettext("Recover Galera instead")
        return reverse("operations", args=[cluster.id]), gettext("Go to the operations")
    return _step(cluster, refusal)


def _step(cluster: Cluster, refusal: Refusal) -> tuple[str, str]:
    """The step of the wizard that puts it right."""
    step = _STEP_OF.get(
        str(refusal.evidence.get("cause", "")), _STEP_OF.get(refusal.code, "checks")
    )
    labels = {
        "access": gettext("Go to the access of the nodes"),
        "backup": gettext("Go to the backups"),
        "checks": gettext("Look at the checks"),
        "galera": gettext("Go to Galera"),
        "gluster": gettext("Go on with GlusterFS"),
        "nodes": gettext("Go to the list of nodes"),
        "settings": gettext("Go to the settings"),
        "verify": gettext("Verify the cluster"),
    }
    return reverse("wizard", args=[cluster.id, step]), labels[step]


def lines(value: Any) -> list[str]:
    """Whatever a planner put into the evidence, as lines of text."""
    if isinstance(value, Mapping):
        return [
            f"{name}: {line}" if line else str(name)
            for name, each in value.items()
            for line in lines(each) or [""]
        ]
    if isinstance(value, list | tuple):
        return [line for each in value for line in lines(each)]
    return ["—" if value is None else str(value)]


def _name(key: str) -> str:
    names = {
        "node": gettext("Node"),
        "nodes": gettext("Nodes"),
        "fact": gettext("Fact"),
        "reason": gettext("Reason"),
        "path": gettext("Path"),
        "free": gettext("Free, bytes"),
        "needed": gettext("Needed, bytes"),
        "host": gettext("Node"),
        "members": gettext("In the cluster"),
        "alive": gettext("Alive"),
        "views": gettext("What each node sees"),
        "volume": gettext("Volume"),
        "down": gettext("Not online"),
        "mounted": gettext("Mounted on"),
        "asked": gettext("Asked for"),
        "primary": gettext("Primary"),
        "by": gettext("Started by"),
        "since": gettext("Since"),
        "run": gettext("Run"),
        "procedure": gettext("Procedure"),
    }
    return names.get(key, key.replace("_", " "))

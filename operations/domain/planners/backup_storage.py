"""Archive `backend/storage/` of the primary into one compressed file."""

from __future__ import annotations

from nodes.domain.observation import NodeFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.backup_scripts import ARCHIVE, FOLDER
from operations.domain.invariants import check_plan
from operations.domain.plan import RUN_TOKEN, Plan, Proof, Stage, Step
from operations.domain.planners.backup_database import disk_full
from operations.domain.planners.common import (
    free_bytes,
    gap,
    node_facts,
    not_root,
    step_key,
    unexpected_params,
)
from operations.domain.situation import Situation


def plan(situation: Situation) -> Plan | Refusal:
    node = node_facts(situation, situation.primary)
    if isinstance(node, Refusal):
        return node
    refusal = unexpected_params(situation) or not_root(node) or _room(node)
    return refusal or check_plan(_plan(situation), situation.hosts)


def _room(node: NodeFacts) -> Refusal | None:
    needed, free = node.extra.get("storage_bytes"), free_bytes(node, FOLDER)
    return disk_full(node.host, needed, free) if gap(needed, free) else None


def _plan(situation: Situation) -> Plan:
    host, path = situation.primary, f"{FOLDER}/storage-{RUN_TOKEN}.tar.gz"
    step = Step(
        key=step_key(situation, "archive", host),
        node=host,
        title=say(
            "Archive %(path)s of %(host)s and read it back", path=situation.storage, host=host
        ),
        argv=("sh", "-c", ARCHIVE, "clusterpanel", path, situation.storage),
        proof=Proof("archive_readable", (host, path)),
        timeout_s=4 * 3600,
        proof_timeout_s=3700,
        records="backup:storage",
    )
    why = say(
        "“Before running the script on the master node, be sure to back up the %(path)s directory.”",
        path=f"{situation.storage}/",
    )
    stage = Stage("backup", say("Back up the storage"), why, (step,))
    return Plan("backup_storage", say("Back up the storage"), situation.revision, (stage,))

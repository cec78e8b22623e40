"""Dump every database of the primary into one compressed file."""

from __future__ import annotations

from nodes.domain.observation import GaleraFacts, NodeFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.backup_scripts import DUMP, FOLDER
from operations.domain.invariants import check_plan
from operations.domain.plan import RUN_TOKEN, Plan, Proof, Stage, Step
from operations.domain.planners.common import (
    free_bytes,
    gap,
    node_facts,
    not_root,
    step_key,
    unexpected_params,
    unknown,
)
from operations.domain.situation import Situation


def plan(situation: Situation) -> Plan | Refusal:
    node = node_facts(situation, situation.primary)
    if isinstance(node, Refusal):
        return node
    refusal = unexpected_params(situation) or not_root(node) or _database(node) or _room(node)
    return refusal or check_plan(_plan(situation), situation.hosts)


def _database(node: NodeFacts) -> Refusal | None:
    """The server must run and serve data."""
    if node.mysqld_running is False:
        why = say("The database on %(host)s is stopped; there is nothing to dump.", host=node.host)
        fix = say("Start it with: systemctl start mariadb")
        return Refusal("database_stopped", why, fix, {"node": node.host})
    if refusal := unknown(node, "mysqld_running", "galera"):
        return refusal
    assert isinstance(node.galera, GaleraFacts)
    if node.galera.wsrep_on and node.galera.cluster_status != "Primary":
        why = say(
            "%(host)s is in a %(status)s component and refuses to read its data.",
            host=node.host,
            status=node.galera.cluster_status or "non-Primary",
        )
        fix = say("Bring the Galera cluster back first.")
        return Refusal("galera_non_primary", why, fix, {"node": node.host})
    return None


def _room(node: NodeFacts) -> Refusal | None:
    needed, free = node.extra.get("database_bytes"), free_bytes(node, FOLDER)
    return disk_full(node.host, needed, free) if gap(needed, free) else None


def disk_full(host: str, needed: int | None, free: int | None) -> Refusal:
    why = say(
        "%(host)s has %(free)s bytes free for %(folder)s, but the data takes %(needed)s bytes.",
        host=host,
        free=free,
        folder=FOLDER,
        needed=needed,
    )
    fix = say(
        "Free some space on %(host)s, or make the backup yourself elsewhere and show it.", host=host
    )
    return Refusal("disk_full", why, fix, {"node": host, "free": free, "needed": needed})


def _plan(situation: Situation) -> Plan:
    host, path = situation.primary, f"{FOLDER}/database-{RUN_TOKEN}.sql.gz"
    step = Step(
        key=step_key(situation, "dump", host),
        node=host,
        title=say("Dump all databases of %(host)s and read the dump back", host=host),
        argv=("sh", "-c", DUMP, "clusterpanel", path),
        proof=Proof("dump_readable", (host, path)),
        timeout_s=4 * 3600,
        proof_timeout_s=3700,
        records="backup:database",
    )
    why = say("“Before running the script on the master node, you need to back up the database.”")
    stage = Stage("backup", say("Back up the database"), why, (step,))
    return Plan("backup_database", say("Back up the database"), situation.revision, (stage,))

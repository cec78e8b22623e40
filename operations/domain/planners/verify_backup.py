"""Check a backup that the admin made himself, so that it counts as one."""

from __future__ import annotations

import posixpath

from nodes.domain.observation import NodeFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.backup_scripts import READ_ARCHIVE, READ_DUMP
from operations.domain.invariants import check_plan
from operations.domain.plan import Plan, Proof, Stage, Step
from operations.domain.planners.common import (
    node_facts,
    not_root,
    params_invalid,
    step_key,
    unexpected_params,
)
from operations.domain.situation import Situation

_READERS = {
    "database": (READ_DUMP, "dump_readable"),
    "storage": (READ_ARCHIVE, "archive_readable"),
}


def plan(situation: Situation) -> Plan | Refusal:
    """params: kind (database or storage), node, and the absolute path of the file."""
    if refusal := _params(situation):
        return refusal
    node = node_facts(situation, situation.params["node"])
    if isinstance(node, Refusal):
        return node
    return (
        not_root(node)
        or _in_danger(situation, node)
        or check_plan(_plan(situation), situation.hosts)
    )


def _params(situation: Situation) -> Refusal | None:
    params = situation.params
    if refusal := unexpected_params(situation, "kind", "node", "path"):
        return refusal
    if params.get("kind") not in tuple(_READERS):
        return params_invalid("kind", say("kind must be database or storage."))
    if params.get("node") not in situation.settings.hosts:
        return params_invalid("node", say("node must be one of the hosts of the cluster."))
    path = params.get("path")
    if not isinstance(path, str) or not path.startswith("/") or not path.isprintable():
        return params_invalid("path", say("path must be the full path of the file, from / on."))
    return None


def _in_danger(situation: Situation, node: NodeFacts) -> Refusal | None:
    """A backup inside of what will be replaced would go with it."""
    path = situation.params["path"]
    for folder in (situation.storage, node.extra.get("datadir") or "/var/lib/mysql"):
        if posixpath.normpath(path).startswith(folder + "/"):
            why = say(
                "%(path)s lies in %(folder)s, which will be replaced.", path=path, folder=folder
            )
            fix = say("Move the file to another directory and show it from there.")
            return Refusal("backup_in_danger", why, fix, {"path": path}, field="path")
    return None


def _plan(situation: Situation) -> Plan:
    kind, host, path = (situation.params[name] for name in ("kind", "node", "path"))
    reader, proof = _READERS[kind]
    step = Step(
        key=step_key(situation, "verify", host),
        node=host,
        title=say("Read %(path)s on %(host)s", path=path, host=host),
        argv=("sh", "-c", reader, "clusterpanel", path),
        proof=Proof(proof, (host, path)),
        timeout_s=4 * 3600,
        proof_timeout_s=3700,
        records=f"backup:{kind}",
    )
    why = say("A backup counts once it was read back whole: it unpacks, and nothing is cut off.")
    stage = Stage("verify", say("Check the backup"), why, (step,))
    return Plan("verify_backup", say("Check your own backup"), situation.revision, (stage,))

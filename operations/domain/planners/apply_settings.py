"""Write the three keys into the `.env` of every node that has other ones."""

from __future__ import annotations

from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from nodes.env_file_script import WRITE
from operations.domain.invariants import check_plan
from operations.domain.plan import Plan, Proof, Stage, Step
from operations.domain.planners.common import (
    all_facts,
    env_difference,
    not_root,
    step_key,
    unexpected_params,
    unknown,
)
from operations.domain.situation import Situation


def plan(situation: Situation) -> Plan | Refusal:
    """Nodes that already have the settings are left out, unless params say {"force": true}."""
    if refusal := unexpected_params(situation, "force"):
        return refusal
    nodes = all_facts(situation, situation.hosts)
    if isinstance(nodes, Refusal):
        return nodes
    for node in nodes:
        if refusal := not_root(node) or unknown(node, "env") or _missing(situation, node):
            return refusal
    chosen = [node for node in nodes if _differs(situation, node)]
    if not chosen:
        return _nothing_to_do()
    return check_plan(_plan(situation, chosen), situation.hosts)


def _missing(situation: Situation, node: NodeFacts) -> Refusal | None:
    assert not isinstance(node.env, Unknown)
    if node.env.present:
        return None
    path = situation.env_path
    why = say("%(path)s is missing on %(host)s.", path=path, host=node.host)
    fix = say("Install dpiui2 on %(host)s, or correct the application directory.", host=node.host)
    return Refusal("env_missing", why, fix, {"node": node.host, "path": path})


def _differs(situation: Situation, node: NodeFacts) -> bool:
    assert not isinstance(node.env, Unknown)
    forced = situation.params.get("force") in (True, "true", "1")  # as JSON, or in an address
    return forced or bool(env_difference(situation, node.env))


def _nothing_to_do() -> Refusal:
    why = say("Every node already has these settings.")
    return Refusal("nothing_to_do", why, say("Nothing has to be done."))


def _plan(situation: Situation, chosen: list[NodeFacts]) -> Plan:
    stage = Stage(
        "settings",
        say("Write the settings"),
        say("“Before running the script, you must enter settings.” Every node reads its own .env."),
        tuple(_step(situation, node.host) for node in chosen),
    )
    return Plan("apply_settings", say("Apply the settings"), situation.revision, (stage,))


def _step(situation: Situation, host: str) -> Step:
    path = situation.env_path
    lines = tuple(f"{key}={value}" for key, value in situation.settings.as_env().items())
    return Step(
        key=step_key(situation, "settings", host),
        node=host,
        title=say("Write the three settings into .env on %(host)s", host=host),
        argv=("sh", "-c", WRITE, "clusterpanel", path, *lines),
        proof=Proof("env_equals", (host, path, *lines)),
        timeout_s=60,
        proof_timeout_s=30,
        stdin="env_file",
    )

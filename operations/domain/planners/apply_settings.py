"""Write the three keys into the `.env` of every node that has other ones, and make them count."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.find_primary import takes_itself
from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.env_file_script import WRITE
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Plan, Proof, Stage, Step
from operations.domain.planners import apply_command
from operations.domain.planners.common import (
    all_facts,
    asked_hosts,
    env_difference,
    not_root,
    step_key,
    unexpected_params,
    unknown,
)
from operations.domain.situation import Situation

# The gate that lets silent nodes wait; its subject names them, with commas.
LATER = "later"
# Nobody answered there, or the connection broke. A changed host key is no silence (law 12).
_AWAY = frozenset({"ssh_unreachable", "ssh_lost"})


def plan(situation: Situation) -> Plan | Refusal:
    """Nodes that already have the settings are left out, unless params say {"force": true}.

    params {"nodes": […]}: these alone. A node that is away is left for later, behind a gate that
    says so; not when the primary changes, for it might be the old one (law 11).
    """
    if refusal := unexpected_params(situation, "force", "nodes"):
        return refusal
    asked = asked_hosts(situation, situation.hosts)
    if isinstance(asked, Refusal):
        return asked
    away = () if asked else _away(situation)
    hosts = [host for host in situation.hosts if host not in away and (not asked or host in asked)]
    nodes = all_facts(situation, hosts or situation.hosts)
    if isinstance(nodes, Refusal):
        return nodes
    return _refusal(situation, nodes, away) or _chosen(situation, nodes, away)


def _away(situation: Situation) -> tuple[str, ...]:
    silent = {
        node.host
        for node in situation.facts.nodes
        if isinstance(node.ssh, Unknown) and node.ssh.code in _AWAY
    }
    return tuple(host for host in situation.hosts if host in silent)


def _refusal(
    situation: Situation, nodes: Sequence[NodeFacts], away: Sequence[str]
) -> Refusal | None:
    for node in nodes:
        if refusal := not_root(node) or unknown(node, "env") or _missing(situation, node):
            return refusal
    moved = [node for node in nodes if PRIMARY_KEY in _different(situation, node)]
    return _primary_unseen(away, moved[0]) if away and moved else None


def _missing(situation: Situation, node: NodeFacts) -> Refusal | None:
    assert not isinstance(node.env, Unknown)
    if node.env.present:
        return None
    path = situation.env_path
    why = say("%(path)s is missing on %(host)s.", path=path, host=node.host)
    fix = say("Install dpiui2 on %(host)s, or correct the application directory.", host=node.host)
    return Refusal("env_missing", why, fix, {"node": node.host, "path": path})


def _different(situation: Situation, node: NodeFacts) -> dict[str, str | None]:
    assert not isinstance(node.env, Unknown)
    return env_difference(situation, node.env)


def _primary_unseen(away: Sequence[str], node: NodeFacts) -> Refusal:
    """Whoever is away may take itself for the primary, and would go on when it comes back."""
    why = say(
        "%(node)s gets another primary, and %(away)s does not answer: if it is the old primary,"
        " two servers would do the background work when it comes back.",
        node=node.host,
        away=", ".join(away),
    )
    fix = say("Wait until it answers, or change the primary with the procedure “change_primary”.")
    return Refusal("primary_unseen", why, fix, {"away": list(away), "node": node.host})


def _chosen(
    situation: Situation, nodes: Sequence[NodeFacts], away: tuple[str, ...]
) -> Plan | Refusal:
    forced = situation.params.get("force") in (True, "true", "1")  # as JSON, or in an address
    order = _old_primary_first(situation, nodes)
    nodes = sorted(nodes, key=lambda node: order.index(node.host))
    write = [node for node in nodes if forced or _different(situation, node)]
    apply = [node for node in nodes if node in write or apply_command.cache_is_older(node)]
    stages = [_stage(situation, write)] if write else []
    stages += apply_command.stages(situation, apply)
    if not stages:
        return _nothing_to_do(nodes, away)
    made = Plan(
        "apply_settings",
        say("Apply the settings"),
        situation.revision,
        tuple(stages),
        (_later(situation, away),) if away else (),
        tuple(apply_command.warnings(situation, write)),
    )
    return check_plan(made, order)


def _old_primary_first(situation: Situation, nodes: Sequence[NodeFacts]) -> tuple[str, ...]:
    """Law 11: while another server takes itself for the primary, the wanted one is written last."""
    old = [n.host for n in nodes if takes_itself(n) and n.host != situation.primary]
    if not old:
        return situation.hosts
    rest = [h for h in situation.hosts if h not in old and h != situation.primary]
    return (*old, *rest, situation.primary)


def _nothing_to_do(nodes: Sequence[NodeFacts], away: Sequence[str]) -> Refusal:
    old = [node.host for node in nodes if apply_command.cache_is_older(node)]
    if old:
        return apply_command.needed(old)
    if away:
        why = say(
            "Every node that answers already has these settings; %(away)s does not answer.",
            away=", ".join(away),
        )
        return Refusal("nothing_to_do", why, say("Apply the settings when it answers again."))
    why = say("Every node already has these settings.")
    return Refusal("nothing_to_do", why, say("Nothing has to be done."))


def _later(situation: Situation, away: Sequence[str]) -> Gate:
    """Says all that will be done there, so that whoever ticks it has seen it (law 2)."""
    told = " ".join(_lines(situation))
    if situation.apply_command:
        told = f"{told}; `{situation.apply_command}`"
    why = say(
        "%(away)s does not answer. As soon as it does, the panel writes the same lines there by"
        " itself, as a run in your name: %(told)s. It does not if the settings are others by then.",
        away=", ".join(away),
        told=told,
    )
    return Gate(LATER, "accept", ",".join(away), why)


def _stage(situation: Situation, nodes: Sequence[NodeFacts]) -> Stage:
    return Stage(
        "settings",
        say("Write the settings"),
        say("“Before running the script, you must enter settings.” Every node reads its own .env."),
        tuple(_step(situation, node.host) for node in nodes),
    )


def _lines(situation: Situation) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in situation.settings.as_env().items())


def _step(situation: Situation, host: str) -> Step:
    title: Text = say("Write the three settings into .env on %(host)s", host=host)
    path, lines = situation.env_path, _lines(situation)
    return Step(
        key=step_key(situation, "settings", host),
        node=host,
        title=title,
        argv=("sh", "-c", WRITE, "clusterpanel", path, *lines),
        proof=Proof("env_equals", (host, path, *lines)),
        timeout_s=60,
        proof_timeout_s=30,
        stdin="env_file",
    )

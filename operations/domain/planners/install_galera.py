"""Install and start Galera as the manual says: the primary first, then each peer, one at a time.

On the primary the vendor's script starts a new cluster, on the others it replaces the database by
the primary's. So a cluster that lives anywhere is adopted and never initialised again, and what is
done already is left out: planning again after a part succeeded gives the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.peers import GALERA_KEY
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.invariants import check_plan
from operations.domain.plan import Gate, Plan, Proof, Stage, Step
from operations.domain.planners.common import all_facts, not_ready, step_key, unexpected_params
from operations.domain.planners.galera_state import Standing, standing, to_install
from operations.domain.situation import Situation

SCRIPT = "galera_setup.sh"


def plan(situation: Situation) -> Plan | Refusal:
    """params: {"nodes": [...]} limits the plan to some nodes; the order stays the manual's."""
    peers = situation.order(situation.settings.galera_peer_hosts)
    if refusal := unexpected_params(situation, "nodes") or _too_few(peers):
        return refusal
    nodes = all_facts(situation, peers)
    if isinstance(nodes, Refusal):
        return nodes
    state = standing(situation, nodes)
    if isinstance(state, Refusal):
        return state
    chosen = to_install(situation, state, nodes)
    if isinstance(chosen, Refusal):
        return chosen
    if refusal := not_ready(situation, nodes, SCRIPT):
        return refusal
    return check_plan(_plan(situation, state, chosen), situation.hosts)


def _too_few(peers: Sequence[str]) -> Refusal | None:
    if len(peers) >= 2:
        return None
    why = say("A Galera cluster of one host replicates nothing.")
    fix = say("Add at least one more host; three are required for normal operation.")
    return Refusal("galera_single", why, fix, field=GALERA_KEY.lower())


def _plan(situation: Situation, state: Standing, chosen: Sequence[NodeFacts]) -> Plan:
    joiners = [node for node in chosen if node.host != situation.primary]
    stages = []
    if situation.primary not in state.members:
        stages.append(_primary_stage(situation))
    if joiners:
        stages.append(_join_stage(situation, state, joiners))
    return Plan(
        "install_galera",
        say("Install Galera"),
        situation.revision,
        tuple(stages),
        _gates(situation, state, joiners),
        _warnings(situation),
    )


def _primary_stage(situation: Situation) -> Stage:
    host = situation.primary
    title = say("Start the Galera cluster on the primary %(host)s", host=host)
    return Stage(
        "primary",
        say("The primary"),
        say("“The script must be run first on the master node.”"),
        (_step(situation, host, 1, title),),
    )


def _join_stage(situation: Situation, state: Standing, joiners: Sequence[NodeFacts]) -> Stage:
    first = max(len(state.members), 1) + 1
    steps = tuple(
        _step(situation, node.host, first + i, say("%(host)s joins the cluster", host=node.host))
        for i, node in enumerate(joiners)
    )
    why = say(
        "“You must wait for the script to finish executing on one node before running it on the"
        " next one.”"
    )
    return Stage("join", say("The other nodes, one after the other"), why, steps)


def _step(situation: Situation, host: str, size: int, title: Text) -> Step:
    return Step(
        key=step_key(situation, "galera", host),
        node=host,
        title=title,
        argv=("sh", situation.script(SCRIPT), "-a", "init_cluster"),
        proof=Proof("galera_member", (host, str(size), situation.primary)),
        timeout_s=2 * 3600,
        proof_timeout_s=1800,
        overwrites=True,
    )


def _gates(situation: Situation, state: Standing, joiners: Sequence[NodeFacts]) -> tuple[Gate, ...]:
    why = say(
        "“Before running the script on the master node, you need to back up the database.” The"
        " databases of %(host)s are what the whole cluster will have.",
        host=situation.primary,
    )
    backup = Gate("backup-database", "backup", "database", why)
    return (backup, _losses(situation, joiners)) if joiners else (backup,)


def _losses(situation: Situation, joiners: Sequence[NodeFacts]) -> Gate:
    """Names what each joiner loses, in a stable order: the hash of the plan covers it."""
    lost = "; ".join(f"{node.host}: {_names(node)}" for node in joiners)
    why = say(
        "These databases are replaced by those of %(primary)s and are lost: %(lost)s.",
        primary=situation.primary,
        lost=lost,
    )
    return Gate("databases-replaced", "accept", "database", why)


def _names(node: NodeFacts) -> str:
    assert not isinstance(node.databases, Unknown)
    return ", ".join(sorted(node.databases)) or "—"


def _warnings(situation: Situation) -> tuple[Text, ...]:
    if len(situation.settings.galera_peer_hosts) != 2:
        return ()
    return (
        say(
            "Only two Galera hosts: the crash of either one stops the database on both, and “there"
            " will be problems with restarting the nodes”."
        ),
    )

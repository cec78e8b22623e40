"""Create the database account that the panel reads the Galera status with."""

from __future__ import annotations

from nodes.domain.observation import GaleraFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.invariants import check_plan
from operations.domain.plan import Plan, Proof, Stage, Step
from operations.domain.planners.common import (
    all_facts,
    not_root,
    step_key,
    unexpected_params,
    unknown,
)
from operations.domain.situation import Situation

ACCOUNT = "clusterpanel"

# The statements come by standard input: they carry a password hash.
_APPLY = """
client=$(command -v mariadb || command -v mysql) || { echo "no mariadb client" >&2; exit 127; }
"$client" --connect-timeout=10 --batch && echo "the account clusterpanel can read the status"
"""


def plan(situation: Situation) -> Plan | Refusal:
    """Galera replicates the account, so every Galera node must be Synced now."""
    nodes = all_facts(situation, situation.order(situation.settings.galera_peer_hosts))
    if isinstance(nodes, Refusal):
        return nodes
    if refusal := unexpected_params(situation) or not_root(nodes[0]):
        return refusal
    for node in nodes:
        if refusal := unknown(node, "galera"):
            return refusal
        assert isinstance(node.galera, GaleraFacts)
        if not node.galera.synced:
            why = say("%(host)s is not Synced; the account would not reach it.", host=node.host)
            fix = say("Install Galera, or bring the cluster back first.")
            return Refusal("galera_not_synced", why, fix, {"node": node.host})
    return check_plan(_plan(situation), situation.hosts)


def _plan(situation: Situation) -> Plan:
    host = situation.primary
    step = Step(
        key=step_key(situation, "account", host),
        node=host,
        title=say("Create the account %(account)s with no rights but to connect", account=ACCOUNT),
        argv=("sh", "-c", _APPLY, "clusterpanel"),
        proof=Proof("monitor_account", situation.settings.galera_peer_hosts),
        timeout_s=60,
        proof_timeout_s=60,
        stdin="monitor_sql",
    )
    why = say(
        "The panel reads SHOW GLOBAL STATUS through its SSH connection with an account of its own;"
        " that needs no rights to any data."
    )
    stage = Stage("account", say("Create the account"), why, (step,))
    title = say("Create the monitoring account")
    return Plan("create_monitor_account", title, situation.revision, (stage,))

"""Refusals that say what is not known, or what a request has wrong: used by every rule."""

from __future__ import annotations

from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say

_FACTS = {
    "ssh": "SSH",
    "is_root": "the user",
    "units": "the services",
    "mysqld_running": "the database process",
    "databases": "the databases",
    "galera": "the Galera state",
    "env": "the settings in .env",
    "scripts": "the set-up scripts",
    "gluster_peers": "the GlusterFS peers",
    "gluster_volumes": "the GlusterFS volumes",
    "mount": "the storage mount",
    "bootstrap_marker": "a bootstrap marker",
    "grastate": "grastate.dat",
}


def unknown(node: NodeFacts, *facts: str) -> Refusal | None:
    """No plan depends on something nobody knows (law 9): names the node and the fact."""
    for fact in facts:
        value = getattr(node, fact)
        if isinstance(value, Unknown):
            return node_unknown(node.host, fact, value)
    return None


def node_unknown(host: str, fact: str, value: Unknown) -> Refusal:
    why = say(
        "%(host)s: %(fact)s could not be read: %(reason)s",
        host=host,
        fact=_FACTS[fact],
        reason=value.why,
    )
    fix = value.fix or say("Make %(host)s answer, look at the checks, and plan again.", host=host)
    evidence = {"node": host, "fact": fact, "reason": str(value.why), "cause": value.code}
    return Refusal("node_unknown", why, fix, evidence)


def params_invalid(field: str, why: Text) -> Refusal:
    return Refusal("params_invalid", why, say("Correct the request."), field=field)

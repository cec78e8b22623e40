"""What several planners ask of the facts. Each function answers with a refusal, or None."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nodes.domain.observation import EnvFacts, NodeFacts, Unknown
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.known import node_unknown
from operations.domain.known import params_invalid as params_invalid
from operations.domain.known import unknown as unknown
from operations.domain.situation import Situation


def step_key(situation: Situation, stage: str, host: str) -> str:
    """Unique in a plan, the same at every planning, and safe in a file name.

    The node's place in the lists names it; the job's directory on the node adds its address.
    """
    return f"{stage}-{situation.settings.hosts.index(host) + 1}"


def node_facts(situation: Situation, host: str) -> NodeFacts | Refusal:
    """The newest sweep of one node that answered; refuses a silent or unseen one."""
    node = next((node for node in situation.facts.nodes if node.host == host), None)
    if node is None:
        return node_unknown(host, "ssh", Unknown(say("It was not observed yet.")))
    return unknown(node, "ssh") or node


def all_facts(situation: Situation, hosts: Iterable[str]) -> list[NodeFacts] | Refusal:
    found = []
    for host in hosts:
        node = node_facts(situation, host)
        if isinstance(node, Refusal):
            return node
        found.append(node)
    return found


def not_ready(situation: Situation, nodes: Sequence[NodeFacts], script: str) -> Refusal | None:
    """Root, the vendor's script, and the settings in every `.env`, in this order."""
    for node in nodes:
        refusal = not_root(node) or (script and script_missing(situation, node, script))
        if refusal:
            return refusal
    return settings_not_applied(situation, nodes)


def not_root(node: NodeFacts) -> Refusal | None:
    if refusal := unknown(node, "is_root"):
        return refusal
    if node.is_root is True:
        return None
    why = say(
        "The panel is not root on %(host)s, and “the script must be run as root”.", host=node.host
    )
    fix = say("Give the panel root's SSH access to %(host)s.", host=node.host)
    return Refusal("not_root", why, fix, {"node": node.host})


def script_missing(situation: Situation, node: NodeFacts, name: str) -> Refusal | None:
    if refusal := unknown(node, "scripts"):
        return refusal
    assert not isinstance(node.scripts, Unknown)
    if node.scripts.get(name):
        return None
    path = situation.script(name)
    why = say("%(path)s is missing or cannot be read on %(host)s.", path=path, host=node.host)
    fix = say(
        "Install dpiui2 2.25.9 or newer on %(host)s, or correct the application directory.",
        host=node.host,
    )
    return Refusal("script_missing", why, fix, {"node": node.host, "path": path})


def settings_not_applied(situation: Situation, nodes: Iterable[NodeFacts]) -> Refusal | None:
    """The manual: “before running the script, you must enter settings”."""
    differing: dict[str, dict[str, str | None]] = {}
    for node in nodes:
        if refusal := unknown(node, "env"):
            return refusal
        assert not isinstance(node.env, Unknown)
        if lines := env_difference(situation, node.env):
            differing[node.host] = lines
    if not differing:
        return None
    why = say(
        "The settings in .env differ from the panel's on %(hosts)s.", hosts=", ".join(differing)
    )
    fix = say("Apply the settings first.")
    return Refusal("settings_not_applied", why, fix, {"nodes": differing})


def env_difference(situation: Situation, env: EnvFacts) -> dict[str, str | None]:
    """The keys whose value on the node is not the wanted one, with what the node has."""
    wanted = situation.settings.as_env()
    found = env.keys if env.present else {}
    return {key: found.get(key) for key, value in wanted.items() if found.get(key) != value}


def asked_hosts(situation: Situation, allowed: Sequence[str]) -> tuple[str, ...] | Refusal | None:
    """`params["nodes"]` in the order in which it was asked; None when nobody asked."""
    asked = listed(situation, "nodes")
    if asked is None:
        return None
    if not asked:
        return params_invalid("nodes", say("nodes must be a list of hosts of the cluster."))
    strangers = [host for host in asked if host not in allowed]
    if strangers or len(set(asked)) != len(asked):
        named = ", ".join(strangers) or ", ".join(asked)
        why = say(
            "nodes names a host twice, or one that is not in the list: %(named)s.", named=named
        )
        return params_invalid("nodes", why)
    return asked


def listed(situation: Situation, name: str) -> tuple[str, ...] | None:
    """A parameter that is a list of words, or one text with commas; () when it is neither."""
    value = situation.params.get(name)
    if value is None:
        return None
    words = value.split(",") if isinstance(value, str) else value
    fits = isinstance(words, list | tuple) and all(isinstance(word, str) for word in words)
    return tuple(words) if fits else ()


def unexpected_params(situation: Situation, *known: str) -> Refusal | None:
    """A misspelt parameter must not be silently ignored."""
    for name in sorted(situation.params):
        if name not in known:
            return params_invalid(
                name, say("This procedure has no parameter “%(name)s”.", name=name)
            )
    return None


def gap(needed: int | None, free: int | None) -> bool:
    """Whether both numbers are known and the room is too small."""
    return needed is not None and free is not None and free < needed


def free_bytes(node: NodeFacts, path: str) -> int | None:
    """Free bytes of the file system that holds `path`, or None when it was not read."""
    if isinstance(node.disk_free, Unknown):
        return None
    above = [known for known in node.disk_free if path == known or path.startswith(_slash(known))]
    return node.disk_free[max(above, key=len)] if above else None


def _slash(path: str) -> str:
    return path if path.endswith("/") else path + "/"

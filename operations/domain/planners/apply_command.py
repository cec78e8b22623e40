"""The steps that make dpiui2 read its new `.env`, and what to say where there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nodes.domain.apply_command import CACHED, EXAMPLE
from nodes.domain.observation import NodeFacts
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from operations.domain.plan import Proof, Stage, Step
from operations.domain.planners.common import step_key
from operations.domain.situation import Situation

# The command is one argument and the directory another: nothing is pasted into a command line.
RUN = 'cd -- "$1" && exec sh -c "$2"'


def cache_is_older(node: NodeFacts) -> bool:
    """dpiui2 on this node goes by what its `.env` said before the last change."""
    return "config_older" in node.extra.get("traces", ())


def _cached(node: NodeFacts) -> bool:
    return "config_cached" in node.extra.get("traces", ())


def stages(situation: Situation, nodes: Sequence[NodeFacts]) -> list[Stage]:
    """One stage, or none when there is no command or no node for it."""
    if not situation.apply_command or not nodes:
        return []
    why = say(
        "dpiui2 keeps what it once read from .env. Until this was run, the new lines may wait."
    )
    lines = tuple(f"{key}={value}" for key, value in situation.settings.as_env().items())
    steps = tuple(step(situation, node.host, lines) for node in nodes)
    return [Stage("apply", say("Make dpiui2 read them"), why, steps)]


def step(situation: Situation, host: str, lines: Sequence[str]) -> Step:
    """`lines`: KEY=VALUE as they must stand in `.env` then."""
    backend = f"{situation.app_dir}/backend"
    return Step(
        key=step_key(situation, "apply", host),
        node=host,
        title=say("Run the apply command on %(host)s", host=host),
        argv=("sh", "-c", RUN, "clusterpanel", backend, situation.apply_command),
        proof=Proof("settings_in_effect", (host, backend, *lines)),
        timeout_s=300,
        proof_timeout_s=30,
    )


def warnings(situation: Situation, written: Sequence[NodeFacts]) -> Iterator[Text]:
    """A cached configuration would make the edit have no effect."""
    hosts = [node.host for node in written if _cached(node)]
    if hosts and not situation.apply_command:
        yield say(
            "dpiui2 on %(hosts)s has a cached configuration (%(file)s) and does not read .env until"
            " that is made anew: the new lines will have no effect. Store an apply command in the"
            " settings of the panel first, for example `%(example)s`.",
            hosts=", ".join(hosts),
            file=CACHED,
            example=EXAMPLE,
        )


def needed(hosts: Sequence[str]) -> Refusal:
    why = say(
        "Every node already has these settings, but dpiui2 on %(hosts)s still goes by a cached"
        " configuration that is older than its .env (%(file)s).",
        hosts=", ".join(hosts),
        file=CACHED,
    )
    fix = say(
        "Store an apply command in the settings of the panel, for example `%(example)s`, and apply"
        " the settings again; or run it there by hand.",
        example=EXAMPLE,
    )
    return Refusal("apply_command_missing", why, fix, {"nodes": list(hosts)})

"""The three keys are read again from the node's `.env`, and nothing older stands before them."""

from __future__ import annotations

from nodes.domain.apply_command import CACHED
from nodes.domain.peers import KEYS
from nodes.domain.text import Text, say
from nodes.env_file import EnvFileError, read_keys
from operations.domain.proofs.base import (
    Args,
    Holds,
    Never,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
    first_line,
    heard,
)

# Only lines with our keys leave the node: the rest of the file holds passwords.
READ = (
    r"""
[ -f "$1" ] || { echo "$1 is missing" >&2; exit 3; }
[ ! -e "${2-}" ] || [ ! "$2" -ot "$1" ] || exit 4
grep -a -E '^[[:space:]]*(export[[:space:]]+)?("""
    + "|".join(KEYS)
    + r""")[[:space:]]*=' -- "$1"
[ $? -le 1 ]
"""
)


def _sentence(args: Args) -> Text:
    return say(
        "%(path)s on %(node)s reads %(lines)s", path=args[1], node=args[0], lines=" ".join(args[2:])
    )


def _probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], READ, (args[1],)),)


def _judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node, the path, and one KEY=VALUE for each key."""
    node, path, *wanted = args
    answer = heard(outputs, node)
    if isinstance(answer, NotYet):
        return answer
    if answer.exit_code == 3:
        return Never(say("%(path)s is missing on %(node)s.", path=path, node=node))
    if answer.exit_code != 0:
        return NotYet(say("%(node)s: %(why)s.", node=node, why=first_line(answer)))
    try:
        found = read_keys(answer.stdout)
    except EnvFileError as error:
        return Never(error.why)
    return _compare(node, path, dict(line.split("=", 1) for line in wanted), found)


def _compare(node: str, path: str, wanted: dict[str, str], found: dict[str, str | None]) -> Verdict:
    for key, value in wanted.items():
        if found[key] != value:
            seen = "—" if found[key] is None else found[key]
            return NotYet(
                say(
                    "%(node)s: %(key)s reads %(seen)s, expected %(value)s.",
                    node=node,
                    key=key,
                    seen=seen,
                    value=value,
                )
            )
    return Holds(
        {"node": node, "path": path, "keys": wanted},
        say("%(path)s on %(node)s has the wanted settings.", path=path, node=node),
    )


ENV_EQUALS = ProofKind(_sentence, _probes, _judge)


def _effect_sentence(args: Args) -> Text:
    return say(
        "%(path)s on %(node)s still reads %(lines)s, and no older cached configuration is left",
        path=f"{args[1]}/.env",
        node=args[0],
        lines=" ".join(args[2:]),
    )


def _effect_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], READ, (f"{args[1]}/.env", f"{args[1]}/{CACHED}")),)


def _effect_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node, the directory of the backend, and one KEY=VALUE for each key."""
    node, backend, *wanted = args
    answer = heard(outputs, node)
    if not isinstance(answer, NotYet) and answer.exit_code == 4:
        return NotYet(
            say(
                "%(file)s on %(node)s is older than its .env: dpiui2 does not read the new lines.",
                file=f"{backend}/{CACHED}",
                node=node,
            )
        )
    return _judge((node, f"{backend}/.env", *wanted), outputs)


SETTINGS_IN_EFFECT = ProofKind(_effect_sentence, _effect_probes, _effect_judge)

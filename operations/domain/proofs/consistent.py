"""The end of a recovery: every server that answers has the panel's settings, one primary works.

Read from the servers and never mended here: what differs is for a person to write.
"""

from __future__ import annotations

from nodes.domain.apply_command import CACHED
from nodes.domain.peers import KEYS, PRIMARY_KEY
from nodes.domain.text import Text, say
from nodes.env_file import EnvFileError, read_keys
from operations.domain.proofs.base import (
    Answer,
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
    pairs,
)
from operations.domain.proofs.primary import FENCED
from operations.domain.proofs.settings import READ

# $1: .env, $2: what may be cached of it, $3: a command that exits with 0 while the workers run, or "".
_LOOK = (
    "look() {"
    + READ
    + r"""}
look "$1" "$2" || exit $?
[ -n "$3" ] || exit 0
timeout -k 1 20 sh -c "$3" > /dev/null 2>&1
echo "workers=$?"
"""
)


def _sentence(args: Args) -> Text:
    wanted, hosts = _lists(args)
    asked = [host for host in hosts if not host.endswith(FENCED)]
    plain = {"hosts": ", ".join(asked), "primary": wanted[PRIMARY_KEY]}
    if args[1]:
        return say(
            "the .env of %(hosts)s has the panel's settings, and the background workers of the"
            " primary %(primary)s run",
            **plain,
        )
    return say(
        "the .env of %(hosts)s has the panel's settings, so %(primary)s alone is the primary",
        **plain,
    )


def _lists(args: Args) -> tuple[dict[str, str], list[str]]:
    """Arguments: the backend's directory, the check of the workers or "", one KEY=VALUE for each key,
    then every host; those that were silent when it was planned are marked and may stay so."""
    lines, hosts = args[2 : 2 + len(KEYS)], args[2 + len(KEYS) :]
    return dict(line.split("=", 1) for line in lines), list(hosts)


def _probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    wanted, all_hosts = _lists(args)
    env, cached = f"{args[0]}/.env", f"{args[0]}/{CACHED}"
    found = []
    for marked in all_hosts:
        host = marked.removesuffix(FENCED)
        check = args[1] if host == wanted[PRIMARY_KEY] else ""
        found.append(Probe(host, _LOOK, (env, cached, check)))
    return tuple(found)


def _judge(args: Args, outputs: Outputs) -> Verdict:
    wanted, hosts = _lists(args)
    agreed: list[str] = []
    for marked in hosts:
        host = marked.removesuffix(FENCED)
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            if marked.endswith(FENCED):
                continue
            return answer
        if doubt := _doubt(args, host, wanted, answer):
            return doubt
        agreed.append(host)
    return _agreed(wanted[PRIMARY_KEY], agreed)


def _agreed(primary: str, agreed: list[str]) -> Verdict:
    if not agreed:
        return NotYet(say("No server answers."))
    evidence = {"primary": primary, "agreed": agreed}
    plain = {"hosts": ", ".join(agreed), "primary": primary}
    if primary in agreed:
        told = say(
            "%(hosts)s have the panel's settings; %(primary)s alone is the primary.", **plain
        )
        return Holds(evidence, told)
    return Holds(
        evidence,
        say(
            "%(hosts)s have the panel's settings, but the primary %(primary)s does not answer: until"
            " it is back, or another server is made the primary, nobody does the background work.",
            **plain,
        ),
    )


def _doubt(args: Args, host: str, wanted: dict[str, str], answer: Answer) -> NotYet | Never | None:
    """None: this server agrees. A file that reads otherwise does not change by being waited for."""
    path = f"{args[0]}/.env"
    if answer.exit_code == 3:
        return Never(say("%(path)s is missing on %(node)s.", path=path, node=host))
    if answer.exit_code == 4:
        return Never(_cached(args[0], host))
    if answer.exit_code != 0:
        return NotYet(say("%(node)s: %(why)s.", node=host, why=first_line(answer)))
    try:
        found = read_keys(answer.stdout)
    except EnvFileError as error:
        return Never(say("%(path)s on %(node)s: %(why)s", path=path, node=host, why=error.why))
    for key, value in wanted.items():
        if found[key] != value:
            return Never(_differs(host, key, found[key], value))
    if host == wanted[PRIMARY_KEY] and pairs(answer).get("workers", "0") != "0":
        return NotYet(say("The background workers of %(node)s do not run yet.", node=host))
    return None


def _differs(host: str, key: str, found: str | None, value: str) -> Text:
    return say(
        "The cluster runs, but its servers do not all have the panel's settings: on %(node)s"
        " %(key)s reads %(found)s, and the panel has %(value)s.",
        node=host,
        key=key,
        found=found or "—",
        value=value,
    )


def _cached(backend: str, host: str) -> Text:
    return say(
        "The cluster runs, but dpiui2 on %(node)s does not read its settings: %(file)s is older than"
        " its .env.",
        node=host,
        file=f"{backend}/{CACHED}",
    )


PRIMARY_CONSISTENT = ProofKind(_sentence, _probes, _judge)

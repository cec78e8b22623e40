"""Who does dpiui2's background work: an able server, and every server of one mind about it."""

from __future__ import annotations

from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.text import Text, say
from nodes.env_file import EnvFileError, read_keys
from operations.domain.proofs import galera, mount
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
from operations.domain.proofs.settings import READ

FENCED = "?"  # behind a host: it may be silent, for a pending fence stands for it

# The status as `name=value`, then the same timed write that proves a mount.
ABLE = galera.CLIENT + galera.ASK_STATUS.rstrip() + " | tr '\\t' '='\n" + mount.TOUCH


def _able_sentence(args: Args) -> Text:
    return say(
        "%(node)s is Synced in a Primary component, and %(path)s there is a GlusterFS mount that"
        " takes a file",
        node=args[0],
        path=args[1],
    )


def _able_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], ABLE, (args[1], "write", "last")),)


def _able_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node and the replicated directory."""
    node, path = args
    answer = heard(outputs, node)
    if isinstance(answer, NotYet):
        return answer
    if wrong := galera.not_synced(node, pairs(answer)) or mount.fault(node, path, answer):
        return NotYet(wrong)
    taken = mount.compare(path, node, [], [pairs(answer).get("content", "")])
    if isinstance(taken, NotYet):
        return taken
    told = say("%(node)s is Synced, and its storage takes files.", node=node)
    return Holds({"node": node, "path": path}, told)


def _agreed_sentence(args: Args) -> Text:
    asked = [host for host in args[2:] if not host.endswith(FENCED)]
    return say(
        "%(key)s in the .env of %(hosts)s names %(primary)s, and no server that answers names"
        " another one",
        key=PRIMARY_KEY,
        hosts=", ".join(asked),
        primary=args[1],
    )


def _agreed_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return tuple(Probe(host.removesuffix(FENCED), READ, (args[0],)) for host in args[2:])


def _agreed_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the path, the primary, then every host; FENCED ones need not answer."""
    path, primary, *hosts = args
    agreed = []
    for marked in hosts:
        host, fenced = marked.removesuffix(FENCED), marked.endswith(FENCED)
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            if fenced:
                continue
            return answer
        if doubt := _doubt(host, path, primary, answer, fenced):
            return doubt
        agreed.append(host)
    if not agreed:
        return NotYet(say("No server answers."))
    told = say(
        "%(hosts)s: every server that answers names %(primary)s the primary.",
        hosts=", ".join(agreed),
        primary=primary,
    )
    return Holds({"primary": primary, "agreed": agreed}, told)


def _doubt(
    host: str, path: str, primary: str, answer: Answer, fenced: bool
) -> NotYet | Never | None:
    """None: this server names the primary."""
    if answer.exit_code != 0:
        return NotYet(say("%(node)s: %(why)s.", node=host, why=first_line(answer)))
    try:
        found = read_keys(answer.stdout, (PRIMARY_KEY,))[PRIMARY_KEY]
    except EnvFileError as error:
        return Never(say("%(path)s on %(node)s: %(why)s", path=path, node=host, why=error.why))
    if found == primary:
        return None
    plain = {"node": host, "found": found or "—", "primary": primary}
    if fenced:
        return NotYet(
            say(
                "%(node)s answers again and still names %(found)s the primary; its pending fence"
                " writes %(primary)s there in a moment.",
                **plain,
            )
        )
    return NotYet(say("%(node)s names %(found)s the primary, not %(primary)s.", **plain))


# The command of the person who set it up; 126 and 127 are the shell's own: it could not be run.
_CHECK = 'timeout -k 1 20 sh -c "$1" >/dev/null; code=$?; echo "code=$code"; [ "$code" -lt 126 ]'


def _workers_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _CHECK, (args[1],)),)


def _stopped_sentence(args: Args) -> Text:
    return say("“%(check)s” says on %(node)s that no worker runs", check=args[1], node=args[0])


def _running_sentence(args: Args) -> Text:
    return say("“%(check)s” says on %(node)s that the workers run", check=args[1], node=args[0])


def _running(args: Args, outputs: Outputs) -> bool | NotYet:
    """Arguments of both: the node, and a command that exits with 0 while the workers run."""
    answer = heard(outputs, args[0])
    if isinstance(answer, NotYet):
        return answer
    if answer.exit_code != 0:
        why = first_line(answer)
        return NotYet(say("%(node)s: the check of the workers: %(why)s.", node=args[0], why=why))
    return pairs(answer).get("code") == "0"


def _stopped_judge(args: Args, outputs: Outputs) -> Verdict:
    running = _running(args, outputs)
    if isinstance(running, NotYet):
        return running
    if running:
        return NotYet(say("The background workers of %(node)s still run.", node=args[0]))
    return Holds({"node": args[0]}, say("No background worker runs on %(node)s.", node=args[0]))


def _running_judge(args: Args, outputs: Outputs) -> Verdict:
    running = _running(args, outputs)
    if isinstance(running, NotYet):
        return running
    if not running:
        return NotYet(say("The background workers of %(node)s do not run yet.", node=args[0]))
    return Holds({"node": args[0]}, say("The background workers of %(node)s run.", node=args[0]))


PRIMARY_ABLE = ProofKind(_able_sentence, _able_probes, _able_judge, probe_timeout_s=40)
PRIMARY_AGREED = ProofKind(_agreed_sentence, _agreed_probes, _agreed_judge)
WORKERS_STOPPED = ProofKind(_stopped_sentence, _workers_probes, _stopped_judge)
WORKERS_RUNNING = ProofKind(_running_sentence, _workers_probes, _running_judge)

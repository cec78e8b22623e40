"""What the steps of a recovery must have brought about, read from the nodes."""

from __future__ import annotations

from nodes.domain.observation import Unknown
from nodes.domain.text import Text, say
from nodes.domain.traces import DATADIR, KEPT, MARK_OF_DATA
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
from operations.domain.proofs.look import DATABASE, LOOK, Look

# $1: the data directory or "".
_KEPT = (
    "export LC_ALL=C\ndatadir=$1\n"
    + DATADIR
    + MARK_OF_DATA
    + rf"""
cat {KEPT} 2>/dev/null
echo "now=$(mark)"
echo "processes=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -c -x -E 'mariadbd|mysqld')"
"""
)
# $1: the data directory or "", $2: the copy.
_COPIED = (
    "export LC_ALL=C\ndatadir=$1\n"
    + DATADIR
    + r"""
count() { find "$1" -type f 2>/dev/null | wc -l; }
size() { find "$1" -type f -exec cat {} + 2>/dev/null | wc -c; }
echo "files=$(count "$datadir") $(count "$2")"
echo "bytes=$(size "$datadir") $(size "$2")"
"""
)
_COPY_S = 3600  # two reads of 100 GB at 60 MB/s


def _kept_sentence(args: Args) -> Text:
    return say(
        "the position of %(node)s is kept there, and nothing was started since it was read",
        node=args[0],
    )


def _kept_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _KEPT, ("",)),)


def _kept_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node."""
    answer = heard(outputs, args[0])
    if isinstance(answer, NotYet):
        return answer
    told = pairs(answer)
    if answer.exit_code != 0 or "found" not in told:
        return NotYet(say("%(node)s keeps no position yet.", node=args[0]))
    if told.get("processes") != "0" or told.get("mark") != told.get("now"):
        return NotYet(
            say("%(node)s: something was started since the position was read.", node=args[0])
        )
    evidence = {"node": args[0], **{key: told.get(key, "") for key in _SHOWN}}
    return Holds(evidence, _position(args[0], told))


_SHOWN = ("found", "position", "at", "said", "copies")


def _position(node: str, told: dict[str, str]) -> Text:
    match told["found"]:
        case "read":
            return say("%(node)s is at %(at)s.", node=node, at=told.get("position", ""))
        case "nothing":
            return say("%(node)s holds no data of a cluster.", node=node)
        case "prepared":
            return say("%(node)s has prepared transactions and names no position.", node=node)
    return say("%(node)s could not say how far it is: %(why)s", node=node, why=told.get("said", ""))


def _looked(outputs: Outputs, host: str) -> Look | NotYet:
    answer = heard(outputs, host)
    if isinstance(answer, NotYet):
        return answer
    if answer.exit_code != 0:
        return NotYet(say("%(node)s: %(why)s.", node=host, why=first_line(answer)))
    return Look.of(answer)


def _look_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], LOOK, (DATABASE, "")),)


def _began_sentence(args: Args) -> Text:
    return say(
        "%(node)s is Primary and Synced by its own SQL, with UUID %(uuid)s and at least position"
        " %(seqno)s",
        node=args[0],
        uuid=args[1],
        seqno=args[2],
    )


def _began_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node, the UUID, the least position. An exit code is not asked (law 8)."""
    host, uuid, seqno = args
    look = _looked(outputs, host)
    if isinstance(look, NotYet):
        return look
    if look.word("unit") == "failed":
        return Never(say("mariadb failed on %(node)s: journalctl -u mariadb says why.", node=host))
    galera = look.galera
    if isinstance(galera, Unknown) or not galera.synced or galera.seqno is None:
        return NotYet(say("%(node)s is not Primary and Synced yet.", node=host))
    found = f"{galera.cluster_uuid}:{galera.seqno}"
    if galera.cluster_uuid.lower() != uuid or galera.seqno < int(seqno):
        return Never(
            say(
                "%(node)s is at %(found)s, expected at least %(uuid)s:%(seqno)s. Start no other"
                " server.",
                node=host,
                found=found,
                uuid=uuid,
                seqno=seqno,
            )
        )
    sentence = say("%(node)s is Primary and Synced at %(found)s.", node=host, found=found)
    return Holds({"node": host, "position": found, "size": galera.cluster_size}, sentence)


def _starts_sentence(args: Args) -> Text:
    return say("the database of %(node)s runs", node=args[0])


def _starts_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node. It looks for the others; what becomes of it is proven at the end."""
    look = _looked(outputs, args[0])
    if isinstance(look, NotYet):
        return look
    if look.word("process") in ("", "0"):
        return NotYet(say("No database process runs on %(node)s yet.", node=args[0]))
    return Holds(
        {"node": args[0]}, say("The database of %(node)s looks for the others.", node=args[0])
    )


def _copied_sentence(args: Args) -> Text:
    return say("%(path)s has as many files and bytes as the data directory", path=args[1])


def _copied_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _COPIED, ("", args[1])),)


def _copied_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node, the copy."""
    answer: Answer | NotYet = heard(outputs, args[0])
    if isinstance(answer, NotYet):
        return answer
    told = pairs(answer)
    counts = [told.get(name, "0 -1").split() for name in ("files", "bytes")]
    if answer.exit_code != 0 or any(len(set(pair)) != 1 or len(pair) != 2 for pair in counts):
        return Never(say("The copy in %(path)s is not whole.", path=args[1]))
    evidence = {"node": args[0], "path": args[1], "bytes": int(counts[1][0])}
    return Holds(
        evidence, say("The data of %(node)s is copied to %(path)s.", node=args[0], path=args[1])
    )


POSITION_KEPT = ProofKind(_kept_sentence, _kept_probes, _kept_judge)
CLUSTER_BEGUN = ProofKind(_began_sentence, _look_probes, _began_judge)
DATABASE_STARTS = ProofKind(_starts_sentence, _look_probes, _starts_judge)
DATA_COPIED = ProofKind(_copied_sentence, _copied_probes, _copied_judge, probe_timeout_s=_COPY_S)

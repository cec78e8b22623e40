"""A server that was stopped, started or restarted: proven by what it says itself."""

from __future__ import annotations

from nodes.domain.observation import GaleraFacts, Unknown
from nodes.domain.quorum import host_of
from nodes.domain.text import Text, say
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
    pairs,
)
from operations.domain.proofs.look import DATABASE, LOOK, STORAGE, Look

# $1: run, $2: step. The job of the step knows in which boot it ran.
_BOOTS = r"""
export LC_ALL=C
read -r boot < /proc/sys/kernel/random/boot_id
echo "now=$boot"
for job in /var/lib/clusterpanel/jobs/"$1-$2"-*; do
    then=
    read -r then < "$job/boot_id" 2> /dev/null
    case $then in '' | never) ;; "$boot") echo "same=$then" ;; *) echo "before=$then" ;; esac
done
"""


def _looked(outputs: Outputs, host: str) -> Look | NotYet:
    answer = heard(outputs, host)
    if isinstance(answer, NotYet):
        return answer
    if answer.exit_code != 0:
        return NotYet(say("%(node)s: %(why)s.", node=host, why=first_line(answer)))
    return Look.of(answer)


def _rebooted_sentence(args: Args) -> Text:
    return say("%(node)s answers with another boot id than before", node=args[0])


def _rebooted_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _BOOTS, (args[2], args[1])),)


def _rebooted_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server, the step's key, the run."""
    answer = heard(outputs, args[0])
    if isinstance(answer, NotYet):
        return answer
    boots = pairs(answer)
    if not boots.get("now") or "before" not in boots:
        return NotYet(say("%(node)s still runs as it was started before.", node=args[0]))
    evidence = {"node": args[0], "boot": boots["now"], "before": boots["before"]}
    return Holds(evidence, say("%(node)s was started again: its boot id is new.", node=args[0]))


def _member_sentence(args: Args) -> Text:
    return say(
        "%(node)s is Synced in the Primary component, of at least %(size)s members",
        node=args[0],
        size=args[1],
    )


def _database_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], LOOK, (DATABASE, "")),)


def _member_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server, the least size, the UUID ("" any)."""
    host, size, uuid = args
    look = _looked(outputs, host)
    if isinstance(look, NotYet):
        return look
    if look.word("unit") == "failed":
        why = say("mariadb failed on %(node)s: journalctl -u mariadb -n 50 says why.", node=host)
        return Never(why)
    galera = look.galera
    if isinstance(galera, Unknown) or not galera.synced:
        return _not_synced(host, look)
    if galera.cluster_size < int(size):
        why = say(
            "%(node)s sees %(found)s members, expected at least %(size)s.",
            node=host,
            found=galera.cluster_size,
            size=size,
        )
        return NotYet(why)
    return _member(host, uuid, galera)


def _not_synced(host: str, look: Look) -> NotYet:
    if look.received is not None:
        return _receives(host, look, look.received)
    if isinstance(look.galera, Unknown):
        unit = look.word("unit") or "?"
        return NotYet(
            say("%(node)s: mariadb is %(unit)s, SQL does not answer yet.", node=host, unit=unit)
        )
    state = look.galera.local_state_comment or look.galera.cluster_status or "?"
    return NotYet(say("%(node)s is %(state)s, expected Synced.", node=host, state=state))


def _receives(host: str, look: Look, there: int) -> NotYet:
    why = say("%(node)s receives all data: %(size)s MB are there.", node=host, size=_mb(there))
    if look.written:
        why = say(
            "%(node)s receives all data: %(written)s MB are written, of %(size)s MB that are there.",
            node=host,
            written=_mb(look.written),
            size=_mb(there),
        )
    return NotYet(why, received=there, written=look.written)


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f}"


def _member(host: str, uuid: str, galera: GaleraFacts) -> Verdict:
    if uuid and galera.cluster_uuid.lower() != uuid.lower():
        why = say(
            "%(node)s is in the cluster %(found)s, expected %(uuid)s.",
            node=host,
            found=galera.cluster_uuid,
            uuid=uuid,
        )
        return Never(why)
    size = galera.cluster_size
    evidence = {"node": host, "size": size, "uuid": galera.cluster_uuid, "state": "Synced"}
    sentence = say("%(node)s is Synced; the cluster has %(size)s members.", node=host, size=size)
    return Holds(evidence, sentence)


def _stopped_sentence(args: Args) -> Text:
    return say("mariadb is inactive on %(node)s, and no process of it is left", node=args[0])


def _stopped_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server."""
    look = _looked(outputs, args[0])
    if isinstance(look, NotYet):
        return look
    unit, left = look.word("unit"), look.word("process")
    if unit not in ("inactive", "failed") or left != "0":
        return NotYet(
            say(
                "%(node)s: mariadb is %(unit)s, %(left)s processes are left.",
                node=args[0],
                unit=unit or "?",
                left=left or "?",
            )
        )
    return Holds({"node": args[0]}, say("The database of %(node)s is stopped.", node=args[0]))


def _storage_sentence(args: Args) -> Text:
    return say(
        "the bricks and the self-heal daemon of %(node)s run, and %(path)s takes a file there",
        node=args[0],
        path=args[1],
    )


def _storage_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], LOOK, (STORAGE, args[1])),)


def _storage_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server, the storage directory, then its bricks as the volume names them."""
    host, path, *bricks = args
    look = _looked(outputs, host)
    if isinstance(look, NotYet):
        return look
    if look.word("daemon") != "active":
        return NotYet(
            say("%(node)s: glusterd is %(unit)s.", node=host, unit=look.word("daemon") or "?")
        )
    if fault := bricks_fault(host, look, bricks):
        return NotYet(fault, remedy=not isinstance(look.volumes, Unknown))
    if not look.mounted:
        return NotYet(
            say("%(path)s on %(node)s is not mounted or does not answer.", path=path, node=host)
        )
    sentence = say("The bricks of %(node)s run and its storage answers.", node=host)
    return Holds({"node": host, "bricks": bricks, "path": path}, sentence)


def bricks_fault(host: str, look: Look, bricks: list[str]) -> Text | None:
    """The first brick or self-heal daemon that does not run, of those named; [] names all."""
    if isinstance(look.volumes, Unknown):
        return say("%(node)s: gluster did not answer: %(why)s", node=host, why=look.volumes.why)
    named = [b for v in look.volumes for b in v.bricks if not bricks or b.name in bricks]
    missing = set(bricks) - {brick.name for brick in named}
    down = [brick.name for brick in named if not brick.online] + sorted(missing)
    if down:
        return say("The brick %(name)s does not run.", name=down[0])
    own = {"localhost", host, *(host_of(name) for name in bricks)}
    daemons = [name for name in look.daemons_down if not bricks or name in own]
    if daemons:
        where = host if daemons[0] == "localhost" else daemons[0]
        return say("The self-heal daemon of %(node)s does not run.", node=where)
    return None


def _stopped_storage_sentence(args: Args) -> Text:
    return say("glusterd is inactive on %(node)s and its storage is not mounted", node=args[0])


def _stopped_storage_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server, the storage directory."""
    look = _looked(outputs, args[0])
    if isinstance(look, NotYet):
        return look
    if look.word("daemon") == "active" or look.word("mounted") == "fuse.glusterfs":
        return NotYet(say("GlusterFS still runs on %(node)s.", node=args[0]))
    return Holds({"node": args[0]}, say("GlusterFS is stopped on %(node)s.", node=args[0]))


def _mounted_sentence(args: Args) -> Text:
    return say("%(path)s on %(node)s is mounted and takes a file", node=args[0], path=args[1])


def _mounted_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], LOOK, ("mount", args[1])),)


def _mounted_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server, the storage directory."""
    host, path = args
    look = _looked(outputs, host)
    if isinstance(look, NotYet):
        return look
    if look.mounted:
        return Holds({"node": host, "path": path}, say("%(path)s answers.", path=path))
    return NotYet(say("%(path)s is not mounted or hangs on %(node)s.", path=path, node=host))


REBOOTED = ProofKind(_rebooted_sentence, _rebooted_probes, _rebooted_judge)
MEMBER_BACK = ProofKind(_member_sentence, _database_probes, _member_judge)
DATABASE_STOPPED = ProofKind(_stopped_sentence, _database_probes, _stopped_judge)
STORAGE_BACK = ProofKind(_storage_sentence, _storage_probes, _storage_judge, probe_timeout_s=60)
STORAGE_STOPPED = ProofKind(_stopped_storage_sentence, _storage_probes, _stopped_storage_judge)
MOUNTED = ProofKind(_mounted_sentence, _mounted_probes, _mounted_judge)

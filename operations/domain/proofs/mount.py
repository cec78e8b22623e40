"""The storage is mounted when a file written here is read on the other mounted nodes.

`findmnt` alone is not enough: a mount can be listed and dead. Every access is timed, because a
dead FUSE mount hangs. The node writes, the others read in the order of the probes, and the last
one takes the file away; a file that an unreachable node left behind goes at the next attempt.
"""

from __future__ import annotations

from nodes.domain.text import Text, say
from operations.domain.proofs.base import (
    Answer,
    Args,
    Holds,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
    first_line,
    heard,
    pairs,
)

# $1 directory, $2 write or read, $3 last (takes the file away) or not.
TOUCH = r"""
export LC_ALL=C
dir=$1 role=$2 place=$3 file=$1/.clusterpanel-proof
# findmnt reads the mount table, it does not touch a mount that may hang; the top one is last.
fstype=$(findmnt -n -o FSTYPE --mountpoint "$(realpath -m -- "$dir")" 2>/dev/null | tail -n 1)
echo "fstype=$fstype"
[ "$fstype" = fuse.glusterfs ] || exit 0
if [ "$role" = write ]; then
    timeout -k 1 10 sh -c 'rm -f -- "$1" && date +%s.%N > "$1"' - "$file" ||
        { echo "a file could not be written within 10 s" >&2; exit 5; }
fi
tries=0
until content=$(timeout -k 1 10 cat -- "$file" 2>/dev/null) && [ -n "$content" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || break
    sleep 1
done
echo "content=$content"
[ "$place" != last ] || timeout -k 1 10 rm -f -- "$file"
"""


def _sentence(args: Args) -> Text:
    path, node, *readers = args
    if not readers:
        return say(
            "%(path)s on %(node)s is a GlusterFS mount and takes a file", path=path, node=node
        )
    return say(
        "%(path)s on %(node)s is a GlusterFS mount, and a file written there is read on"
        " %(readers)s",
        path=path,
        node=node,
        readers=", ".join(readers),
    )


def _probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    path, writer, *readers = args
    order = (writer, *readers)
    return tuple(
        Probe(
            host,
            TOUCH,
            (path, "write" if host == writer else "read", "last" if host == order[-1] else "more"),
        )
        for host in order
    )


def _judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the directory, the node, then the nodes on which it was mounted before."""
    path, writer, *readers = args
    contents = []
    for host in (writer, *readers):
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            return answer
        if wrong := fault(host, path, answer):
            return NotYet(wrong)
        contents.append(pairs(answer).get("content", ""))
    return compare(path, writer, readers, contents)


def fault(host: str, path: str, answer: Answer) -> Text | None:
    if answer.exit_code != 0:
        return say("%(node)s: %(path)s: %(why)s.", node=host, path=path, why=first_line(answer))
    fstype = pairs(answer).get("fstype", "")
    if fstype != "fuse.glusterfs":
        return say(
            "%(node)s: %(path)s is not a GlusterFS mount (found: %(fstype)s).",
            node=host,
            path=path,
            fstype=fstype or "no mount",
        )
    return None


def compare(path: str, writer: str, readers: list[str], contents: list[str]) -> Verdict:
    if not contents[0]:
        return NotYet(
            say("%(node)s cannot read back the file it wrote to %(path)s.", node=writer, path=path)
        )
    for reader, content in zip(readers, contents[1:], strict=True):
        if content != contents[0]:
            return NotYet(
                say(
                    "%(reader)s does not see the file that %(writer)s wrote to %(path)s.",
                    reader=reader,
                    writer=writer,
                    path=path,
                )
            )
    return _shared(path, writer, readers)


def _shared(path: str, writer: str, readers: list[str]) -> Holds:
    evidence = {"node": writer, "path": path, "read_on": readers}
    if not readers:
        return Holds(
            evidence,
            say("%(path)s is mounted on %(node)s and takes files.", path=path, node=writer),
        )
    return Holds(
        evidence,
        say(
            "%(path)s is mounted on %(node)s, and a file written there was read on %(readers)s.",
            path=path,
            node=writer,
            readers=", ".join(readers),
        ),
    )


STORAGE_SHARED = ProofKind(_sentence, _probes, _judge, probe_timeout_s=60)

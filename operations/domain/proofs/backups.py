"""A backup is proven by reading it back from the disk of its node."""

from __future__ import annotations

from collections.abc import Mapping

from nodes.domain.text import Text, say
from operations.domain.backup_scripts import READ_ARCHIVE, READ_DUMP
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

READ_BACK_S = 3600  # a dump of 100 GB at 30 MB/s
_FINAL = frozenset({3, 4, 5, 6})  # exit codes of the reading scripts that no waiting changes


def _dump_sentence(args: Args) -> Text:
    return say("%(path)s unpacks, is complete and has a checksum", path=args[1])


def _dump_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], READ_DUMP, (args[1],)),)


def _archive_sentence(args: Args) -> Text:
    return say("%(path)s lists cleanly, holds every file and has a checksum", path=args[1])


def _archive_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], READ_ARCHIVE, (args[1],)),)


def _judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node and the path."""
    node, path = args
    answer = heard(outputs, node)
    if isinstance(answer, NotYet):
        return answer
    if answer.exit_code != 0:
        kind = Never if answer.exit_code in _FINAL else NotYet
        return kind(say("%(node)s: %(why)s.", node=node, why=first_line(answer)))
    return _read_back(node, path, answer)


def _read_back(node: str, path: str, answer: Answer) -> Verdict:
    found = pairs(answer)
    if not (found.get("bytes", "").isdigit() and len(found.get("sha256", "")) == 64):
        return NotYet(
            say("%(node)s: size or checksum of %(path)s is unreadable.", node=node, path=path)
        )
    if found.get("expected") and found["expected"] != found.get("entries"):
        return Never(
            say(
                "%(path)s holds %(found)s entries, but %(expected)s were counted when it was made.",
                path=path,
                found=found.get("entries", "0"),
                expected=found["expected"],
            )
        )
    return _whole(node, path, found)


def _whole(node: str, path: str, found: Mapping[str, str]) -> Holds:
    evidence = {"node": node, "path": path, "bytes": int(found["bytes"]), "sha256": found["sha256"]}
    if found.get("entries"):
        evidence["entries"] = int(found["entries"])
    sentence = say(
        "%(path)s on %(node)s was read back: %(bytes)s bytes, sha256 %(sha256)s.",
        path=path,
        node=node,
        bytes=found["bytes"],
        sha256=found["sha256"],
    )
    return Holds(evidence, sentence)


DUMP_READABLE = ProofKind(_dump_sentence, _dump_probes, _judge, READ_BACK_S)
ARCHIVE_READABLE = ProofKind(_archive_sentence, _archive_probes, _judge, READ_BACK_S)

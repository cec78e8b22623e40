"""Both layers are whole again: what a restart ends with, and what the next one waits for."""

from __future__ import annotations

from nodes.domain.observation import Unknown
from nodes.domain.text import Text, say
from operations.domain.proofs.base import (
    Args,
    Holds,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
    first_line,
    heard,
)
from operations.domain.proofs.coming_back import bricks_fault
from operations.domain.proofs.look import DATABASE, HEAL, LOOK, STORAGE, Look


def _sentence(args: Args) -> Text:
    _, galera, storage = _lists(args)
    if not storage:
        return say("all %(count)s members are Synced", count=len(galera))
    return say(
        "all %(count)s members are Synced, all bricks and self-heal daemons run, nothing waits for"
        " healing, and the storage of %(hosts)s answers",
        count=len(galera),
        hosts=", ".join(storage),
    )


def _lists(args: Args) -> tuple[str, list[str], list[str]]:
    """Arguments: the storage directory, how many Galera servers follow, these, the GlusterFS ones."""
    path, count, *hosts = args
    return path, hosts[: int(count)], hosts[int(count) :]


def _probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    path, galera, storage = _lists(args)
    return tuple(
        Probe(host, LOOK, (_words(host, galera, storage), path if host in storage else ""))
        for host in dict.fromkeys((*galera, *storage))
    )


def _words(host: str, galera: list[str], storage: list[str]) -> str:
    """The pool is asked through its first server: its locks are pool-wide."""
    words = [DATABASE] if host in galera else []
    return " ".join([*words, *([STORAGE, HEAL] if host in storage[:1] else [])])


def _judge(args: Args, outputs: Outputs) -> Verdict:
    path, galera, storage = _lists(args)
    looks: dict[str, Look] = {}
    for host in dict.fromkeys((*galera, *storage)):
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            return answer
        if answer.exit_code != 0:
            return NotYet(say("%(node)s: %(why)s.", node=host, why=first_line(answer)))
        looks[host] = Look.of(answer)
    return (
        _members(looks, galera)
        or _bricks(looks, storage)
        or _mounts(looks, storage, path)
        or Holds({"members": galera, "storage": storage}, say("Both layers are whole."))
    )


def _members(looks: dict[str, Look], galera: list[str]) -> NotYet | None:
    for host in galera:
        facts = looks[host].galera
        if isinstance(facts, Unknown) or not facts.synced:
            look = looks[host]
            why = say("%(node)s is not Synced yet.", node=host)
            return NotYet(why, received=look.received, written=look.written)
        if facts.cluster_size != len(galera):
            return NotYet(
                say(
                    "%(node)s sees %(found)s members, expected %(count)s.",
                    node=host,
                    found=facts.cluster_size,
                    count=len(galera),
                )
            )
    return None


def _bricks(looks: dict[str, Look], storage: list[str]) -> NotYet | None:
    if not storage:
        return None
    look = looks[storage[0]]
    if fault := bricks_fault(storage[0], look, []):
        return NotYet(fault, remedy=not isinstance(look.volumes, Unknown))
    assert not isinstance(look.volumes, Unknown)
    for brick in (brick for volume in look.volumes if volume.started for brick in volume.bricks):
        if brick.heal_pending is None:
            return NotYet(
                say("How much waits for healing on %(name)s is not known.", name=brick.name)
            )
        if brick.heal_pending or brick.split_brain:
            return _healing(look)
    return None


def _healing(look: Look) -> NotYet:
    assert not isinstance(look.volumes, Unknown)
    counts = [b.heal_pending or 0 for volume in look.volumes for b in volume.bricks]
    left = max(counts)
    return NotYet(say("%(count)s files wait for healing.", count=left), left=sum(counts))


def _mounts(looks: dict[str, Look], storage: list[str], path: str) -> NotYet | None:
    for host in storage:
        if not looks[host].mounted:
            why = say("%(path)s on %(node)s is not mounted or hangs.", path=path, node=host)
            return NotYet(why)
    return None


CLUSTER_WHOLE = ProofKind(_sentence, _probes, _judge, probe_timeout_s=90)

"""Whose run holds the nodes and what it does there, read from the nodes themselves.

So a panel that knows nothing yet, or lost its database, sees a run that another one drives.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from nodes.history import NodeJob, NodeWork
from nodes.models import Cluster
from nodes.services import target_for
from nodes.transport.base import Target, TransportError, script
from nodes.transport.pool import transport_for
from operations.runtime import scripts
from operations.runtime.frames import Answer, Frames, new_nonce
from operations.runtime.jobs import Place, silent


def of(cluster: Cluster) -> Sequence[NodeWork]:
    """One entry for each node with an accepted host key, in the order of the lists."""
    pinned = set(cluster.host_keys.values_list("host", flat=True))
    targets = [target_for(cluster, h) for h in cluster.revision.peers.hosts if h in pinned]
    with ThreadPoolExecutor(max(1, len(targets)), "work") as pool:
        return list(pool.map(_ask, targets))


def _ask(target: Target) -> NodeWork:
    nonce, place = new_nonce(), Place()
    try:
        output = transport_for(target).run(
            script(scripts.TELL, nonce, place.root, place.spare, timeout_s=10)
        )
        return told(target.host, nonce, output.stdout, output.stderr)
    except TransportError as error:
        return NodeWork(target.host, error.why)


def told(host: str, nonce: str, stdout: bytes, stderr: bytes = b"") -> NodeWork:
    """Raises TransportError when the script did not come to its end."""
    answers = [part for part in Frames(nonce).feed(stdout) if isinstance(part, Answer)]
    if not answers or answers[-1].kind != "END":
        raise silent(host, stderr)
    work = NodeWork(host)
    for answer in answers:
        work = _with(work, answer)
    return work


def _with(work: NodeWork, answer: Answer) -> NodeWork:
    match answer.kind:
        case "OWNER":
            seconds = answer.word(2)
            silent_s = int(seconds) if seconds.isdecimal() else None
            return replace(work, run=answer.word(0), since=answer.word(1), silent_s=silent_s)
        case "PANEL":
            return replace(work, panel=answer.rest(0))
        case "USER":
            return replace(work, user=answer.rest(0))
        case "JOB":
            return replace(work, jobs=(*work.jobs, NodeJob(answer.word(0), "")))
        case "COMMAND":
            return _last(work, command=answer.rest(0).removeprefix("exec "))
        case "LINE":
            lines = (*work.jobs[-1].last_lines, answer.rest(0))
            return _last(work, last_lines=lines)
    return work


def _last(work: NodeWork, **changes: object) -> NodeWork:
    *before, last = work.jobs
    return replace(work, jobs=(*before, replace(last, **changes)))  # type: ignore[arg-type]

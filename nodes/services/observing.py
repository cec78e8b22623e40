"""Asking the servers, and keeping the newest answer of each.

Three beats: what changes (every OBSERVE_EVERY_S), what hardly does (SLOW_FACTS_EVERY_S, in the same
question), and glusterd (GLUSTER_EVERY_S; what waits for healing every HEAL_EVERY_S), whose locks are
pool-wide: one server at a time, never two askers, and not while a run works with it. The storage is
looked at every time, and written to in the rhythm of glusterd.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clusterpanel.people.rules import of_the_panel, open_to_viewers
from nodes import history, samples, selectors
from nodes.announcing import SEEN
from nodes.domain.facts_json import gluster_to_json, to_json
from nodes.domain.numbers import numbers_of
from nodes.domain.observation import ClusterFacts, MountFacts, NodeFacts, SeenPosition, Unknown
from nodes.domain.parse_gluster import HealCount
from nodes.domain.parse_node import carried
from nodes.domain.quorum import host_of
from nodes.models import Cluster, Observation
from nodes.probes import gluster
from nodes.probes.patience import Patience
from nodes.probes.sweep import PATIENCE_S, Asked, Known, Sweep
from nodes.services.acknowledging import acknowledgements_settle
from nodes.services.clusters import targets_for
from nodes.transport import pool
from nodes.transport.base import Target

GLUSTER_S = 8.0  # for all questions to glusterd together
# Who died in his turn is waited for so long, by the field that holds the turn.
_GUARDS = {
    "sweep_until": timedelta(seconds=PATIENCE_S + 5),
    "gluster_until": timedelta(seconds=GLUSTER_S + 5),
}
_AT_ONCE = 128  # nodes that one process asks at the same time; those that hang count, too


class _Steady:
    """This process's questions under way. A forked child has none of its parent's."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.asked = Asked(_AT_ONCE, Patience(time.monotonic, time.time))


_steady: _Steady | None = None
_steady_lock = threading.Lock()


def _asked() -> Asked:
    global _steady
    with _steady_lock:
        if _steady is None or _steady.pid != os.getpid():
            _steady = _Steady()
        return _steady.asked


@open_to_viewers
def observe(
    *, cluster: Cluster, max_age_s: float = 0, storage_age_s: float = 0, quick: bool = False
) -> ClusterFacts:
    """Ask every server everything now and store the answers. Takes at most about 16 seconds; never
    raises because of a server: what could not be asked is Unknown.

    `max_age_s`: if everything that is stored is younger (seconds), that is returned instead.
    `storage_age_s`: glusterd, which is slow, is left out if all that it said is younger (seconds).
    `quick`: so is what hardly ever changes, as a beat does; but the bootstrap marker is read anew.
    """
    stored = selectors.latest_facts(cluster)
    if stored and max_age_s and _age(stored) <= max_age_s:
        return stored
    sweep = _sweep(cluster, _known(stored, marker=True) if quick else {})
    nodes = _store(cluster, sweep.run(pool.transport_for).nodes, stored)
    if quick and any(node.ssh is True and "slow" not in node.read_at for node in nodes):
        return observe(cluster=cluster, storage_age_s=storage_age_s)  # started again meanwhile
    answered = {node.host for node in nodes if node.ssh is True}
    reached = [target for target in sweep.targets if target.host in answered]
    # Its own answers, not the stored ones: a steady beat may have stored older reasons meanwhile.
    seen = selectors.completed(cluster, nodes)
    if all(_storage_age(node) <= storage_age_s for node in seen.nodes):
        return seen
    _ask_gluster(cluster, reached, None, patience_s=GLUSTER_S)
    return selectors.completed(cluster, nodes)


def _storage_age(node: NodeFacts) -> float:
    """Seconds since this server's glusterd was asked. In an earlier boot counts for nothing; a server
    that is away has nothing to say."""
    if node.ssh is not True:
        return 0.0
    age = time.time() - node.read_at.get("gluster", 0.0)
    up = math.inf if isinstance(node.uptime_s, Unknown) else node.uptime_s
    return age if age < up else math.inf


@of_the_panel
def observe_if_idle(*, cluster: Cluster) -> bool:
    """The steady beat: the nodes that answer at once; the others' answers are kept when they come.

    False when this cluster is being asked already, in whatever process.
    """
    with _turn(cluster, "sweep_until") as ours:
        if not ours:
            return False
        stored = selectors.latest_facts(cluster)
        sweep = _sweep(cluster, _known(stored))
        found = _asked().facts(sweep, pool.transport_for, PATIENCE_S)
        _store(cluster, found.values(), stored)
    return True


@of_the_panel
def observe_gluster_if_idle(*, cluster: Cluster) -> bool:
    """The steady beat of glusterd, of the nodes that answered last time; whether it was asked."""
    stored = selectors.latest_facts(cluster)
    answered = {n.host for n in stored.nodes if n.ssh is True} if stored else set()
    reached = [target for target in targets_for(cluster) if target.host in answered]
    return _ask_gluster(cluster, reached, _fresh_backlog(stored))


def _sweep(cluster: Cluster, known: dict[str, Known]) -> Sweep:
    return Sweep(
        targets=targets_for(cluster),
        app_dir=cluster.app_dir,
        monitor_password=cluster.monitor_password,
        # Simulated servers have no page, and nothing may leave the machine for them.
        page_url="" if settings.SIMULATED_NODES else cluster.page_url,
        known=known,
    )


def _known(stored: ClusterFacts | None, *, marker: bool = False) -> dict[str, Known]:
    found = {node.host: _known_of(node) for node in stored.nodes} if stored else {}
    return {host: replace(known, marker=marker) for host, known in found.items()}


def _known_of(node: NodeFacts) -> Known:
    """A node that was away is asked everything: it may be another one now."""
    if node.ssh is not True:
        return Known()
    age_s = time.time() - node.read_at.get("slow", 0.0)
    volumes = () if isinstance(node.gluster_volumes, Unknown) else node.gluster_volumes
    own = [b.name for v in volumes for b in v.bricks if host_of(b.name) == node.host]
    return Known(
        datadir=str(node.extra.get("datadir", "")),
        bricks=tuple(name[len(node.host) + 1 :] for name in own),
        quick=age_s < settings.SLOW_FACTS_EVERY_S,
        answered_at=node.taken_at,
        write=_write_is_due(node),
    )


def _write_is_due(node: NodeFacts) -> bool:
    """Every create and unlink goes to all bricks, so a storage that is well is seldom written to."""
    well = isinstance(node.mount, MountFacts) and node.mount.answers
    return not well or time.time() - node.read_at.get("write", 0.0) >= settings.GLUSTER_EVERY_S


def _store(
    cluster: Cluster, nodes: Iterable[NodeFacts], stored: ClusterFacts | None
) -> tuple[NodeFacts, ...]:
    """Each node's newest answer, with what was left out; a slow sweep never overwrites a later one."""
    older = {node.host: node for node in stored.nodes} if stored else {}
    merged = tuple(carried(node, older.get(node.host)) for node in nodes)
    with transaction.atomic():
        for node in merged:
            _store_one(cluster, node)
        samples.keep(cluster, numbers_of(ClusterFacts(_with_heal(merged, older))))
    _tell(cluster)
    return merged


def _tell(cluster: Cluster) -> None:
    """New facts are stored: what was acknowledged may be gone, and open pages want to know."""
    acknowledgements_settle(cluster=cluster)
    SEEN.announce(str(cluster.pk))


def _with_heal(nodes: tuple[NodeFacts, ...], older: dict[str, NodeFacts]) -> tuple[NodeFacts, ...]:
    """The nodes with what glusterd said last, so that the backlog is in their numbers."""
    return tuple(
        replace(node, gluster_volumes=older[node.host].gluster_volumes)
        if node.host in older
        else node
        for node in nodes
    )


def _store_one(cluster: Cluster, node: NodeFacts) -> None:
    taken_at = datetime.fromtimestamp(node.taken_at, UTC)
    values = {"taken_at": taken_at, "facts": to_json(node), **_position(node)}
    mine = Observation.objects.filter(cluster=cluster, host=node.host)
    if mine.filter(taken_at__lte=taken_at).update(**values):
        return
    if not mine.exists():
        Observation.objects.create(cluster=cluster, host=node.host, **values)


def _position(node: NodeFacts) -> dict[str, object]:
    """Where a Synced member is; of any other the last one stays."""
    galera = node.galera
    if isinstance(galera, Unknown) or not galera.synced or galera.seqno is None:
        return {}
    seen = SeenPosition(galera.cluster_uuid, galera.seqno, node.taken_at)
    return {"position": asdict(seen)}


def _ask_gluster(
    cluster: Cluster,
    targets: list[Target],
    backlog: gluster.Backlog | None,
    patience_s: float = 0.0,
) -> bool:
    """False when somebody else is at it: then what is stored stays, and shows its age."""
    with _turn(cluster, "gluster_until", patience_s) as ours:
        if not ours or history.of().gluster_in_use(cluster):
            return False
        until = time.monotonic() + GLUSTER_S
        found = gluster.views(pool.transport_for, targets, backlog, until)
        read_at = time.time()
        for host, view in found.items():
            told = gluster_to_json(view.peers, view.volumes, read_at, view.heal_at)
            cluster.observations.filter(host=host).update(gluster=told)
    _tell(cluster)
    return True


@contextmanager
def _turn(cluster: Cluster, field: str, patience_s: float = 0.0) -> Generator[bool]:
    """Whether this is the only asker now, in whatever process; waits for its turn if it may."""
    until = time.monotonic() + patience_s
    while not (ours := _take(cluster, field)) and time.monotonic() < until:
        time.sleep(0.1)
    try:
        yield ours
    finally:
        if ours:
            Cluster.objects.filter(pk=cluster.pk).update(**{field: None})


def _take(cluster: Cluster, field: str) -> bool:
    now = timezone.now()
    idle = Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__lt": now})
    return bool(Cluster.objects.filter(idle, pk=cluster.pk).update(**{field: now + _GUARDS[field]}))


def _age(facts: ClusterFacts) -> float:
    return time.time() - min((node.taken_at for node in facts.nodes), default=0.0)


def _fresh_backlog(facts: ClusterFacts | None) -> gluster.Backlog | None:
    """What waits for healing, if it was counted a short while ago."""
    counts: dict[str, HealCount] = {}
    counted_at = 0.0
    for node in facts.nodes if facts else ():
        counted_at = max(counted_at, node.read_at.get("heal", 0.0))
        for volume in () if isinstance(node.gluster_volumes, Unknown) else node.gluster_volumes:
            counts |= {b.name: HealCount(b.heal_pending, b.split_brain) for b in volume.bricks}
    fresh = time.time() - counted_at < settings.HEAL_EVERY_S
    return gluster.Backlog(counts, counted_at) if fresh else None

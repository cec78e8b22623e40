"""How many servers may be lost before a layer stops.

Galera (weighted-quorum, weight 1): what is left of the last view, less those that said goodbye,
must be more than half. A clean stop says goodbye, a crash does not. GlusterFS (client quorum
"auto"): more than half of a replica set's bricks must be there, of two the first; below that every
read and write of the storage fails with ENOTCONN ("Transport endpoint is not connected").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from nodes.domain.observation import GlusterBrick, GlusterVolume


def survives_crash(size: int, lost: int) -> bool:
    """Whether a Primary component of `size` members stays one when `lost` vanish at once."""
    return size - lost > size / 2


def galera_tolerates(size: int) -> int:
    """Crashes at once that a Primary component of this size survives."""
    return max(0, (size - 1) // 2)


def replica_sets(volume: GlusterVolume) -> list[tuple[GlusterBrick, ...]]:
    """Bricks in the order of `volume info`, `replica` at a time: each set holds the same files."""
    step = max(1, volume.replica)
    return [volume.bricks[i : i + step] for i in range(0, len(volume.bricks), step)]


def has_quorum(bricks: Sequence[GlusterBrick], up: Iterable[str]) -> bool:
    """Whether clients may read and write a replica set of which the bricks named `up` are there."""
    there = [brick for brick in bricks if brick.name in set(up)]
    if len(bricks) == 2:
        return bricks[0] in there
    if all(brick.arbiter for brick in there):
        return False
    return len(there) > len(bricks) / 2


def online(volumes: Iterable[GlusterVolume]) -> set[str]:
    return {brick.name for volume in volumes for brick in volume.bricks if brick.online}


def has_storage(volumes: Iterable[GlusterVolume], up: set[str]) -> bool:
    return all(has_quorum(bricks, up) for v in volumes if v.started for bricks in replica_sets(v))


def gluster_tolerates(volumes: Sequence[GlusterVolume]) -> int | None:
    """Servers that may be lost, whichever they are; a brick of which nobody knows counts as lost.

    None: there is no started volume, or nobody knows of any brick.
    """
    bricks = [brick for volume in volumes if volume.started for brick in volume.bricks]
    if not bricks or all(brick.online is None for brick in bricks):
        return None
    up = online(volumes)
    hosts = sorted({host_of(name) for name in up})
    for lost in range(len(hosts) + 1):
        for gone in combinations(hosts, lost):
            if not has_storage(volumes, {name for name in up if host_of(name) not in gone}):
                return max(0, lost - 1)
    return len(hosts)


def host_of(brick: str) -> str:
    """`host:/path` → host; the host may be an IPv6 address."""
    return brick.rpartition(":/")[0]

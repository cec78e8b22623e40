"""How many servers may be lost, and what happens when given ones are stopped.

Galera (weighted-quorum, weight 1): what is left of the last view, less those that said goodbye,
must be more than half. A clean stop says goodbye, a crash does not. GlusterFS (client quorum
"auto"): more than half of a replica set's bricks must be there, of two the first; below that every
read and write of the storage fails with ENOTCONN ("Transport endpoint is not connected").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from nodes.domain.observation import ClusterFacts, GlusterBrick, GlusterVolume
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say
from nodes.domain.view import View, listed


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


@dataclass(frozen=True)
class Consequences:
    """What stopping servers does. None: not known, because nobody knows how things stand.

    `graceful`: the database keeps writing when they are stopped one after another, cleanly;
    `crash`: also when they go at once; `storage`: files can still be read and written.
    `sentences` say it in words, with the reason.
    """

    hosts: tuple[str, ...]
    graceful: bool | None
    crash: bool | None
    storage: bool | None
    sentences: tuple[Text, ...]

    @property
    def harmless(self) -> bool:
        """A clean stop, one after another, keeps both layers at work."""
        return self.graceful is True and self.storage is True


def consequences_of_stopping(
    hosts: Iterable[str], settings: PeerSettings, facts: ClusterFacts | None
) -> Consequences:
    """What happens to the users when the named servers are stopped now. Pure and total."""
    gone = tuple(host for host in settings.hosts if host in set(hosts))
    if facts is None or not facts.nodes:
        return Consequences(gone, None, None, None, (_NOT_KNOWN,))
    view = View(settings, facts, facts.nodes[0].taken_at)
    graceful, crash, said = _galera(view, gone)
    storage, told = _storage(view, gone)
    return Consequences(gone, graceful, crash, storage, (*said, *told))


_NOT_KNOWN = say("The servers were not asked yet, so nobody knows what would happen.")


def _galera(view: View, gone: tuple[str, ...]) -> tuple[bool | None, bool | None, tuple[Text, ...]]:
    members = [member.host for member in view.primary]
    if not members:
        return None, None, (say("Which servers are in the database cluster is not known."),)
    size, lost = view.size, len([host for host in members if host in gone])
    left = [member.host for member in view.primary if member.host not in gone and member.synced]
    if not lost:
        return True, True, (say("The database is not affected."),)
    if not left or lost >= size:
        return False, False, (say("The database stops for all users: no member is left."),)
    crash = survives_crash(size, lost)
    return True, crash, _galera_words(left, size, lost, crash)


def _galera_words(left: list[str], size: int, lost: int, crash: bool) -> tuple[Text, ...]:
    stays = say(
        "Stopped cleanly and one after another, the database goes on with %(left)s:"
        " who leaves in order is not counted.",
        left=listed(left),
    )
    if crash:
        return (stays,)
    return stays, say(
        "If they crash or lose power at once, the database takes no writes:"
        " %(left)s of %(size)s is no majority.",
        left=size - lost,
        size=size,
    )


def _storage(view: View, gone: tuple[str, ...]) -> tuple[bool | None, tuple[Text, ...]]:
    volumes = view.volumes
    if volumes is None:
        return None, (say("How the storage stands is not known."),)
    bricks = [brick for volume in volumes if volume.started for brick in volume.bricks]
    if not bricks:
        return True, ()
    if all(brick.online is None for brick in bricks):
        return None, (say("Which bricks run is not known."),)
    before = online(volumes)
    after = {name for name in before if host_of(name) not in gone}
    if has_storage(volumes, after):
        return True, _reduced(bricks, before, after)
    counts = {"left": len(after), "all": len(bricks)}
    return False, (
        say(
            "The storage stops on every server: with %(left)s of %(all)s bricks GlusterFS has no"
            " quorum and answers “Transport endpoint is not connected” (ENOTCONN); dpiui2 then"
            " fails as a whole, not just its uploads.",
            **counts,
        ),
    )


def _reduced(bricks: list[GlusterBrick], before: set[str], after: set[str]) -> tuple[Text, ...]:
    if before == after:
        return (say("The storage is not affected."),)
    pending = [b for b in bricks if b.name not in after and b.name in before and b.heal_pending]
    left = [brick for brick in bricks if brick.name in after]
    words = [
        say(
            "The storage goes on with %(left)s of %(all)s bricks; what is written meanwhile is"
            " healed afterwards. A server that dies instead of stopping makes everybody wait for"
            " up to 42 seconds.",
            left=len(after),
            all=len(bricks),
        )
    ]
    if pending:
        words.append(
            say(
                "%(count)s entries wait for healing from %(brick)s: their newest copy may be there"
                " only, and cannot be read while it is stopped.",
                count=sum(brick.heal_pending or 0 for brick in pending),
                brick=pending[0].name,
            )
        )
    if sum(not brick.arbiter for brick in left) == 1 and any(brick.arbiter for brick in left):
        words.append(
            say(
                "One data brick and the arbiter are left: a file that the arbiter does not trust"
                " there cannot be used until the other comes back."
            )
        )
    return tuple(words)

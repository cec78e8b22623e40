"""What happens to the users when given servers are stopped, in words and with the reason.

The manual says that one or two servers may be stopped "without consequences". For the database that
holds only when they are stopped cleanly; for the storage it does not hold with two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nodes.domain.observation import ClusterFacts, GlusterBrick
from nodes.domain.peers import PeerSettings
from nodes.domain.quorum import has_storage, online, survives_crash
from nodes.domain.text import Text, say
from nodes.domain.view import View, listed


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
    if gone and (lost := next((b.name for b in bricks if not view.owner(b)), "")):
        return None, (say("On which server the brick %(name)s is, is not known.", name=lost),)
    before = online(volumes)
    after = {b.name for b in bricks if b.name in before and view.owner(b) not in gone}
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
    """The storage goes on: with what, and what to know about it."""
    if before == after:
        return (say("The storage is not affected."),)
    goes_on = say(
        "The storage goes on with %(left)s of %(all)s bricks; what is written meanwhile is healed"
        " afterwards. A server that dies instead of stopping makes everybody wait for up to 42"
        " seconds.",
        left=len(after),
        all=len(bricks),
    )
    left = [brick for brick in bricks if brick.name in after]
    gone = [brick for brick in bricks if brick.name in before - after]
    return (goes_on, *_newest_copies(gone), *_arbiter(left))


def _newest_copies(gone: list[GlusterBrick]) -> tuple[Text, ...]:
    pending = [brick for brick in gone if brick.heal_pending]
    if not pending:
        return ()
    return (
        say(
            "%(count)s entries wait for healing from %(brick)s: their newest copy may be there"
            " only, and cannot be read while it is stopped.",
            count=sum(brick.heal_pending or 0 for brick in pending),
            brick=pending[0].name,
        ),
    )


def _arbiter(left: list[GlusterBrick]) -> tuple[Text, ...]:
    if sum(not brick.arbiter for brick in left) != 1 or not any(b.arbiter for b in left):
        return ()
    return (
        say(
            "One data brick and the arbiter are left: a file that the arbiter does not trust there"
            " cannot be used until the other comes back."
        ),
    )

"""Who may go on: the arithmetic of Galera (all weights 1) and of a GlusterFS client."""

from __future__ import annotations


def stays_primary(before: int, left: int, now: int) -> bool:
    """Whether `now` members of a Primary component of `before` go on when `left` said goodbye.

    A member that left gracefully is not missed; one that vanished is. Half is not enough, since
    the other half might think the same (Galera documentation, weighted quorum).
    """
    return now > 0 and (before - left) < 2 * now


def client_serves(bricks: int, connected: int, *, first: bool = True) -> bool:
    """Whether a client that sees `connected` of `bricks` reads and writes; below it: ENOTCONN.

    `cluster.quorum-type auto`: more than half, or exactly half together with the `first` brick.
    """
    return 2 * connected > bricks or (2 * connected == bricks and first)

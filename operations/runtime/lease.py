"""Who drives a run now. The database decides, by its own clock; nobody holds a lock in memory.

A claim raises the run's `fence`; every write carries the fence it was claimed with, so a worker
that was thought dead and wakes up writes nothing.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from operations.domain.machine import ACTIVE
from operations.models import Run

log = logging.getLogger(__name__)
CANCEL_POLL_S = 0.5


class LeaseLost(Exception):
    """Somebody else drives the run: this worker stops without a word."""


@dataclass
class Lease:
    """A held lease. `lost` and `cancel` are set by the heartbeat, from its own thread.

    `heard`: when the worker before, whose lease ran out, was last heard of; None if there was none.
    """

    run_id: str
    owner: str
    fence: int
    lost: threading.Event = field(default_factory=threading.Event)
    cancel: threading.Event = field(default_factory=threading.Event)
    heard: datetime | None = None


def new_owner() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(run_id: str) -> Lease | None:
    """The lease of a run that is active and that nobody drives, else None."""
    owner = new_owner()
    before = Run.objects.filter(pk=run_id).values_list("lease_until", flat=True).first()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    claimed = Run.objects.filter(free, pk=run_id, state__in=ACTIVE).update(
        lease_owner=owner, lease_until=_until(), fence=F("fence") + 1
    )
    if not claimed:
        return None
    fence = Run.objects.filter(pk=run_id, lease_owner=owner).values_list("fence", flat=True).first()
    return Lease(run_id, owner, fence, heard=_heard(before)) if fence is not None else None


def _heard(lease_until: datetime | None) -> datetime | None:
    return lease_until - timedelta(seconds=settings.RUN_LEASE_S) if lease_until else None


def _until() -> object:
    return Now() + timedelta(seconds=settings.RUN_LEASE_S)


def renew(lease: Lease) -> bool:
    """False when the lease is no longer ours."""
    ours = Run.objects.filter(pk=lease.run_id, fence=lease.fence, lease_owner=lease.owner)
    return bool(ours.update(lease_until=_until()))


def release(lease: Lease) -> None:
    """Let the next worker take the run at once. Harmless when the lease is no longer ours."""
    Run.objects.filter(pk=lease.run_id, fence=lease.fence).update(lease_owner="", lease_until=None)


@contextmanager
def kept(lease: Lease) -> Iterator[Lease]:
    """Renews the lease every third of its life, and watches for a person's wish to cancel."""
    done = threading.Event()
    thread = threading.Thread(
        target=_keep, args=(lease, done), name=f"lease {lease.run_id}", daemon=True
    )
    thread.start()
    try:
        yield lease
    finally:
        done.set()
        thread.join()


def _keep(lease: Lease, done: threading.Event) -> None:
    third = settings.RUN_LEASE_S / 3
    tick = min(CANCEL_POLL_S, third)
    since_renewal = 0.0
    try:
        while not done.wait(tick) and not lease.lost.is_set():
            since_renewal += tick
            if _beat(lease, renew_now=since_renewal >= third):
                since_renewal = 0.0
    finally:
        connection.close()


def _beat(lease: Lease, *, renew_now: bool) -> bool:
    """One look at the database; True if the lease was renewed."""
    try:
        if renew_now and not renew(lease):
            lease.lost.set()
        if Run.objects.filter(pk=lease.run_id, cancelling=True).exists():
            lease.cancel.set()
    except DatabaseError as error:
        # The fence protects the books while the database is away; go on trying.
        log.warning("lease of run %s not renewed: %s", lease.run_id, error)
        connection.close()
        return False
    return renew_now

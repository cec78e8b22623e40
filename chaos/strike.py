"""Who is killed, and when in a run's life."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chaos import books, task
from chaos.rig import PARTS, Machine, Rig
from chaos.sites import Site
from chaos.task import CANCEL

Blow = Callable[[str], bool]  # of the lease's owner: strikes; True if it hit who drove the run


def blow_of(victim: str, rig: Rig, site: Site, run: Callable[[], str]) -> Blow:
    """What kills `victim`; `run` names the run at that moment, "" before it is made."""

    def blow(owner: str) -> bool:
        if victim == "connections":
            site.cut()
            return False
        if victim == CANCEL:
            books.cancel(run())
            return False
        doomed = _doomed(victim, rig, owner)
        rig.kill(doomed)
        if victim == "everything":
            site.cut()
        return driver(owner) in doomed

    return blow


def _doomed(victim: str, rig: Rig, owner: str) -> Sequence[int]:
    match victim:
        case "everything":
            return rig.pids(*PARTS)
        case task.MACHINE:
            return _machine(rig, owner).everything()
        case "worker process":
            return [driver(owner)] if owner else rig.pids("worker")[-1:]
    return rig.pids(victim)


def _machine(rig: Rig, owner: str) -> Machine:
    """The one that drives the run, else the first."""
    name = owner.partition(":")[0]
    return next((m for m in rig.machines if m.name == name), rig.machines[0])


def driver(owner: str) -> int:
    """The process that drives the run; 0 if nobody does."""
    return int(owner.split(":")[1]) if owner else 0

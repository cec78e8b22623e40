"""One story, told on real and on simulated servers: what is done, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.simulation.sides import APP, Side, at_once, run

SCRIPTS = f"{APP}/backend/app_bash"
WRITE = "INSERT INTO jobs (queue, payload) VALUES ('x', 'y')"
SETTINGS = r"""
systemctl disable --now dpiui2-worker >/dev/null 2>&1
sed -i -e "s/^GALERA_PEER_HOSTS=.*/GALERA_PEER_HOSTS=$2/" \
    -e "s/^CLUSTER_FS_PEER_HOSTS=.*/CLUSTER_FS_PEER_HOSTS=$2/" \
    -e "s/^CLUSTER_PRIMARY_HOST=.*/CLUSTER_PRIMARY_HOST=$3/" "$1"
"""
Codes = list[int]


@dataclass(frozen=True)
class Step:
    """`act` returns exit codes, which are compared as the observations after it are.

    `late`: fields that real servers come to only after many minutes, and that are not compared.
    """

    title: str
    act: Callable[[Side], Codes]
    late: tuple[str, ...] = ()


# Packets vanish: glusterd calls the peer connected for minutes, and `volume status` hangs until the
# pool's lock is given up, also when the network is back already.
SILENCE = ("peers", "volumes")
# At boot the mount in fstab and the bricks it needs start at the same time; either may be first.
RACE = ("mount",)


def typed(*lines: tuple[int, str]) -> Callable[[Side], Codes]:
    """Commands on nodes (counted from 1), one after the other."""
    return lambda side: [run(side, side.hosts[n - 1], line).exit_code for n, line in lines]


def _done(act: Callable[[Side], object]) -> Callable[[Side], Codes]:
    def quiet(side: Side) -> Codes:
        act(side)
        return []

    return quiet


def vendor(name: str, action: str, *numbers: int) -> Callable[[Side], Codes]:
    return typed(*((number, f"sh {SCRIPTS}/{name} -a {action}") for number in numbers))


def write(number: int) -> tuple[int, str]:
    return number, f'timeout 20 mariadb dpiui2 -e "{WRITE}"'


def start(number: int, *, wait: bool = True) -> tuple[int, str]:
    return number, "systemctl start mariadb" if wait else "systemctl start --no-block mariadb"


def stop(number: int) -> tuple[int, str]:
    return number, "systemctl stop mariadb"


def _settings(side: Side) -> Codes:
    args = (f"{APP}/backend/.env", ",".join(side.hosts), side.hosts[0])
    return [run(side, host, SETTINGS, *args).exit_code for host in side.hosts]


def _kill(*numbers: int) -> Callable[[Side], Codes]:
    return _done(lambda side: side.kill_databases(*(side.hosts[n - 1] for n in numbers)))


def _cut_all(side: Side) -> None:
    side.power_cut(*side.hosts)
    at_once([lambda host=host: side.power_on(host) for host in side.hosts])  # type: ignore[misc]


def install() -> Iterator[Step]:
    yield Step("freshly installed", lambda side: [])
    yield Step("the settings are written", _settings)
    for number in (1, 2, 3):
        title = f"galera_setup.sh on node {number}"
        yield Step(title, vendor("galera_setup.sh", "init_cluster", number))
    yield Step("three rows are written", typed(write(1), write(2), write(3)))
    yield Step("init_gluster everywhere", vendor("glusterfs_setup.sh", "init_gluster", 1, 2, 3))
    yield Step("init_volume too early", vendor("glusterfs_setup.sh", "init_volume", 2))
    yield Step("init_peers", vendor("glusterfs_setup.sh", "init_peers", 1))
    yield Step("init_volume", vendor("glusterfs_setup.sh", "init_volume", 1))
    yield Step("mount", vendor("glusterfs_setup.sh", "mount", 1, 2, 3))


def graceful() -> Iterator[Step]:
    yield Step("node 3 stops", typed(stop(3), write(1)))
    yield Step("node 2 stops too", typed(stop(2), write(1)))
    yield Step("recovery beside a running server", typed((2, "galera_recovery")))
    yield Step("both start again", typed(start(2), start(3)))


def crashes() -> Iterator[Step]:
    yield Step("node 3 crashes", _kill(3))
    yield Step("rows are written without it", typed(write(1), write(2)))
    yield Step("it starts again", typed(start(3)))
    yield Step("nodes 2 and 3 crash together", _kill(2, 3))
    yield Step("a row is refused", typed(write(1)))
    yield Step("node 2 starts, node 3 not", typed(start(2, wait=False)))
    yield Step("node 3 starts too", typed(start(3)))
    yield Step("node 3 is cut off", _done(lambda side: side.partition(side.hosts[2])), SILENCE)
    yield Step("a row on each side", typed(write(1), write(3)), SILENCE)
    yield Step("the network is back", _done(lambda side: side.rejoin(side.hosts[2])), SILENCE)


def full_stop() -> Iterator[Step]:
    yield Step("all stop, node 1 last", typed(stop(3), stop(2), stop(1)))
    yield Step("bootstrap on the wrong node", typed((3, "galera_new_cluster")))
    yield Step("bootstrap on the right node", typed((1, "galera_new_cluster")))
    yield Step("the others start", typed(start(2), start(3)))


def _power_cycle(side: Side) -> None:
    for host in side.hosts:
        side.power_off(host)


def power() -> Iterator[Step]:
    yield Step("all are switched off cleanly", _done(_power_cycle))
    for number in (1, 2, 3):
        switch = _done(lambda side, n=number: side.power_on(side.hosts[n - 1]))  # type: ignore[misc]
        yield Step(f"node {number} is switched on", switch, RACE)
    reset = "systemctl stop mariadb; systemctl reset-failed mariadb"
    yield Step("failed starts are forgotten", typed((1, reset), (2, reset), (3, reset)), RACE)
    yield Step("bootstrap on node 1, which was first to go", typed((1, "galera_new_cluster")), RACE)
    yield Step("the flag is set by hand", typed((2, _SET_FLAG)), RACE)
    yield Step("bootstrap on node 3, which was last", typed((3, "galera_new_cluster")), RACE)
    yield Step("the others join", typed(start(1), start(2)), RACE)
    mount = f"findmnt -n -t fuse.glusterfs {APP}/backend/storage || mount {APP}/backend/storage"
    yield Step("storage is mounted again", typed((1, mount), (2, mount), (3, mount)))
    yield Step("power is cut everywhere at once", _done(_cut_all), RACE)
    yield Step("storage is mounted once more", typed((1, mount), (2, mount), (3, mount)))
    yield Step("glusterd of node 3 stops", typed((3, "systemctl stop glusterd")))
    yield Step("node 2 is switched off", _done(lambda side: side.power_off(side.hosts[1])))


_SET_FLAG = (
    "sed -i 's/^safe_to_bootstrap: .*/safe_to_bootstrap: 1/' /var/lib/mysql/grastate.dat"
    " && grep -q 'bootstrap: 1' /var/lib/mysql/grastate.dat"
)


def story() -> Iterator[Step]:
    for chapter in (install, graceful, crashes, full_stop, power):
        yield from chapter()

"""What happens to a whole lab. Every function looks first at what exists and does only what is missing."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from . import base, cgroups, host, identity, mounts, network, node, nspawn, state
from .names import MAX_NODES, Names
from .proc import LabError
from .state import Lab, Node

_BOOT_SECONDS = 120
_CLEAN_STOP_SECONDS = 120


def up(names: Names, count: int | None) -> Lab:
    """Bring the lab to "all nodes on", whatever an earlier command or its death left behind."""
    host.check()
    base.ensure()
    host.install_missing_packages()
    host.raise_limits()
    lab = _decide(names, count)
    identity.ensure_keys(lab)
    _start(lab)
    return lab


def reset(lab: Lab, new_host_keys: bool) -> None:
    """Throw every node away and boot pristine ones: same addresses, root key and password."""
    base.ensure()
    network.ensure_bridge(lab)
    _in_parallel(node.cut_power, lab.nodes)
    if new_host_keys:
        identity.forget_host_keys(lab)
    identity.ensure_keys(lab)
    for each in lab.nodes:
        node.discard_disk(each)
        network.rejoin(each)
    _start(lab)


def boot(one: Node) -> None:
    """Switch one node on; only sshd is waited for, a database without its cluster may never come."""
    base.ensure()
    with _changing(one):
        network.ensure_bridge(one.lab)
        if not node.is_on(one):
            node.prepare_disk(one, identity.password_hash(one.lab))
            network.ensure_port(one)
            node.start(one)
    node.await_ssh(one, _BOOT_SECONDS)


def crash(one: Node) -> None:
    with _changing(one):
        node.cut_power(one)


def power_off(one: Node) -> None:
    node.power_off(one, _CLEAN_STOP_SECONDS)


def reboot(one: Node) -> None:
    node.restart(one, _CLEAN_STOP_SECONDS)


def partition(one: Node) -> None:
    with _changing(one):
        network.partition(one)


def rejoin(one: Node) -> None:
    with _changing(one):
        network.rejoin(one)


@contextmanager
def _changing(one: Node) -> Iterator[None]:
    """Alone, and not in a lab that was taken down meanwhile. Never held while waiting for a node:
    one that does not shut down must still be open to a power cut."""
    with state.lab_lock(one.lab.names):
        state.load_existing(one.lab.names)
        yield


def down(names: Names) -> None:
    """Remove the lab without a trace, found by its name alone: `lab.json` may be lost or never written."""
    for _ in range(8):
        _remove_everything(names)
        left = leftovers(names)
        if not left:
            return
        time.sleep(0.25)  # a child of a killed `up` (mount, ssh-keygen) may be finishing its work
    raise LabError(f"of lab {names.lab!r} this is still there: {', '.join(left)}")


def leftovers(names: Names) -> list[str]:
    """What a lab has in this kernel and on this disk."""
    directory = names.home / names.lab
    groups = [str(path) for path in cgroups.paths(names.cgroup) if path.exists()]
    left_mounts = [str(path) for path in mounts.mounted_below(directory)]
    files = [str(directory)] if directory.exists() else []
    return groups + left_mounts + network.leftovers(names) + files


def _decide(names: Names, count: int | None) -> Lab:
    """The stored lab, or a new one whose address range is taken before anyone else may look."""
    if count is not None and not 1 <= count <= MAX_NODES:
        raise LabError(f"a lab has 1 to {MAX_NODES} nodes, not {count}")
    with state.allocation_lock():
        known = state.load(names)
        lab = state.grown(known, count or known.count) if known else state.create(names, count or 3)
        network.ensure_bridge(lab)
    return lab


def _start(lab: Lab) -> None:
    """Boot what is off and wait for all."""
    try:
        _boot_stopped(lab)
    except node.WentOff:  # it had seemed to be on, but was only dying: a kill takes a moment
        _boot_stopped(lab)
    for each in lab.nodes:
        _await_pristine_database(each)


def _boot_stopped(lab: Lab) -> None:
    password = identity.password_hash(lab)
    stopped = [each for each in lab.nodes if not node.is_on(each)]
    for each in stopped:
        node.prepare_disk(each, password)
    for each in lab.nodes:
        network.ensure_port(each)
    _in_parallel(node.start, stopped)
    node.empty_trash(lab.dir)
    for each in lab.nodes:
        node.await_ssh(each, _BOOT_SECONDS)


def _await_pristine_database(one: Node) -> None:
    """Only a pristine node must have its database; an old one may be waiting for a cluster."""
    if not one.settled.exists():
        node.await_database(one, _BOOT_SECONDS)
        one.settled.touch()


def _remove_everything(names: Names) -> None:
    directory = names.home / names.lab
    cgroups.kill(names.cgroup)
    for number in range(1, MAX_NODES + 1):
        nspawn.remove_traces(names, number)
    mounts.unmount_below(directory)
    network.remove(names)
    cgroups.remove(names.cgroup)
    cgroups.remove_unused_parent(names.cgroup)
    shutil.rmtree(directory, ignore_errors=True)


def _in_parallel(act: Callable[[Node], None], nodes: Iterable[Node]) -> None:
    with ThreadPoolExecutor(MAX_NODES) as pool:
        list(pool.map(act, nodes))

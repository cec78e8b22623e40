"""The files of a node that the model knows about: read before it moves, written after."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nodes.simulation.glusterfs import knows, serves
from nodes.simulation.skin import network
from nodes.simulation.skin.files import put, text_of
from nodes.simulation.skin.layout import Layout
from nodes.simulation.world import NULL_UUID, Disk, Grastate, LastView, Node, World

DATADIR = "/var/lib/mysql"
MARKER = "/run/mariadb-wsrep-new-cluster"
_SETTING = re.compile(r"^[ \t]*(wsrep[-_]\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def read(layout: Layout, world: World) -> World:
    """The world with what is on the disks now."""
    for node in list(world.nodes.values()):
        if node.up:
            world = world.put(_read_node(layout, node))
    return world


def _read_node(layout: Layout, node: Node) -> Node:
    marker = layout.place(node.host, MARKER)
    disk = _read_galera(layout, node)
    fstab = _fstab(
        text_of(layout.place(node.host, "/etc/fstab")).replace(f"{layout.root(node.host)}", "")
    )
    marked = marker.exists() and marker.stat().st_size > 0
    return replace(node, disk=disk, fstab=fstab, new_cluster=marked)


def _read_galera(layout: Layout, node: Node) -> Disk:
    disk, folder = node.disk, layout.place(node.host, DATADIR)
    settings = _settings(layout.place(node.host, "/etc/mysql"))
    on = settings.get("wsrep_on", "OFF").upper() in ("ON", "1")
    address = settings.get("wsrep_cluster_address", "").removeprefix("gcomm://")
    peers = tuple(host for host in address.split("?")[0].split(",") if host)
    text = text_of(folder / "grastate.dat")
    state = disk.grastate
    if text != (grastate_text(state) if state else ""):
        state = parse_grastate(text) if text or (folder / "grastate.dat").exists() else None
    last = disk.last_view if text_of(folder / "gvwstate.dat") else None
    return replace(disk, wsrep_on=on, peers=peers, grastate=state, last_view=last)


def _settings(folder: Path) -> dict[str, str]:
    texts = (text_of(path) for path in sorted(folder.rglob("*.cnf")))
    return {key.replace("-", "_"): value for text in texts for key, value in _SETTING.findall(text)}


def _fstab(text: str) -> dict[str, str]:
    """Directory → volume of the GlusterFS lines."""
    rows = [line.split() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return {
        row[1]: row[0].split(":/")[-1] for row in rows if len(row) > 2 and row[2] == "glusterfs"
    }


def grastate_text(state: Grastate) -> str:
    flag = state.safe_to_bootstrap
    last = "" if flag is None else f"safe_to_bootstrap: {int(flag)}\n"
    head = "# GALERA saved state\nversion: 2.1\n"
    return f"{head}uuid:    {state.uuid}\nseqno:   {state.seqno}\n{last}"


def parse_grastate(text: str) -> Grastate:
    found = dict(re.findall(r"^[ \t]*(\w+):[ \t]*(\S+)", text, flags=re.MULTILINE))
    number = found.get("seqno", "-1")
    return Grastate(
        found.get("uuid", NULL_UUID).lower(),
        int(number) if re.fullmatch(r"-?\d+", number) else -1,
        found["safe_to_bootstrap"] == "1" if "safe_to_bootstrap" in found else None,
    )


def last_view_text(last: LastView) -> str:
    members = "".join(f"member: {member} 0\n" for member in sorted(last.members))
    head = f"my_uuid: {last.member}\n#vwbeg\nview_id: 3 {min(last.members)} {last.number}\n"
    return f"{head}bootstrap: 0\n{members}#vwend\n"


def write(layout: Layout, world: World) -> None:
    """Make every node's files say what the model says; nothing else is touched."""
    for volume in world.volumes:
        layout.volume(volume).mkdir(parents=True, exist_ok=True)
    for node in world.nodes.values():
        _write_galera(layout, node)
        _write_gluster(layout, world, node)
        _write_proc(layout, world, node)
        _write_mounts(layout, world, node)
        network.write(layout, world, node)
        put(layout.root(node.host) / ".full", "" if node.full else None)
        if not node.up:
            _clear_memory(layout, node.host)


def _write_galera(layout: Layout, node: Node) -> None:
    folder, disk = layout.place(node.host, DATADIR), node.disk
    put(folder / "grastate.dat", grastate_text(disk.grastate) if disk.grastate else None)
    put(folder / "gvwstate.dat", last_view_text(disk.last_view) if disk.last_view else None)
    put(folder / "sst_in_progress", "" if disk.sst_in_progress else None)
    marker = "_WSREP_NEW_CLUSTER=--wsrep-new-cluster\n" if node.new_cluster else None
    put(layout.place(node.host, MARKER), marker)


def _write_gluster(layout: Layout, world: World, node: Node) -> None:
    home = layout.place(node.host, "/var/lib/glusterd")
    for peer in node.pool.peers:
        put(home / "peers" / world.name("peer", world.nodes[peer].number), f"hostname1={peer}\n")
    for volume in world.volumes.values():
        if knows(world, node.host, volume):
            put(home / "vols" / volume.name / "info", f"status={int(volume.started)}\n")


def _write_proc(layout: Layout, world: World, node: Node) -> None:
    """Process names under numbers that no process of this machine can have."""
    proc = layout.root(node.host) / "proc"
    running = {"mariadbd": node.server, "glusterd": node.daemon, "glusterfsd": node.bricks}
    for number, (name, alive) in enumerate(running.items(), start=1):
        put(proc / f"9000000{number}" / "comm", f"{name}\n" if alive else None)
    put(proc / "sys/kernel/random/boot_id", world.name(f"boot-{node.host}", node.boot) + "\n")
    put(proc / "self/mounts", _mounts_text(layout, world, node))


def _mounts_text(layout: Layout, world: World, node: Node) -> str:
    """Each mount twice: as the directory is called, and as it is called once links are followed."""
    rows = ["rootfs / rootfs rw 0 0"]
    for directory, name in node.mounts.items():
        real = target(layout, world, node.host, name)
        for place in (layout.place(node.host, directory), real):
            rows.append(f"localhost:/{name} {place} fuse.glusterfs rw,relatime 0 0")
    return "\n".join(rows) + "\n"


def target(layout: Layout, world: World, host: str, name: str) -> Path:
    return layout.volume(name) if serves(world, host, name) else layout.dead(name)


def _write_mounts(layout: Layout, world: World, node: Node) -> None:
    """A mount is a link to the volume; the directory below it waits in `.under`."""
    under = layout.root(node.host) / ".under"
    wanted: Mapping[Path, Path] = {
        layout.place(node.host, directory): target(layout, world, node.host, name)
        for directory, name in node.mounts.items()
    }
    kept = under / "kept"
    for place, link in wanted.items():
        if place.is_symlink() and place.readlink() != link:
            place.unlink()
        elif not place.is_symlink() and place.exists():
            kept.mkdir(parents=True, exist_ok=True)
            place.replace(kept / _name(layout, node, place))
        if not place.is_symlink():
            place.symlink_to(link)
    for hidden in list(kept.iterdir()) if kept.exists() else []:
        place = layout.root(node.host) / hidden.name.replace("%", "/")
        if place not in wanted:
            place.unlink(missing_ok=True)
            hidden.replace(place)


def _name(layout: Layout, node: Node, place: Path) -> str:
    return str(place.relative_to(layout.root(node.host))).replace("/", "%")


def _clear_memory(layout: Layout, host: str) -> None:
    """What a node forgets with its power."""
    for kept in (layout.root(host) / "proc").glob("[0-9]*"):
        shutil.rmtree(kept)
    for folder in ("run", "tmp"):
        place = layout.root(host) / folder
        shutil.rmtree(place, ignore_errors=True)
        (place / "systemd/system").mkdir(parents=True, exist_ok=True)

"""The four stages of the vendor's GlusterFS script as steps with proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nodes.domain.text import Text, say
from operations.domain.plan import Proof, Stage, Step
from operations.domain.planners.common import step_key
from operations.domain.planners.gluster_state import Progress
from operations.domain.situation import Situation

SCRIPT = "glusterfs_setup.sh"
STAGES = ("init_gluster", "init_peers", "init_volume", "mount")


@dataclass(frozen=True)
class _Words:
    title: Text
    step: Callable[[str], Text]  # a step's title on its host
    why: Text


_WORDS = {
    "init_gluster": _Words(
        say("Install GlusterFS on every node"),
        lambda host: say("Install GlusterFS on %(host)s", host=host),
        say(
            "“The script will perform the initial installation of GlusterFS. Requires running on"
            " all cluster nodes.”"
        ),
    ),
    "init_peers": _Words(
        say("Introduce the nodes to each other"),
        lambda host: say("Introduce the other nodes to %(host)s", host=host),
        say(
            "“The script will configure all cluster nodes. Requires running only on the master"
            " node.”"
        ),
    ),
    "init_volume": _Words(
        say("Create the replicated volume"),
        lambda host: say("Create the replicated volume from %(host)s", host=host),
        say(
            "“The script will configure the distributed storage and file system. Requires running"
            " only on the master node.”"
        ),
    ),
    "mount": _Words(
        say("Mount the storage on every node"),
        lambda host: say("Mount the storage on %(host)s", host=host),
        say(
            "“The script will mount the replicated directories to the distributed file system."
            " Requires running on all cluster nodes.”"
        ),
    ),
}


def stage(situation: Situation, name: str, peers: Sequence[str], done: Progress) -> Stage:
    """One stage with its steps; nodes on which it is done already are left out."""
    words = _WORDS[name]
    hosts = _hosts(situation, name, peers, done)
    steps = tuple(_step(situation, name, host, peers, done) for host in hosts)
    return Stage(name, words.title, words.why, steps)


def _hosts(situation: Situation, name: str, peers: Sequence[str], done: Progress) -> Sequence[str]:
    if name in ("init_peers", "init_volume"):
        return (situation.primary,)
    finished = done.active if name == "init_gluster" else done.mounted
    rest = [host for host in peers if host not in finished]
    return rest or peers  # asked for again although done: the installation may be repeated


def _step(situation: Situation, name: str, host: str, peers: Sequence[str], done: Progress) -> Step:
    return Step(
        key=step_key(situation, name, host),
        node=host,
        title=_WORDS[name].step(host),
        argv=("sh", situation.script(SCRIPT), "-a", name),
        proof=_proof(situation, name, host, peers, done),
        timeout_s=1800,
        proof_timeout_s=180,
        overwrites=name in ("init_volume", "mount"),
    )


def _proof(
    situation: Situation, name: str, host: str, peers: Sequence[str], done: Progress
) -> Proof:
    if name == "init_gluster":
        return Proof("glusterd_active", (host,))
    if name == "init_peers":
        return Proof("peers_connected", tuple(peers))
    if name == "init_volume":
        return Proof("volume_well", (host,))
    before = [
        peer
        for peer in peers
        if peer != host and (peer in done.mounted or peers.index(peer) < peers.index(host))
    ]
    return Proof("storage_shared", (situation.storage, host, *before))

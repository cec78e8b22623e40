"""What one revision of the settings changed, in words and line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nodes.domain.observation import ClusterFacts, EnvFacts
from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY, PeerSettings
from nodes.domain.text import Text, say


@dataclass(frozen=True)
class LineChange:
    """One line of `.env` as it was ("" at the first revision) and as it became."""

    key: str
    before: str | None
    after: str

    @property
    def same(self) -> bool:
        return self.before == self.after


def line_changes(before: PeerSettings | None, after: PeerSettings) -> tuple[LineChange, ...]:
    """Only the lines that are another now; all of them when there was nothing before."""
    old = before.as_env() if before else {}
    lines = (LineChange(key, old.get(key), value) for key, value in after.as_env().items())
    return tuple(line for line in lines if not line.same)


def changes(before: PeerSettings, after: PeerSettings) -> tuple[Text, ...]:
    """One sentence for each thing that is otherwise; empty when nothing is."""
    return (
        *_list_changes(GALERA_KEY, before.galera_peer_hosts, after.galera_peer_hosts),
        *_list_changes(GLUSTER_KEY, before.cluster_fs_peer_hosts, after.cluster_fs_peer_hosts),
        *_primary(before.cluster_primary_host, after.cluster_primary_host),
    )


def _list_changes(key: str, old: Sequence[str], new: Sequence[str]) -> Iterable[Text]:
    for host in new:
        if host not in old:
            yield say("%(host)s was added to %(key)s.", host=host, key=key)
    for host in old:
        if host not in new:
            yield say("%(host)s was removed from %(key)s.", host=host, key=key)
    kept = [host for host in new if host in old]
    if kept != [host for host in old if host in new]:
        order = ", ".join(new)
        yield say("The order of %(key)s is %(order)s now.", key=key, order=order)


def _primary(old: str, new: str) -> Iterable[Text]:
    if old != new:
        yield say("%(key)s is %(new)s now, it was %(old)s.", key=PRIMARY_KEY, new=new, old=old)


def joined(texts: Sequence[Text]) -> Text:
    """Several sentences as one value, each of them still translatable."""
    told = texts[0] if texts else say("Nothing is otherwise in the three keys.")
    for text in texts[1:]:
        told = say("%(first)s %(second)s", first=told, second=text)
    return told


def holders(
    revisions: Sequence[tuple[int, PeerSettings]], facts: ClusterFacts | None
) -> dict[int, tuple[str, ...]]:
    """Which nodes' files read as each revision: of equal ones the newest counts.

    `revisions` from the newest on. A node whose file is not known, or reads as none, is in none.
    """
    found: dict[int, tuple[str, ...]] = {}
    for node in facts.nodes if facts else ():
        env = node.env
        if not isinstance(env, EnvFacts) or not env.present:
            continue
        mine = (n for n, peers in revisions if dict(env.keys) == peers.as_env())
        number = next(mine, None)
        if number is not None:
            found[number] = (*found.get(number, ()), node.host)
    return found

"""The node locks of one run: taken on all nodes at once, before the first step starts (law 1)."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.utils import timezone

from nodes.domain.text import Text, say
from nodes.transport.base import TransportError
from operations.domain.machine import ACTIVE
from operations.models import Run
from operations.runtime import node_lock
from operations.runtime.node_lock import Claim, Held, Taken
from operations.runtime.ports import Ports


class RunLock:
    """Knows nothing that is not on the nodes; a second worker of the same run takes it again."""

    def __init__(self, ports: Ports, run: Run, nodes: tuple[str, ...]) -> None:
        self._ports, self._nodes = ports, nodes
        user = run.started_by.get_username() if run.started_by else "-"
        since = (run.started_at or timezone.now()).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._claim = Claim(ports.panel, run.pk, since, user)

    def take_all(self) -> Text | None:
        """None: every node is ours. Else why not, and no node is kept."""
        found = self._everywhere(self._nodes)
        sentences = [
            sentence
            for node, taken in found.items()
            if (sentence := self._refused(node, taken)) is not None
        ]
        if not sentences:
            return None
        self.release()
        return sentences[0]

    def take_one(self, node: str) -> Text | None:
        return self._refused(node, self._try(node))

    def release(self, *, keep: Iterable[str] = ()) -> list[str]:
        """The nodes that could not be asked; their lock is ours to take over later."""
        nodes = [node for node in self._nodes if node not in set(keep)]
        with ThreadPoolExecutor(max(1, len(nodes))) as pool:
            freed = list(pool.map(self._release_one, nodes))
        return [node for node, free in zip(nodes, freed, strict=True) if not free]

    def _everywhere(self, nodes: tuple[str, ...]) -> dict[str, Taken | TransportError]:
        with ThreadPoolExecutor(max(1, len(nodes))) as pool:
            return dict(zip(nodes, pool.map(self._try, nodes), strict=True))

    def _try(self, node: str, replaces: str = "") -> Taken | TransportError:
        try:
            transport = self._ports.transport(node)
            return node_lock.take(transport, self._ports.place, self._claim, replaces=replaces)
        except TransportError as error:
            return error

    def _refused(self, node: str, taken: Taken | TransportError) -> Text | None:
        if isinstance(taken, Held) and self._is_over(taken):
            taken = self._try(node, taken.run)
        if taken is None:
            return None
        if isinstance(taken, TransportError):
            return say("Nothing was started: %(why)s", why=taken.why)
        return node_lock.sentence(node, taken)

    def _is_over(self, held: Held) -> bool:
        """A lock of ours that a run left behind: its node was away when the run ended."""
        if held.panel != self._claim.panel:
            return False
        return Run.objects.filter(pk=held.run).exclude(state__in=ACTIVE).exists()

    def _release_one(self, node: str) -> bool:
        try:
            node_lock.release(self._ports.transport(node), self._ports.place, self._claim)
        except TransportError:
            return False
        return True

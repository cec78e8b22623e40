"""The node locks of one run: taken on all nodes at once, before the first step starts (law 1).

A lock of another panel is taken over only when every node of its run proves that it is abandoned:
no job of it at work, and no sign of life for as long as that panel itself allows. A panel that comes
back is fenced by the nodes: its next start finds that the lock is no longer its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event, Thread

from django.utils import timezone

from nodes.domain.text import Text, say
from nodes.transport.base import TransportError
from operations.domain import abandonment
from operations.domain.abandonment import Locked, NoLock, NotAsked, Sign
from operations.domain.machine import ACTIVE
from operations.models import Run
from operations.runtime import node_lock
from operations.runtime.node_lock import Claim, Held, Left, Taken
from operations.runtime.ports import Ports
from operations.runtime.silence import through_cuts

Tell = Callable[[str, str, Text], None]  # node, state, sentence


def claim_of(ports: Ports, run: Run, nodes: tuple[str, ...] = ()) -> Claim:
    """`nodes`: others than those of the run's plan."""
    user = run.started_by.get_username() if run.started_by else "-"
    since = (run.started_at or timezone.now()).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Claim(ports.panel, run.pk, since, user, nodes or run.plan.nodes, ports.abandoned_after_s)


class RunLock:
    """Knows nothing that is not on the nodes; a second worker of the same run takes it again."""

    def __init__(self, ports: Ports, run: Run, tell: Tell, nodes: tuple[str, ...] = ()) -> None:
        self._ports, self._run, self._tell = ports, run, tell
        self._claim = claim_of(ports, run, nodes)
        self._nodes = self._claim.nodes

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

    def _try(self, node: str, replaces: Left | None = None) -> Taken | TransportError:
        def take() -> Taken:
            transport = self._ports.transport(node)
            return node_lock.take(transport, self._ports.place, self._claim, replaces=replaces)

        try:
            return through_cuts(take)
        except TransportError as error:
            return error

    def _refused(self, node: str, taken: Taken | TransportError) -> Text | None:
        reason: Text | None = None
        if isinstance(taken, Held):
            taken, reason = self._instead(node, taken)
        if taken is None:
            return None
        if isinstance(taken, TransportError):
            return say("Nothing was started: %(why)s", why=taken.why)
        return node_lock.sentence(node, taken, reason)

    def _instead(self, node: str, held: Held) -> tuple[Taken | TransportError, Text | None]:
        """Take over what a run of ours left behind, or what is proven abandoned; or why not."""
        known = Run.objects.filter(pk=held.run) if held.panel == self._claim.panel else None
        if known is not None and known.filter(state__in=ACTIVE).exists():
            return held, say("It is a run of this panel that goes on.")
        if known is not None and known.exists():  # its node was away when it ended
            return self._try(node, Left(held.panel, held.run)), None
        signs = self._signs(node, held)
        sign, reason = signs[node], abandonment.why_not(signs)
        if isinstance(sign, NoLock):  # given back in this moment
            return self._try(node), None
        if reason is None and isinstance(sign, Locked):
            return self._seize(node, held, sign, signs), None
        return held, _unknown_here(reason) if reason and known is not None else reason

    def _seize(
        self, node: str, held: Held, sign: Locked, signs: Mapping[str, Sign]
    ) -> Taken | TransportError:
        taken = self._try(node, Left(held.panel, held.run, sign.beat))
        if taken is None:
            self._say_taken_over(node, held, signs)
        return taken

    def _signs(self, node: str, held: Held) -> Mapping[str, Sign]:
        nodes = tuple(dict.fromkeys((node, *held.nodes)))
        with ThreadPoolExecutor(len(nodes)) as pool:
            asked = pool.map(lambda each: self._sign(each, held), nodes)
            return dict(zip(nodes, asked, strict=True))

    def _sign(self, node: str, held: Held) -> Sign:
        if node not in (*self._ports.hosts, *self._nodes):
            return NotAsked(
                say("that run also uses %(node)s, which this cluster does not have.", node=node)
            )
        try:
            return node_lock.signs(self._ports.transport(node), self._ports.place, held)
        except TransportError as error:
            return NotAsked(error.why)

    def _say_taken_over(self, node: str, held: Held, signs: Mapping[str, Sign]) -> None:
        minutes = abandonment.silence(signs) // 60
        text = say(
            "Took over the lock of panel “%(panel)s” on %(node)s, run %(run)s of %(user)s since"
            " %(since)s: its last sign of life is %(minutes)s min old and no process of it is left"
            " on %(nodes)s.",
            panel=held.panel,
            node=node,
            run=held.run,
            user=held.user,
            since=held.since,
            minutes=minutes,
            nodes=", ".join(signs),
        )
        words = {"panel": held.panel, "left_by": held.run, "user": held.user, "since": held.since}
        self._ports.took_over(self._run, node, {**words, "silent_s": abandonment.silence(signs)})
        self._tell(node, "taken_over", text)

    def _release_one(self, node: str) -> bool:
        def release() -> bool:
            return node_lock.release(self._ports.transport(node), self._ports.place, self._claim)

        try:
            through_cuts(release)
        except TransportError:
            return False
        return True


def _unknown_here(reason: Text) -> Text:
    """Our database was lost, or two panels have one name."""
    return say(
        "That is the name of this panel too, but its database does not know the run. %(reason)s",
        reason=reason,
    )


@contextmanager
def signs_of_life(ports: Ports, run: Run, lost: Event) -> Generator[None]:
    """While the run is driven here, every node of it that it holds hears so; silence ends nothing.

    One thread a node, so that a silent node delays no other; none of them is waited for.
    """
    done, claim = Event(), claim_of(ports, run)

    def beat(node: str) -> None:
        while not done.wait(ports.beat_s) and not lost.is_set():
            with suppress(TransportError):
                node_lock.beat(ports.transport(node), ports.place, claim)

    for node in claim.nodes:
        Thread(target=beat, args=(node,), name=f"beat {run.pk} {node}", daemon=True).start()
    try:
        yield
    finally:
        done.set()

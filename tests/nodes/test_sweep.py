"""A sweep: one node that hangs or fails costs its own answer only."""

from __future__ import annotations

import threading
import time

import pytest

from nodes.domain.observation import Unknown
from nodes.domain.text import say
from nodes.probes.gluster import Backlog
from nodes.probes.script import BEAT, GLUSTER_OWN, GLUSTER_POOL
from nodes.probes.sweep import Sweep
from nodes.transport.base import (
    Command,
    CommandTimeout,
    HostKeyChanged,
    Target,
    Transport,
    TransportError,
)
from tests.fakes import recorded
from tests.fakes.recorded import HOSTS
from tests.fakes.scripted import Answer, ScriptedTransport

HEALTHY = "healthy"


def sweep(**kwargs: object) -> Sweep:
    return Sweep(recorded.targets(), "/var/www/html/dpiui2", **kwargs)  # type: ignore[arg-type]


def with_node2(answer: Answer) -> tuple[dict[str, ScriptedTransport], object]:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    made[HOSTS[1]].answers[BEAT] = answer
    return made, lambda target: made[target.host]


def test_a_node_that_hangs_does_not_delay_the_others() -> None:
    release = threading.Event()

    def hang(command: Command) -> Answer:
        release.wait(20)
        return ""

    _, connect = with_node2(hang)
    began = time.monotonic()
    facts = sweep().run(connect, deadline_s=0.8)  # type: ignore[arg-type]
    took = time.monotonic() - began
    release.set()
    assert took < 2
    assert [node.ssh is True for node in facts.nodes] == [True, False, True]
    assert isinstance(facts.nodes[1].galera, Unknown)
    assert "did not answer in time" in str(facts.nodes[1].galera.why)


def test_a_glusterd_that_hangs_takes_no_answer_from_the_others() -> None:
    """Its command ends by its own limit, after the deadline of a short sweep."""
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}

    def slow(command: Command) -> Answer:
        time.sleep(0.5)
        return ""

    for host in HOSTS:
        made[host].answers[GLUSTER_OWN] = slow
    facts = sweep().run(lambda target: made[target.host], deadline_s=0.3)
    assert all(node.ssh is True for node in facts.nodes)


@pytest.mark.parametrize(
    ("error", "ssh"),
    [
        (recorded.away(HOSTS[1]), False),
        (HostKeyChanged(HOSTS[1], "SHA256:a", "SHA256:b"), False),
        (CommandTimeout(say("slow"), say("wait")), True),
    ],
)
def test_the_transports_reason_and_fix_are_kept(error: TransportError, ssh: bool) -> None:
    _, connect = with_node2(error)
    node = sweep().run(connect).nodes[1]  # type: ignore[arg-type]
    assert (node.ssh is True) is ssh
    assert node.env == Unknown(error.why, fix=error.fix, code=error.code)


def test_a_fault_of_our_own_in_one_node_is_that_nodes_unknown() -> None:
    def broken(command: Command) -> Answer:
        raise ZeroDivisionError

    _, connect = with_node2(broken)
    facts = sweep().run(connect)  # type: ignore[arg-type]
    assert [node.ssh is True for node in facts.nodes] == [True, False, True]


def test_the_order_is_that_of_the_settings_whoever_answers_first() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    said = made[HOSTS[0]].answers[BEAT]

    def late(command: Command) -> Answer:
        time.sleep(0.2)
        return said

    made[HOSTS[0]].answers[BEAT] = late
    facts = sweep().run(lambda target: made[target.host])
    assert tuple(node.host for node in facts.nodes) == HOSTS


def test_glusterd_is_never_asked_on_two_nodes_at_once() -> None:
    busy = threading.Lock()
    overlaps = []

    def connect(target: Target) -> Transport:
        made = recorded.transport(HEALTHY, target)

        def asked(kind: str) -> Answer:
            def answer(command: Command) -> Answer:
                if not busy.acquire(blocking=False):
                    overlaps.append(target.host)
                    return ""
                time.sleep(0.01)
                busy.release()
                return recorded.text(HEALTHY, target.host, kind)

            return answer

        made.answers |= {GLUSTER_OWN: asked("gluster"), GLUSTER_POOL: asked("pool")}
        return made

    threads = [threading.Thread(target=lambda: sweep().run(connect)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == []


def test_bricks_are_asked_of_one_node_and_of_the_next_when_it_is_silent() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    made[HOSTS[0]].answers[GLUSTER_POOL] = recorded.away(HOSTS[0])
    facts = sweep().run(lambda target: made[target.host])
    asked = [host for host in HOSTS if any(GLUSTER_POOL in c.argv for c in made[host].asked)]
    assert asked == list(HOSTS[:2])
    for node in facts.nodes:
        assert not isinstance(node.gluster_volumes, Unknown)
        assert node.gluster_volumes[0].well


def test_a_fresh_backlog_is_not_counted_again() -> None:
    brick = f"{HOSTS[0]}:/data/brick1"
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    facts = sweep(backlog=Backlog({brick: 7}, 1.0)).run(lambda target: made[target.host])
    volumes = facts.nodes[0].gluster_volumes
    assert not isinstance(volumes, Unknown)
    assert volumes[0].bricks[0].heal_pending == 7
    (question,) = [c for m in made.values() for c in m.asked if GLUSTER_POOL in c.argv]
    assert question.argv[4:] == ("", "dpiui2")

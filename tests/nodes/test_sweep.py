"""A sweep: one node that hangs or fails costs its own answer only; glusterd is asked singly."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from nodes.domain.observation import NOT_ASKED, Unknown
from nodes.domain.parse_gluster import HealCount
from nodes.domain.parse_node import carried
from nodes.domain.text import say
from nodes.probes import gluster
from nodes.probes.gluster import Backlog, View
from nodes.probes.gluster_script import GLUSTER_OWN, GLUSTER_POOL
from nodes.probes.patience import Patience, wait_s
from nodes.probes.script import BEAT
from nodes.probes.sweep import Asked, Known, Sweep
from nodes.transport.base import (
    Command,
    CommandTimeout,
    HostKeyChanged,
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


def test_a_steady_beat_does_not_wait_and_takes_the_answer_later() -> None:
    release = threading.Event()
    said = recorded.transport(HEALTHY, recorded.targets()[1]).answers[BEAT]

    def hang(command: Command) -> Answer:
        release.wait(20)
        return said

    made, connect = with_node2(hang)
    asked = Asked(8)
    assert set(asked.facts(sweep(), connect, 0.5)) == {HOSTS[0], HOSTS[2]}  # type: ignore[arg-type]
    assert set(asked.facts(sweep(), connect, 0.5)) == {HOSTS[0], HOSTS[2]}  # type: ignore[arg-type]
    assert len(made[HOSTS[1]].asked) == 1  # never a second question beside one that hangs
    release.set()
    found = asked.facts(sweep(), connect, 10)  # type: ignore[arg-type]
    asked.close()
    assert found[HOSTS[1]].ssh is True
    assert len(made[HOSTS[1]].asked) == 1


def test_a_node_whose_question_hangs_is_told_to_be_late_until_it_answers() -> None:
    release = threading.Event()
    said = recorded.transport(HEALTHY, recorded.targets()[1]).answers[BEAT]

    def hang(command: Command) -> Answer:
        release.wait(20)
        return said

    made, connect = with_node2(hang)
    asked, short = Asked(8), sweep(full_s=0.3)
    assert HOSTS[1] not in asked.facts(short, connect, 0.1)  # type: ignore[arg-type]
    late = asked.facts(short, connect, 0.4)[HOSTS[1]]  # type: ignore[arg-type]
    assert isinstance(late.ssh, Unknown)
    assert late.ssh.code == "late"
    assert len(made[HOSTS[1]].asked) == 1
    release.set()
    assert asked.facts(short, connect, 10)[HOSTS[1]].ssh is True  # type: ignore[arg-type]
    asked.close()


def test_a_node_that_is_away_is_tried_again_after_a_while() -> None:
    made, connect = with_node2(recorded.away(HOSTS[1]))
    now = [0.0]
    asked = Asked(8, Patience(lambda: now[0], lambda: now[0]))
    dates = []
    for now[0] in (1000.0, 1001.0, 1002.0, 1002.5, 1003.0, 1003.5, 1008.0):
        found = asked.facts(sweep(), connect, 10)  # type: ignore[arg-type]
        dates.append(found[HOSTS[1]].taken_at)
    asked.close()
    assert len(made[HOSTS[1]].asked) == 4  # at once, once more, then after 2 and 4 seconds
    assert dates[2:4] == [1002.0, 1002.5]  # the reason is told with the date of now


def test_a_refusal_ends_when_the_node_has_answered_somebody_else() -> None:
    made, connect = with_node2(recorded.away(HOSTS[1]))
    made[HOSTS[1]].answers[BEAT] = HostKeyChanged(HOSTS[1], "SHA256:a", "SHA256:b")
    asked = Asked(8, Patience(time.monotonic, time.time))
    told = asked.facts(sweep(), connect, 10)[HOSTS[1]].ssh  # type: ignore[arg-type]
    assert isinstance(told, Unknown)
    made[HOSTS[1]].answers[BEAT] = recorded.transport(HEALTHY, recorded.targets()[1]).answers[BEAT]
    before = sweep(known={HOSTS[1]: Known(answered_at=time.time() - 60)})
    assert asked.facts(before, connect, 10)[HOSTS[1]].ssh == told  # type: ignore[arg-type]
    since = sweep(known={HOSTS[1]: Known(answered_at=time.time())})
    assert asked.facts(since, connect, 10)[HOSTS[1]].ssh is True  # type: ignore[arg-type]
    asked.close()


@pytest.mark.parametrize(
    ("failures", "code", "seconds"),
    [(1, "", 0), (2, "", 2), (3, "", 4), (4, "", 8), (9, "", 10), (1, "ssh_auth", 60)],
)
def test_patience_grows_and_a_refused_login_is_rare(
    failures: int, code: str, seconds: float
) -> None:
    assert wait_s(failures, code) == seconds


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


def test_what_hardly_changes_is_left_out_and_carried_over() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    known = {HOSTS[0]: Known(datadir="/srv/db", bricks=("/data/b",), quick=True)}
    facts = sweep(known=known, page_url="https://{host}/").run(lambda target: made[target.host])
    assert made[HOSTS[0]].asked[0].argv[6:] == (
        "",
        "quick",
        "/srv/db",
        f"https://{HOSTS[0]}/",
        "/data/b",
    )
    assert made[HOSTS[1]].asked[0].argv[6:] == ("", "all", "", f"https://{HOSTS[1]}/")
    quick, whole = facts.nodes[0], facts.nodes[1]
    assert quick.versions == NOT_ASKED
    older = replace(whole, host=HOSTS[0], boot_id=quick.boot_id)
    merged = carried(quick, older)
    assert merged.versions == whole.versions
    assert merged.read_at["slow"] == whole.read_at["slow"]
    assert carried(quick, replace(older, boot_id="another")).versions == NOT_ASKED


def test_the_marker_can_be_asked_with_the_quick_question() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    known = {HOSTS[0]: Known(quick=True, marker=True)}
    facts = sweep(known=known).run(lambda target: made[target.host])
    assert made[HOSTS[0]].asked[0].argv[7] == "quick marker"
    older = replace(facts.nodes[1], boot_id=facts.nodes[0].boot_id, bootstrap_marker="left")
    assert carried(facts.nodes[0], older).bootstrap_marker == ""


def test_which_units_are_there_is_carried_over_and_what_they_do_is_not() -> None:
    said = recorded.sweep(HEALTHY).nodes[0]
    starts = {"mariadb": "enabled"}
    old = replace(said, units={"mariadb": "active", "glusterd": "not-found"})
    old = replace(old, extra={**said.extra, "enabled": starts})
    new = replace(said, units={"mariadb": "failed", "glusterd": "inactive"}, read_at={"beat": 9.0})
    new = replace(new, extra={**said.extra, "enabled": {}})
    assert carried(new, old).units == {"mariadb": "failed", "glusterd": "not-found"}
    assert carried(new, old).extra["enabled"] == starts
    started = replace(new, units={"mariadb": "failed", "glusterd": "active"})
    assert carried(started, old).units["glusterd"] == "active"  # type: ignore[index]


def test_a_storage_that_is_only_read_says_when_it_was_written_to() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    known = {HOSTS[0]: Known(write=False)}
    facts = sweep(known=known).run(lambda target: made[target.host])
    assert [m.asked[0].argv[5] == "" for m in made.values()] == [True, False, False]
    assert ["write" in node.read_at for node in facts.nodes] == [False, True, True]
    older = replace(facts.nodes[0], read_at={"beat": 1.0, "slow": 1.0, "write": 1.0})
    assert carried(facts.nodes[0], older).read_at["write"] == 1.0


def views(made: dict[str, ScriptedTransport], backlog: Backlog | None = None) -> dict[str, View]:
    return gluster.views(
        lambda target: made[target.host], recorded.targets(), backlog, time.monotonic() + 30
    )


def test_glusterd_is_asked_one_node_after_the_other() -> None:
    busy = threading.Lock()
    overlaps = []
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}

    def asked(host: str, kind: str) -> Answer:
        def answer(command: Command) -> Answer:
            if not busy.acquire(blocking=False):
                overlaps.append(host)
                return ""
            time.sleep(0.01)
            busy.release()
            return recorded.text(HEALTHY, host, kind)

        return answer

    for host in HOSTS:
        made[host].answers |= {
            GLUSTER_OWN: asked(host, "gluster"),
            GLUSTER_POOL: asked(host, "pool"),
        }
    assert set(views(made)) == set(HOSTS)
    assert overlaps == []


def test_bricks_are_asked_of_one_node_and_of_the_next_when_it_is_silent() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    made[HOSTS[0]].answers[GLUSTER_POOL] = recorded.away(HOSTS[0])
    found = views(made)
    asked = [host for host in HOSTS if any(GLUSTER_POOL in c.argv for c in made[host].asked)]
    assert asked == list(HOSTS[:2])
    for view in found.values():
        assert not isinstance(view.volumes, Unknown)
        assert view.volumes[0].well


def test_a_fresh_backlog_is_not_counted_again() -> None:
    brick = f"{HOSTS[0]}:/data/brick1"
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    volumes = views(made, Backlog({brick: HealCount(7, 1)}, 1.0))[HOSTS[0]].volumes
    assert not isinstance(volumes, Unknown)
    assert (volumes[0].bricks[0].heal_pending, volumes[0].bricks[0].split_brain) == (7, 1)
    (question,) = [c for m in made.values() for c in m.asked if GLUSTER_POOL in c.argv]
    assert question.argv[4:] == ("", "dpiui2")


def test_without_time_left_nobody_is_asked() -> None:
    made = {t.host: recorded.transport(HEALTHY, t) for t in recorded.targets()}
    found = gluster.views(
        lambda target: made[target.host], recorded.targets(), None, time.monotonic()
    )
    assert found == {}
    assert not any(m.asked for m in made.values())

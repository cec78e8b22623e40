"""Simulated nodes used as the panel uses real ones: by scripts, jobs and faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nodes.probes import gluster
from nodes.probes.gluster_script import GLUSTER_OWN
from nodes.simulation import events
from nodes.simulation.cluster import SimulatedCluster
from nodes.transport.base import (
    AuthFailed,
    Closed,
    Command,
    CommandTimeout,
    ConnectionLost,
    HostKeyChanged,
    HostKeyUnknown,
    Output,
    Target,
    Unreachable,
    script,
)
from nodes.transport.simulated import SimulatedTransport, connect, host_key, scan_host_key
from operations.domain.abandonment import Locked
from operations.runtime import node_lock
from operations.runtime.jobs import Head, Job, Part, Place, Tail, following, stop

A, B, C = "10.0.0.11", "10.0.0.12", "10.0.0.13"
PLACE = Place()
PANEL = "panel-1"


@pytest.fixture(params=["this machine's /proc", "a /proc of its own"])
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SimulatedCluster]:
    own = request.param == "a /proc of its own"
    if not own and not Path("/proc/self/stat").exists():
        pytest.skip("this machine has no /proc")
    made = SimulatedCluster.create(tmp_path / "cluster", (A, B, C), keeps_proc=own)
    yield made
    for host in (A, B, C):
        made.power_off(host)  # no process outlives its test


def target(cluster: SimulatedCluster, host: str) -> Target:
    return Target(host, 22, "root", (host_key(cluster, host),), password="secret")


def on(cluster: SimulatedCluster, host: str) -> SimulatedTransport:
    return connect(cluster, target(cluster, host))


def run(cluster: SimulatedCluster, host: str, text: str, *args: str) -> Output:
    return on(cluster, host).run(script(text, *args, timeout_s=60))


def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_node_has_files_of_its_own(cluster: SimulatedCluster) -> None:
    run(cluster, A, "echo one > /var/lib/clusterpanel/x")
    assert run(cluster, B, "test -e /var/lib/clusterpanel/x").exit_code == 1
    assert run(cluster, A, "echo /var/lib/clusterpanel/*").text == "/var/lib/clusterpanel/x\n"
    assert (cluster.root(A) / "var/lib/clusterpanel/x").read_text() == "one\n"


def test_standard_input_is_data_and_keeps_its_paths(cluster: SimulatedCluster) -> None:
    command = script("cat > /etc/copy", stdin=b"path=/var/lib/mysql\n")
    on(cluster, A).run(command)
    assert (cluster.root(A) / "etc/copy").read_bytes() == b"path=/var/lib/mysql\n"


def test_a_node_is_root_by_its_own_name(cluster: SimulatedCluster) -> None:
    assert run(cluster, B, "id -u; hostname; hostname -I").text.split() == ["0", "node2", B]


def test_an_edited_grastate_counts(cluster: SimulatedCluster) -> None:
    cluster.happen(
        events.Configure(A, (A, B, C)),
        events.StopUnit(A, "mariadb.service"),
        events.NewCluster(A),
        events.StopUnit(A, "mariadb.service"),
    )
    settings = cluster.root(A) / "etc/mysql/mariadb.conf.d/60-galera.cnf"
    settings.write_text(f"wsrep_on = ON\nwsrep_cluster_address = gcomm://{A},{B},{C}\n")
    flag = "sed -i 's/^safe_to_bootstrap: 1/safe_to_bootstrap: 0/' /var/lib/mysql/grastate.dat"
    assert run(cluster, A, f"{flag}; galera_new_cluster").exit_code == 1
    assert "may not be safe" in run(cluster, A, "journalctl -u mariadb").text


def test_two_processes_see_the_same_nodes(cluster: SimulatedCluster) -> None:
    run(cluster, A, "systemctl stop mariadb")
    other = SimulatedCluster.at(cluster.layout.base)
    assert run(other, A, "systemctl is-active mariadb").text == "inactive\n"


def test_a_statement_is_refused_by_a_stopped_database(cluster: SimulatedCluster) -> None:
    done = run(cluster, A, "systemctl stop mariadb; mariadb -Nse 'SELECT 1'")
    assert (done.exit_code, b"ERROR 2002" in done.stderr) == (1, True)


# The way to the node


def test_an_unknown_and_a_changed_host_key_stop_everything(cluster: SimulatedCluster) -> None:
    with pytest.raises(HostKeyUnknown):
        connect(cluster, Target(A, 22, "root", password="secret"))
    before = target(cluster, A)
    cluster.change_host_key(A)
    with pytest.raises(HostKeyChanged):
        connect(cluster, before)
    assert scan_host_key(cluster, A) == [host_key(cluster, A)]


def test_a_node_without_power_does_not_answer(cluster: SimulatedCluster) -> None:
    cluster.power_cut(A)
    with pytest.raises(Unreachable):
        on(cluster, A)
    cluster.power_on(A)
    until(lambda: cluster.node(A).up)
    assert run(cluster, A, "true").exit_code == 0


def test_a_login_can_be_refused(cluster: SimulatedCluster) -> None:
    cluster.link(A, refused=True)
    with pytest.raises(AuthFailed):
        on(cluster, A)


def test_a_cut_connection_is_lost_and_a_new_one_works(cluster: SimulatedCluster) -> None:
    transport = on(cluster, A)
    threading.Timer(0.5, cluster.cut_connections, (A,)).start()
    with pytest.raises(ConnectionLost):
        transport.run(Command(("sleep", "30"), timeout_s=40))
    assert run(cluster, A, "echo again").text == "again\n"


def test_the_clock_can_be_read_while_other_commands_begin(cluster: SimulatedCluster) -> None:
    read = "i=0; while [ $i -lt 20000 ]; do read -r up _ < /proc/uptime || exit 1; i=$((i+1)); done"
    done: list[int] = []
    reader = threading.Thread(target=lambda: done.append(run(cluster, A, read).exit_code))
    reader.start()
    while reader.is_alive():
        run(cluster, A, ":")
    assert done == [0]


def test_a_command_that_takes_too_long_is_told_to_stop(cluster: SimulatedCluster) -> None:
    with pytest.raises(CommandTimeout):
        on(cluster, A).run(Command(("sleep", "30"), timeout_s=0.3))


def test_garbage_is_garbage_and_a_slow_node_is_slow(cluster: SimulatedCluster) -> None:
    cluster.link(A, garbage=True, slow_s=0.4)
    began = time.monotonic()
    assert run(cluster, A, "echo yes").stdout.startswith(b"\x1b[2J\xff\xfe")
    assert time.monotonic() - began > 0.4


def test_a_cut_ends_only_what_does_not_ask_to_stay(cluster: SimulatedCluster) -> None:
    """As sshd: it kills nothing, so a script that starts a job is not stopped half way."""
    text = "%s; echo begun; sleep 0.5; echo >> /tmp/$1"
    for name, what in (("stays", "trap '' HUP PIPE"), ("goes", ":")):
        with on(cluster, A).stream(script(text % what, name)) as stream:
            assert stream.read(5) == b"begun\n"
            cluster.cut_connections(A)
            with pytest.raises(ConnectionLost):
                stream.read(5)
    until(lambda: (cluster.root(A) / "tmp/stays").exists())
    time.sleep(0.5)
    assert not (cluster.root(A) / "tmp/goes").exists()


def test_no_tunnel_is_offered(cluster: SimulatedCluster) -> None:
    with pytest.raises(Closed):
        on(cluster, A).tunnel(3306)


# Jobs


def job(*argv: str, attempt: int = 1) -> Job:
    return Job("run1", "step", A, attempt, argv)


def lock(cluster: SimulatedCluster) -> None:
    claim = node_lock.Claim(PANEL, "run1", "2026-01-01T00:00:00Z", "admin")
    assert node_lock.take(on(cluster, A), PLACE, claim) is None


def follow(
    cluster: SimulatedCluster, what: Job, *, offset: int = 0, may_start: bool = True
) -> tuple[Head, bytes, Tail]:
    parts: list[Part] = []
    with following(
        on(cluster, A), PLACE, PANEL, what, offset=offset, may_start=may_start
    ) as attached:
        while not attached.over:
            parts += attached.read(5)
    (head,) = (part for part in parts if isinstance(part, Head))
    (tail,) = (part for part in parts if isinstance(part, Tail))
    return head, b"".join(part for part in parts if isinstance(part, bytes)), tail


def test_a_job_runs_detached_and_its_log_is_whole(cluster: SimulatedCluster) -> None:
    lock(cluster)
    head, log, tail = follow(cluster, job("sh", "-c", "echo one; echo two >&2; exit 3"))
    assert (head.begun, log, tail.state, tail.exit_code) == ("started", b"one\ntwo\n", "ended", 3)
    head, log, _ = follow(cluster, job("sh", "-c", "echo never"), offset=4)
    assert (head.begun, log) == ("attached", b"two\n")


def follow_until_lost(cluster: SimulatedCluster, what: Job, lose: Callable[[], None]) -> None:
    """Once the job has written something, `lose` ends the connection."""

    def follow_it() -> None:
        with following(on(cluster, A), PLACE, PANEL, what, offset=0, may_start=True) as attached:
            while not any(isinstance(part, bytes) for part in attached.read(5)):
                assert not attached.over
            lose()
            while not attached.over:
                attached.read(5)

    with pytest.raises(ConnectionLost):
        follow_it()


def test_the_end_of_a_job_is_seen_at_once_whatever_process_1_does(
    cluster: SimulatedCluster,
) -> None:
    """A process that nobody waits for looks alive to `tail --pid`."""
    lock(cluster)
    what = job("sh", "-c", 'date +%s.%N > "$HOME/over"')
    follow(cluster, what)
    assert time.time() - float((cluster.root(A) / "root/over").read_text()) < 0.5


def test_a_job_outlives_its_connection(cluster: SimulatedCluster) -> None:
    lock(cluster)
    what = job("sh", "-c", "echo begun; sleep 1.5; echo done")
    follow_until_lost(cluster, what, lambda: cluster.cut_connections(A))
    head, log, tail = follow(cluster, what, may_start=False)
    assert (head.begun, log, tail.exit_code) == ("attached", b"begun\ndone\n", 0)


def test_a_power_cut_ends_a_job_without_an_exit_code(cluster: SimulatedCluster) -> None:
    lock(cluster)
    what = job("sh", "-c", "echo begun; sleep 60")
    follow_until_lost(cluster, what, lambda: cluster.power_cut(A))
    cluster.power_on(A)
    until(lambda: cluster.node(A).up)
    _, log, tail = follow(cluster, what, may_start=False)
    assert (log, tail.state, tail.exit_code) == (b"begun\n", "rebooted", None)


def test_a_job_can_be_stopped_whole(cluster: SimulatedCluster) -> None:
    lock(cluster)
    what = job("sh", "-c", "echo begun; sleep 60 & sleep 60")
    with following(on(cluster, A), PLACE, PANEL, what, offset=0, may_start=True) as attached:
        until(lambda: b"begun\n" in attached.read(1))
    assert stop(on(cluster, A), PLACE, what).state == "stopped"


def test_on_a_full_disk_nothing_is_started(cluster: SimulatedCluster) -> None:
    lock(cluster)
    cluster.fill_disk(A)
    with following(
        on(cluster, A), PLACE, PANEL, job("echo", "x"), offset=0, may_start=True
    ) as attached:
        parts = [part for _ in range(20) if not attached.over for part in attached.read(1)]
    assert [part.begun for part in parts if isinstance(part, Head)] == ["nospace"]
    assert run(cluster, A, "df -Pk / | awk 'NR == 2 { print $4 }'").text == "0\n"

    cluster.fill_disk(A, full=False)
    assert follow(cluster, job("echo", "room", attempt=2))[1] == b"room\n"


def test_a_lock_gives_signs_of_life_and_is_taken_over_after_silence(
    cluster: SimulatedCluster,
) -> None:
    """By the node's own uptime and boot id; a restart of the node makes nobody look alive."""
    old = node_lock.Claim(PANEL, "run1", "2026-01-01T00:00:00Z", "admin", (A,), limit_s=1)
    new = node_lock.Claim("panel-2", "run2", "2026-01-01T00:00:00Z", "maria", (A,))
    assert node_lock.take(on(cluster, A), PLACE, old) is None
    held = node_lock.take(on(cluster, A), PLACE, new)
    assert held == node_lock.Held(PANEL, "run1", "2026-01-01T00:00:00Z", "admin", (A,))
    assert node_lock.beat(on(cluster, A), PLACE, old)
    cluster.reboot(A)
    sign = Locked(None, None)
    while (sign.silent_s or 0) < 1:
        if cluster.node(A).up:
            found = node_lock.signs(on(cluster, A), PLACE, held)
            assert isinstance(found, Locked)
            sign = found
    left = node_lock.Left(PANEL, "run1", sign.beat)
    assert node_lock.take(on(cluster, A), PLACE, new, replaces=left) is None
    assert not node_lock.beat(on(cluster, A), PLACE, old)


def test_a_glusterd_that_was_never_used_is_not_asked(cluster: SimulatedCluster) -> None:
    """It is known to have nothing, however slowly its command line would say so."""
    run(cluster, A, "systemctl stop glusterd")
    assert "volumes" not in run(cluster, A, GLUSTER_OWN).text
    seen = gluster.view(lambda _: on(cluster, A), target(cluster, A), time.monotonic() + 60)
    assert (seen.peers, seen.volumes) == ((), ())

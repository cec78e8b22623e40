"""Real servers under write load: one restarted, all restarted in turn, the cluster stopped and started.

`POWER=1 python -m pytest -s tests/e2e/test_power.py` plays it, in about fifteen minutes.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any

import pytest

from tests.e2e.panel import Client, Panel, wait_for
from tests.e2e.power_site import STORAGE, Site, load, told

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("POWER"), reason="fifteen minutes: POWER=1"),
    pytest.mark.timeout(3600),
]


@pytest.fixture(scope="module")
def office(panel: Panel, pristine_lab: dict[str, Any]) -> Site:
    return Site(panel, pristine_lab)


def test_a_restarted_server_fails_nobody_elses_write(office: Site) -> None:
    boot = office.nodes[2].run("cat /proc/sys/kernel/random/boot_id")
    with load(office, 0, 1) as notes:
        took = office.done("restart_node", node=office.hosts[2], service="host")
    told("one server restarted", took, notes)
    assert office.nodes[2].run("cat /proc/sys/kernel/random/boot_id") != boot
    assert not [line for note in notes.values() for line in note.failed]
    office.check_data(notes)


def test_the_panel_goes_down_with_the_server_that_it_restarts(office: Site, panel: Panel) -> None:
    """As when it runs there: every process of it is killed as the server goes down, and its service
    starts it again with the server."""
    third, host = office.nodes[2], office.hosts[2]
    boots = len(third.run("journalctl --list-boots --no-pager").splitlines())
    wait_for(lambda: office.asked("restart_node", {"node": host, "service": "host"}), 300, "no")
    run, began = office.newest(), time.monotonic()
    step = partial(_restart_step, office.client, run)
    wait_for(lambda: step() != "pending", 60, "it never began")
    wait_for(lambda: step() not in ("pending", "running"), 60, "it was never ordered")
    panel.power_cut()
    wait_for(lambda: third.run("echo up", may_break=True) != "up", 60, "it does not go down")
    wait_for(lambda: third.run("echo up", may_break=True) == "up", 120, "it does not come back")
    panel.again()
    snapshot = office.client.finished(run, 900)
    assert snapshot["state"] == "succeeded", snapshot["sentence"]
    told("the server of the panel restarted", time.monotonic() - began, {})
    assert len(third.run("journalctl --list-boots --no-pager").splitlines()) == boots + 1
    first = snapshot["stages"][0]["steps"][0]
    assert third.job_starts(run, first["key"]) == 1
    assert {node.wsrep("wsrep_cluster_size") for node in office.nodes} == {"3"}


def _restart_step(client: Client, run: str) -> str:
    return str(client.get(f"/runs/{run}")["stages"][0]["steps"][0]["state"])


def test_services_are_restarted_and_nobody_elses_write_fails(office: Site) -> None:
    for service in ("mariadb", "glusterd"):
        with load(office, 0, 1) as notes:
            took = office.done("restart_node", node=office.hosts[2], service=service)
        told(f"{service} restarted", took, notes)
        assert not [line for note in notes.values() for line in note.failed]
        office.check_data(notes)


def test_all_servers_are_restarted_in_turn_under_load(office: Site) -> None:
    """The writer of a server ends with it; the others go on."""
    boots = [node.run("cat /proc/sys/kernel/random/boot_id") for node in office.nodes]
    with load(office, 0) as notes:
        took = office.done("rolling_restart", service="host", nodes=office.hosts[1:])
    told("two of three restarted in turn", took, notes)
    assert not notes[0].failed
    office.check_data(notes)
    took = office.done("rolling_restart", service="host", nodes=[office.hosts[0]])
    told("the primary restarted as the last", took, {})
    now = [node.run("cat /proc/sys/kernel/random/boot_id") for node in office.nodes]
    assert all(a != b for a, b in zip(boots, now, strict=True))
    assert {node.wsrep("wsrep_cluster_size") for node in office.nodes} == {"3"}


def test_the_cluster_is_stopped_and_started_with_all_its_data(office: Site) -> None:
    with load(office, 0, 1, 2) as notes:
        pass
    stopped = office.done("stop_cluster")
    told("cluster stopped", stopped, notes)
    for node in office.nodes:
        assert node.run("systemctl is-active mariadb", may_break=True) == "inactive"
    started = office.done("start_cluster")
    told("cluster started", started, {})
    assert {node.wsrep("wsrep_cluster_size") for node in office.nodes} == {"3"}
    office.check_data(notes)
    assert {node.run("systemctl is-enabled mariadb") for node in office.nodes} == {"enabled"}
    assert {node.run("systemctl is-active dpiui2-worker") for node in office.nodes} == {"active"}


def test_both_services_of_a_server_are_stopped_and_come_back(office: Site) -> None:
    """With KillMode=process in its unit, as on EL, a stop of glusterd alone would leave the bricks."""
    third = office.nodes[2]
    folder = "/etc/systemd/system/glusterd.service.d"
    third.run(f"mkdir -p {folder} && printf '[Service]\\nKillMode=process\\n' > {folder}/el.conf")
    third.run("systemctl daemon-reload")
    with load(office, 0, 1) as notes:
        stopped = office.done("stop_node", node=office.hosts[2], service="host")
        left = third.run("cat /proc/[0-9]*/comm | grep -E '^(mariadbd|gluster)' || :")
        assert left == ""
        assert third.run(f"findmnt -n {STORAGE} || echo none") == "none"
        started = office.done("start_node", node=office.hosts[2], service="host")
    told("both services stopped", stopped, notes)
    told("both services started", started, {})
    assert not [line for note in notes.values() for line in note.failed]
    office.check_data(notes)


def _moved(client: Client, run: str) -> list[str]:
    """What the run's page said of bytes and their rate."""
    lines = client.get(f"/runs/{run}/log?after=0&limit=1000")["lines"]
    return [line["text"] for line in lines if "B/s" in str(line.get("text"))]


def _rated(office: Site) -> list[Any]:
    """The transfers that the dashboard shows, once it knows how fast they are."""
    time.sleep(1)
    status = office.client.get(f"/clusters/{office.cluster}/status")
    return [each for each in status["verdict"]["transfers"] if each["rate"]]


def _told_of_bytes(client: Client, run: str) -> bool:
    time.sleep(1)  # each look costs the panel something, and the servers share its machine
    return bool(_moved(client, run))


# Under its own name, which tells what goes on; the scripts of a transfer look into /usr/bin first.
SLOW_RSYNC = """#!/bin/sh
case " $* " in *" --daemon "*) exec /opt/slow/rsync "$@" ;; esac
exec /opt/slow/rsync --bwlimit=2500k "$@"
"""
BIG = (
    "CREATE TABLE dpiui2.big (n INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB);"
    "INSERT INTO dpiui2.big (b) SELECT REPEAT('x', 1048576) FROM dpiui2.seq_1_to_64"
)
OTHER = "UPDATE dpiui2.big SET b = REPEAT('y', 1048576)"


def test_a_transfer_that_takes_longer_than_any_step_may(office: Site, panel: Panel) -> None:
    """It may take 10 s without anything that moves, and takes longer. What it overwrites was there
    before, so the size of the data directory does not tell."""
    third, host = office.nodes[2], office.hosts[2]
    office.nodes[0].sql(BIG)
    for node in office.nodes:
        node.run("mkdir -p /opt/slow && mv /usr/bin/rsync /opt/slow/rsync")
        node.write("/usr/bin/rsync", SLOW_RSYNC.encode())
        node.run("chmod 755 /usr/bin/rsync")
    panel.stop()
    panel.again(STEP_PATIENCE_S="10")
    third.run("systemctl stop mariadb && rm -f /var/lib/mysql/grastate.dat")
    office.nodes[0].sql(OTHER)  # rsync sends only what differs
    wait_for(lambda: office.asked("start_node", {"node": host, "service": "mariadb"}), 300, "no")
    run, began = office.newest(), time.monotonic()
    wait_for(partial(_told_of_bytes, office.client, run), 120, "nothing is said of bytes")
    wait_for(lambda: bool(_rated(office)), 60, "the dashboard knows no rate")
    (moving,) = _rated(office)
    snapshot = office.client.finished(run, 900)
    took, moved = time.monotonic() - began, _moved(office.client, run)
    told("a slow transfer", took, {})
    print(moving, flush=True)
    assert (moving["kind"], moving["joiner"]) == ("SST", host)
    assert 0 < moving["done"] < moving["total"]
    assert moving["rate"] > 1e6
    print(*moved, sep="\n", flush=True)
    assert snapshot["state"] == "succeeded", snapshot["sentence"]
    assert took > 20
    assert moved
    for node in office.nodes:
        node.run("mv /opt/slow/rsync /usr/bin/rsync")
    assert third.sql("SELECT COUNT(*) FROM dpiui2.big") == "64"

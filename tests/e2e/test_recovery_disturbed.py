"""Recoveries on real servers into which somebody puts his hands, and what they leave behind.

NIGHTS=1 .venv/bin/python -m pytest -q tests/e2e/test_recovery_disturbed.py
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.panel import Panel, wait_for
from tests.e2e.test_recovery_nights import APP, NIGHTS, Night

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not NIGHTS, reason="NIGHTS=1 plays every night"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def night(panel: Panel, pristine_lab: dict[str, Any]) -> Night:
    return Night(panel, pristine_lab)


def by_hand(night: Night, place: int, verb: str) -> None:
    night.nodes[place - 1].run(f"systemctl --no-block {verb} mariadb")


def stopped_and_begun(night: Night) -> str:
    """A run of the recovery that has just proven its first server."""
    night.write(1)
    night.stop(3, 2, 1)
    night.does("survey_galera")
    run = night.start("recover_galera")
    wait_for(lambda: states(night, run)[0] == "succeeded", 90, "no bootstrap")
    return run


def states(night: Night, run: str) -> list[str]:
    stages = night.client.get(f"/runs/{run}")["stages"]
    return [step["state"] for stage in stages for step in stage["steps"]]


def bootstraps(night: Night, run: str) -> int:
    return sum(len(node.jobs_of(run, f"bootstrap-{n}")) for node in night.nodes for n in (1, 2, 3))


def ends_well(night: Night, run: str) -> str:
    """To its end, by itself or as a person would; what it said when it stopped, "" if it did not."""
    snapshot, said = night.client.finished(run), ""
    if snapshot["state"] != "succeeded":
        said = str(snapshot["failure"]["sentence"])
        wait_for(lambda: calm(night), 120, "somebody still starts")
        night.client.post(f"/runs/{run}/resume")
        snapshot = night.client.finished(run)
    assert snapshot["state"] == "succeeded", (said, snapshot["sentence"])
    assert bootstraps(night, run) == 1
    night.back()
    return said


def calm(night: Night) -> bool:
    units = [n.run("systemctl is-active mariadb", may_break=True) for n in night.nodes]
    return all(unit in ("active", "inactive", "failed") for unit in units)


def test_a_waiting_server_is_started_by_hand_before_the_first_join(night: Night) -> None:
    """The plan joins node2 first; somebody starts node3."""
    run = stopped_and_begun(night)
    by_hand(night, 3, "start")
    print(
        "\nstarted by hand before the first join:", ends_well(night, run) or "went on", flush=True
    )


def test_a_waiting_server_is_started_by_hand_during_the_first_join(night: Night) -> None:
    run = stopped_and_begun(night)
    wait_for(lambda: states(night, run)[1] != "pending", 60, "no join")
    by_hand(night, 3, "start")
    print(
        "\nstarted by hand during the first join:", ends_well(night, run) or "went on", flush=True
    )


def test_the_joining_server_is_killed_and_comes_back(night: Night) -> None:
    """systemd starts it again after five seconds (Restart=on-abnormal)."""
    run = stopped_and_begun(night)
    wait_for(lambda: states(night, run)[1] != "pending", 60, "no join")
    wait_for(lambda: night.nodes[1].run("pgrep -c mariadbd", may_break=True) != "0", 30, "no start")
    night.nodes[1].run("systemctl kill -s KILL mariadb")
    print("\nthe joiner killed:", ends_well(night, run) or "went on", flush=True)


def test_the_first_server_is_restarted_by_hand_and_nobody_is_left(night: Night) -> None:
    """Then no component lives any more: this run must not begin another one, a new look may."""
    run = stopped_and_begun(night)
    by_hand(night, 1, "restart")
    snapshot = over_or_cancelled(night, run, 150)
    if snapshot["state"] != "succeeded":
        print("\nthe first one restarted by hand:", said(snapshot), flush=True)
        if night.client.call("POST", f"/runs/{run}/resume", {})[0] == 200:
            snapshot = over_or_cancelled(night, run, 150)
    assert bootstraps(night, run) == 1
    if snapshot["state"] != "succeeded":
        print("gone on with:", said(snapshot), flush=True)
        recovered_anew(night)
    night.back()


def over_or_cancelled(night: Night, run: str, patience_s: float) -> Any:
    """A server that waits for a component which is gone is waited for until a person has enough."""
    deadline = time.monotonic() + patience_s
    while night.client.get(f"/runs/{run}")["state"] in ("waiting", "running"):
        if time.monotonic() > deadline:
            night.client.post(f"/runs/{run}/cancel")
            break
        time.sleep(1)
    return night.client.finished(run)


def said(snapshot: Any) -> str:
    return str((snapshot["failure"] or snapshot)["sentence"])


def recovered_anew(night: Night) -> None:
    """What the page says to do: positions, if they are asked for; then the recovery."""
    deadline = time.monotonic() + 180
    while True:
        for procedure in ("recover_galera", "survey_galera"):
            asked: dict[str, Any] = {"procedure": procedure, "params": {}}
            status, answer = night.client.call("POST", f"/clusters/{night.cluster}/plans", asked)
            if status == 200:
                night.does(procedure)
                if procedure == "recover_galera":
                    return
        if answer.get("code") == "nothing_to_do" and whole(night):
            return
        assert time.monotonic() < deadline, answer
        time.sleep(1)


def whole(night: Night) -> bool:
    sizes = {
        node.run("mariadb -NBe \"SHOW STATUS LIKE 'wsrep_cluster_size'\"", may_break=True)
        for node in night.nodes
    }
    return sizes == {"wsrep_cluster_size\t3"}


def test_a_server_that_was_alone_last_is_no_cluster_of_its_own(night: Night) -> None:
    """Its gvwstate.dat names only itself, and it does not hear the others."""
    third = night.nodes[2]
    night.kill(3)
    night.sized(1, 2)
    member = "11111111-2222-11f1-8000-000000000003"
    view = f"my_uuid: {member}\\n#vwbeg\\nview_id: 3 {member} 9\\nbootstrap: 0\\nmember: {member} 0\\n#vwend\\n"
    third.run(f"printf '{view}' > /var/lib/mysql/gvwstate.dat")
    third.run("chown mysql:mysql /var/lib/mysql/gvwstate.dat")
    night.write(1)
    night.power("partition", 3)
    try:
        run = night.start("start_node", node=night.hosts[2], service="mariadb")
        snapshot = night.client.finished(run)
        assert snapshot["state"] == "failed"
        assert "mariadb failed on" in snapshot["failure"]["sentence"]
        assert "set aside" in night.client.log(run)
    finally:
        night.power("rejoin", 3)
    night.does("start_node", node=night.hosts[2], service="mariadb")
    night.back()


def test_settings_that_differ_are_said_by_the_last_step_and_written_by_a_person(
    night: Night,
) -> None:
    third = night.nodes[2]
    other = f"{night.hosts[1]},{night.hosts[0]}"
    third.run(f"sed -i 's/^GALERA_PEER_HOSTS=.*/GALERA_PEER_HOSTS={other}/' {APP}/.env")
    before = third.file(f"{APP}/.env")
    night.write(1)
    night.kill(1, 2, 3)
    run = night.start("recover_galera")
    snapshot = night.client.finished(run)
    assert snapshot["state"] == "failed"
    assert "The cluster runs, but" in snapshot["failure"]["sentence"]
    assert "applies the panel's" in snapshot["failure"]["fix"]
    night.back()
    assert third.file(f"{APP}/.env") == before  # nothing is written unasked
    night.does("apply_settings")
    night.client.post(f"/runs/{run}/resume")
    assert night.client.finished(run)["state"] == "succeeded"
    assert bootstraps(night, run) == 0

"""Real servers, broken as they break at night, brought back by the panel; every row is counted.

Two nights by default. All of them, with GlusterFS (about six minutes on two cores):

    NIGHTS=1 .venv/bin/python -m pytest -q tests/e2e/test_recovery_nights.py
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import steps
from tests.e2e.node import nodes_of
from tests.e2e.panel import Panel, wait_for
from tests.lab_fixture import lab_tool

pytestmark = pytest.mark.lab
NIGHTS = bool(os.environ.get("NIGHTS"))
long = pytest.mark.skipif(not NIGHTS, reason="NIGHTS=1 plays every night")

APP = "/var/www/html/dpiui2/backend"
KILL = "systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb"
REASON = "the night shift has seen it"


def at_once(*acts: Callable[[], object]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Night:
    """A panel and a cluster that was installed by the vendor's scripts before the panel came."""

    def __init__(self, panel: Panel, lab: dict[str, Any]) -> None:
        self.panel, self.lab, self.client = panel, lab, panel.client()
        self.nodes = nodes_of(lab)
        self.hosts = steps.addresses(lab)
        self._install()
        self.cluster = steps.create_cluster(self.client, lab, "Night")
        steps.trust_all(self.client, self.cluster, lab)
        self.nodes[0].sql("CREATE TABLE dpiui2.night (id INT PRIMARY KEY)")
        self.committed: list[int] = []

    def _install(self) -> None:
        hosts = ",".join(self.hosts)
        edit = (
            f"sed -i 's/^GALERA_PEER_HOSTS=.*/GALERA_PEER_HOSTS={hosts}/;"
            f"s/^CLUSTER_FS_PEER_HOSTS=.*/CLUSTER_FS_PEER_HOSTS={hosts}/;"
            f"s/^CLUSTER_PRIMARY_HOST=.*/CLUSTER_PRIMARY_HOST={self.hosts[0]}/' {APP}/.env"
        )
        for node in self.nodes:
            node.run(f"systemctl stop dpiui2-worker; systemctl disable dpiui2-worker; {edit}")
        for node in self.nodes:
            node.run(f"sh {APP}/app_bash/galera_setup.sh -a init_cluster")
        if NIGHTS:
            self._storage()

    def _storage(self) -> None:
        script = f"sh {APP}/app_bash/glusterfs_setup.sh -a"
        for node in self.nodes:
            node.run(f"{script} init_gluster")
        self.nodes[0].run(f"{script} init_peers")
        self.nodes[0].run(f"{script} init_volume")
        for node in self.nodes:
            node.run(f"{script} mount")

    # What happens

    def write(self, place: int, count: int = 3) -> None:
        for _ in range(count):
            number = len(self.committed) + 1
            self.nodes[place - 1].sql(f"INSERT INTO dpiui2.night VALUES ({number})")
            self.committed.append(number)

    def kill(self, *places: int) -> None:
        at_once(*(self._on(place, KILL) for place in places))

    def stop(self, *places: int) -> None:
        for place in places:
            self.nodes[place - 1].run("systemctl stop mariadb")

    def _on(self, place: int, command: str) -> Callable[[], object]:
        return lambda: self.nodes[place - 1].run(command, may_break=True)

    def power(self, what: str, *places: int) -> None:
        names = [f"node{place}" for place in places]
        at_once(*(lambda name=name: lab_tool(self.lab["name"], what, name) for name in names))

    def sized(self, place: int, size: int) -> None:
        def is_so() -> bool:
            with contextlib.suppress(AssertionError):
                return self.nodes[place - 1].wsrep("wsrep_cluster_size") == str(size)
            return False

        wait_for(is_so, 30, f"node{place} does not count {size}")

    # What is done about it

    def refused(self, procedure: str = "recover_galera", **params: Any) -> Any:
        body = {"procedure": procedure, "params": params}
        status, answer = self.client.call("POST", f"/clusters/{self.cluster}/plans", body)
        assert status == 409, answer
        return answer

    def plan(self, procedure: str = "recover_galera", **params: Any) -> Any:
        return self.client.plan(self.cluster, procedure, **params)

    def answers(self, plan: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "typed": {"typed": "Night"},
            "accept": {"accept": True},
            "override": {"waiver": {"typed": "Night", "reason": REASON}},
        }
        return {gate["id"]: given[gate["kind"]] for gate in plan["gates"]}

    def start(self, procedure: str, **params: Any) -> str:
        answers = self.answers(self.plan(procedure, **params))
        return self.client.start(self.cluster, procedure, answers, **params)

    def tried(self, procedure: str = "recover_galera") -> tuple[int, Any]:
        """Planned and started in one breath: a moment later there may be nothing left to plan."""
        asked = {"procedure": procedure, "params": {}}
        status, plan = self.client.call("POST", f"/clusters/{self.cluster}/plans", asked)
        if status != 200:
            return status, plan
        asked |= {"plan_hash": plan["hash"], "confirmations": self.answers(plan)}
        return self.client.call("POST", f"/clusters/{self.cluster}/runs", asked)

    def does(self, procedure: str = "recover_galera", **params: Any) -> Any:
        return self.succeeds(self.start(procedure, **params))

    def succeeds(self, run: str) -> Any:
        snapshot = self.client.finished(run)
        assert snapshot["state"] == "succeeded", (
            snapshot["sentence"],
            self.client.log(run)[-3000:],
        )
        return snapshot

    def steps_of(self, plan: Any) -> list[tuple[str, int]]:
        """Keys of the Galera steps, with the place of their node."""
        found = [step for stage in plan["stages"] for step in stage["steps"]]
        return [
            (step["key"].rsplit("-", 1)[0], self.hosts.index(step["node"]) + 1)
            for step in found
            if step["key"].split("-")[0] in ("bootstrap", "join", "start", "member", "primary")
        ]

    def back(self) -> None:
        """Size 3, one UUID, Synced everywhere, and the same rows as were committed."""
        for node in self.nodes:
            assert node.wsrep("wsrep_cluster_size") == "3"
            assert node.wsrep("wsrep_local_state_comment") == "Synced"
            rows = node.sql("SELECT id FROM dpiui2.night ORDER BY id").split()
            assert [int(row) for row in rows] == self.committed
        assert len({node.wsrep("wsrep_cluster_state_uuid") for node in self.nodes}) == 1
        assert (
            self.nodes[2].run("systemctl show-environment | grep WSREP_NEW", may_break=True) == ""
        )


@pytest.fixture(scope="module")
def night(panel: Panel, pristine_lab: dict[str, Any]) -> Night:
    return Night(panel, pristine_lab)


def test_all_killed_at_different_positions_and_the_primary_behind(night: Night) -> None:
    night.write(1)
    night.kill(1)
    night.sized(2, 2)
    night.write(2)
    night.kill(2, 3)
    assert night.refused()["code"] == "positions_unknown"
    night.does("survey_galera")
    plan = night.plan()
    assert night.steps_of(plan) == [("bootstrap", 2), ("join", 1), ("join", 3)]
    night.does()
    night.back()
    assert night.refused()["code"] == "nothing_to_do"


def test_all_killed_at_once_need_no_bootstrap(night: Night) -> None:
    night.write(3)
    night.kill(1, 2, 3)
    plan = night.plan()
    assert [kind for kind, _ in night.steps_of(plan)] == ["start"] * 3 + ["member"] * 3
    assert plan["gates"] == []
    night.does()
    night.back()


@long
def test_all_stopped_in_order(night: Night) -> None:
    night.write(1)
    night.stop(2, 3, 1)
    night.does("survey_galera")
    assert night.steps_of(night.plan())[0] == ("bootstrap", 1)
    night.does(copy="yes")
    night.back()


@long
def test_all_powered_off_at_once(night: Night) -> None:
    """Each starts at boot and finds nobody: that is stopped before anything is read."""
    night.write(2)
    night.power("poweroff", 1, 2, 3)
    night.power("boot", 1, 2, 3)
    wait_for(lambda: all(n.run("echo up", may_break=True) == "up" for n in night.nodes), 60, "off")
    wait_for(lambda: night.refused()["code"] == "positions_unknown", 60, "it is not refused")
    night.does("survey_galera")
    night.does()
    night.back()


@long
def test_power_cut_of_all(night: Night) -> None:
    """They form their component again by themselves, or the panel starts them together."""
    night.write(2)
    night.power("crash", 1, 2, 3)
    night.power("boot", 1, 2, 3)
    wait_for(lambda: all(n.run("echo up", may_break=True) == "up" for n in night.nodes), 60, "off")
    deadline = time.monotonic() + 90
    while True:
        status, answer = night.tried()
        if status == 201:
            night.succeeds(answer["id"])
            break
        if answer["code"] == "nothing_to_do":
            break
        assert time.monotonic() < deadline, answer
        time.sleep(1)
    night.back()


@long
def test_one_wiped(night: Night) -> None:
    night.write(1)
    night.kill(1, 2, 3)
    night.nodes[2].run("rm -rf /var/lib/mysql/*")
    night.does("survey_galera")
    plan = night.plan()
    assert night.steps_of(plan) == [("bootstrap", 1), ("join", 2), ("join", 3)]
    assert "data-replaced" in {gate["id"] for gate in plan["gates"]}
    night.does()
    night.back()


@long
def test_one_unreachable_then_returning(night: Night) -> None:
    night.write(1)
    night.stop(3)
    night.write(1)
    night.kill(1, 2)
    night.power("crash", 3)
    night.does("survey_galera")
    refusal = night.refused()
    assert refusal["code"] == "node_unknown"
    token = f"silent:{night.hosts[2]}"
    assert token in refusal["evidence"]["accept"]
    plan = night.plan(accept=[token])
    assert [gate["kind"] for gate in plan["gates"]] == ["override", "typed"]
    night.does(accept=[token])
    night.power("boot", 3)
    wait_for(lambda: night.nodes[2].run("echo up", may_break=True) == "up", 60, "off")
    night.sized(1, 3)  # mariadb starts at boot and finds the living cluster
    wait_for(
        lambda: (
            night.nodes[2]
            .run("mariadb -NBe \"SHOW STATUS LIKE 'wsrep_local_state_comment'\"", may_break=True)
            .endswith("Synced")
        ),
        60,
        "node3 is not Synced",
    )
    night.back()


@long
def test_two_crashed_and_one_without_a_majority(night: Night) -> None:
    """One of the two is wiped, so that they cannot find each other: the survivor goes on."""
    night.write(1)
    night.kill(2, 3)
    night.nodes[2].run("rm -rf /var/lib/mysql/*")
    wait_for(lambda: night.nodes[0].wsrep("wsrep_cluster_status") == "non-Primary", 30, "Primary")
    night.does("survey_galera")
    assert night.steps_of(night.plan()) == [("primary", 1), ("join", 2), ("join", 3)]
    night.does()
    night.back()


@long
def test_a_node_restarted_by_hand_in_the_middle(night: Night) -> None:
    night.write(1)
    night.stop(3, 2, 1)
    night.does("survey_galera")
    plan = night.plan()
    night.nodes[1].run("systemctl --no-block start mariadb")
    time.sleep(2)
    body = {
        "procedure": "recover_galera",
        "params": {},
        "plan_hash": plan["hash"],
        "confirmations": night.answers(plan),
    }
    status, answer = night.client.call("POST", f"/clusters/{night.cluster}/runs", body)
    assert (status, answer["code"]) == (409, "positions_unknown")
    night.does("survey_galera")
    night.does()
    night.back()


@long
def test_the_worker_dies_between_the_bootstrap_and_the_first_join(night: Night) -> None:
    night.write(1)
    night.stop(3, 2, 1)
    night.does("survey_galera")
    run = night.start("recover_galera")

    def begun() -> bool:
        stages = night.client.get(f"/runs/{run}")["stages"]
        return bool(stages[0]["steps"][0]["state"] == "succeeded")

    wait_for(begun, 60, "no bootstrap")
    night.panel.kill_workers(signal.SIGKILL)
    snapshot = night.client.finished(run)
    assert snapshot["state"] == "succeeded", snapshot["sentence"]
    first = snapshot["stages"][0]["steps"][0]
    assert (first["attempt"], night.nodes[0].job_starts(run, first["key"])) == (1, 1)
    night.back()

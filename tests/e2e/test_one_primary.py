"""One primary at a time on real servers; the table of the stand-in for dpiui2's worker proves it.

Each server writes a row a second while its own `.env` names it. The servers of the lab share a clock.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e import steps
from tests.e2e.node import Node, nodes_of
from tests.e2e.panel import Client, Panel, wait_for
from tests.lab_fixture import lab_tool

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

ENV = "/var/www/html/dpiui2/backend/.env"
REASON = "a test on servers made for it"
BEAT_S = 2.0
UNIT = "dpiui2-worker"
Rows = list[tuple[str, float]]  # who wrote, when: seconds since the epoch


class Story:
    """An installed cluster, followed through the module; `primary` is an index of the nodes."""

    def __init__(self, panel: Panel, lab: dict[str, Any]) -> None:
        self.lab, self.client = lab, panel.client()
        self.nodes: list[Node] = nodes_of(lab)
        self.names = [node["name"] for node in lab["nodes"]]
        self.cluster = steps.create_cluster(self.client, lab, "One primary")
        steps.trust_all(self.client, self.cluster, lab)
        steps.run_to_success(self.client, self.cluster, "apply_settings")
        for procedure in ("install_galera", "install_glusterfs"):
            self.run(procedure)

    def run(self, procedure: str, **params: Any) -> Any:
        plan = self.client.plan(self.cluster, procedure, **params)
        answers = {gate["id"]: self._answer(gate) for gate in plan["gates"]}
        return steps.run_to_success(self.client, self.cluster, procedure, answers, **params)

    def _answer(self, gate: dict[str, Any]) -> dict[str, Any]:
        if gate["kind"] == "backup":
            return {"waiver": {"typed": "One primary", "reason": REASON}}
        return {"typed": gate["subject"]} if gate["kind"] == "typed" else {"accept": True}

    def make_primary(self, place: int) -> Any:
        return self.run("change_primary", primary=self.nodes[place].address)

    def rows(self, by: int, since: float) -> Rows:
        """As server `by` has them; Galera gave them to all."""
        told = self.nodes[by].sql(
            "SELECT node, UNIX_TIMESTAMP(at) FROM dpiui2.background_work"
            f" WHERE at >= FROM_UNIXTIME({since:.3f}) ORDER BY at"
        )
        pairs = (line.split("\t") for line in told.splitlines())
        return [(name, float(at)) for name, at in pairs]

    def of(self, rows: Rows, place: int) -> list[float]:
        return [at for name, at in rows if name == self.names[place]]

    def named(self, place: int) -> str:
        return self.nodes[place].run(f"sed -n 's/^CLUSTER_PRIMARY_HOST=//p' {ENV}")

    def fences(self) -> list[dict[str, Any]]:
        return list(self.client.get(f"/clusters/{self.cluster}/fences"))

    def verdict(self) -> dict[str, Any]:
        return dict(self.client.get(f"/clusters/{self.cluster}/status")["verdict"])

    def audit(self, action: str) -> list[dict[str, Any]]:
        found = self.client.get("/audit?limit=500")
        return [entry for entry in found if entry["action"] == action]

    def writes(self, place: int, since: float, by: int) -> None:
        wait_for(lambda: bool(self.of(self.rows(by, since), place)), 60, "nobody wrote a row")


@pytest.fixture(scope="module")
def story(panel: Panel, pristine_lab: dict[str, Any]) -> Story:
    return Story(panel, pristine_lab)


def test_a_planned_change_never_has_two_and_is_short(story: Story) -> None:
    begin = time.time()
    story.writes(0, begin, by=0)
    story.make_primary(1)
    changed = time.time()
    story.writes(1, changed, by=0)
    rows = story.rows(0, begin)
    old, new = story.of(rows, 0), story.of(rows, 1)
    assert {name for name, _ in rows} == set(story.names[:2])
    gap = min(new) - max(old)
    print(f"planned: {len(old)} + {len(new)} rows, gap {gap:.2f} s")
    assert max(old) < min(new), "both wrote at the same time"
    assert gap <= 10
    address = story.nodes[1].address
    assert [story.named(place) for place in range(3)] == [address] * 3
    # What the verdict is made of is as old as the last beat.
    wait_for(lambda: story.verdict()["state"] in ("healthy", "busy"), 20, "not well after a beat")


def test_b_workers_are_stopped_and_started_by_commands(story: Story) -> None:
    commands = {verb: f"systemctl {verb} {UNIT}" for verb in ("stop", "start")}
    body = {**commands, "check": f"systemctl is-active --quiet {UNIT}"}
    status, answer = story.client.call("PUT", f"/clusters/{story.cluster}/workers", body)
    assert status == 200, answer
    story.nodes[2].run(f"systemctl stop {UNIT}")
    begin = time.time()
    story.make_primary(2)
    changed = time.time()
    story.writes(2, changed, by=0)
    rows = story.rows(0, begin)
    old, new = story.of(rows, 1), story.of(rows, 2)
    print(f"with commands: gap {min(new) - max(old, default=begin):.2f} s")
    assert max(old, default=0.0) < min(new)
    assert story.nodes[1].run(f"systemctl is-active {UNIT} || true") == "inactive"
    empty = {"stop": "", "start": "", "check": ""}
    story.client.call("PUT", f"/clusters/{story.cluster}/workers", empty)
    for node in story.nodes:
        node.run(f"systemctl start {UNIT}")


def test_c_a_dead_primary_comes_back_with_its_old_settings_and_is_corrected(story: Story) -> None:
    old, new = 2, 1
    lab_tool(story.lab["name"], "crash", story.names[old])
    wait_for(lambda: _plannable(story.client, story.cluster, story.nodes[new]), 120, "no plan")
    story.make_primary(new)
    changed = time.time()
    (fence,) = story.fences()
    assert (fence["host"], fence["closed_at"]) == (story.nodes[old].address, None)
    story.writes(new, changed, by=0)
    booted = time.time()
    lab_tool(story.lab["name"], "boot", story.names[old])
    wait_for(lambda: story.fences()[0]["closed_at"] is not None, 120, str(story.fences()))
    closed = time.time()
    time.sleep(8)  # its database joins again only after this, and its rows would show
    assert story.named(old) == story.nodes[new].address
    stale = story.of(story.rows(0, changed), old)
    overlap = max(stale) - min(stale) if stale else 0.0
    print(
        f"dead: closed {closed - booted:.1f} s after the power came, {len(stale)} rows of the old"
    )
    assert overlap <= BEAT_S + 2
    _audited(story, fence)


def _plannable(client: Client, cluster: int, node: Node) -> bool:
    """The others count the dead one until Galera's own time is over."""
    params = {"procedure": "change_primary", "params": {"primary": node.address}}
    return client.call("POST", f"/clusters/{cluster}/plans", params)[0] == 200


def _audited(story: Story, fence: dict[str, Any]) -> None:
    """Who, when, which server, what was read; and the chain is whole."""
    for action in ("fence.opened", "fence.written", "fence.closed"):
        (entry,) = story.audit(action)
        assert entry["detail"]["host"] == fence["host"]
        assert entry["detail"]["run"] == fence["run"]
    assert entry["detail"]["evidence"]["env_equals"]["keys"]
    assert story.client.get("/audit/verification")["intact"] is True


def test_d_two_primaries_by_hand_are_seen_and_one_action_ends_it(story: Story) -> None:
    wait_for(lambda: story.verdict()["state"] in ("healthy", "busy"), 180, str(story.verdict()))
    story.nodes[0].run(
        f"sed -i 's/^CLUSTER_PRIMARY_HOST=.*/CLUSTER_PRIMARY_HOST={story.nodes[0].address}/' {ENV}"
    )
    edited = time.monotonic()
    wait_for(lambda: "Two servers take themselves" in story.verdict()["sentence"], 30, "not seen")
    print(f"two primaries: seen after {time.monotonic() - edited:.1f} s")
    assert story.verdict()["next"]["procedure"] == "change_primary"
    story.make_primary(1)
    assert [story.named(place) for place in range(3)] == [story.nodes[1].address] * 3

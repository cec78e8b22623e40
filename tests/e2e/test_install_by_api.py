"""From three pristine servers to a running cluster, by the API, on real nodes."""

from __future__ import annotations

import hashlib
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import steps
from tests.e2e.node import Node, nodes_of
from tests.e2e.panel import Client, Panel, wait_for

pytestmark = pytest.mark.lab

STORAGE = "/var/www/html/dpiui2/backend/storage"


class Story:
    """One cluster followed through the module: each test is the next page of it."""

    def __init__(self, panel: Panel, lab: dict[str, Any]) -> None:
        self.panel = panel
        self.lab = lab
        self.client: Client = panel.client()
        self.nodes: list[Node] = nodes_of(lab)
        self.rows = self.nodes[0].sql("SELECT COUNT(*) FROM dpiui2.subscribers")
        self.files = self.nodes[0].tree(STORAGE)
        self.cluster = steps.create_cluster(self.client, lab, "By API")


@pytest.fixture(scope="module")
def story(panel: Panel, pristine_lab: dict[str, Any]) -> Story:
    return Story(panel, pristine_lab)


def test_a_nothing_runs_before_the_host_keys_are_accepted(story: Story) -> None:
    status, refusal = story.client.call(
        "POST", f"/clusters/{story.cluster}/plans", {"procedure": "apply_settings", "params": {}}
    )
    assert status == 409
    assert story.nodes[0].address in refusal["why"]
    steps.trust_all(story.client, story.cluster, story.lab)


def test_b_checks_pass_on_healthy_servers(story: Story) -> None:
    cells = story.client.post(f"/clusters/{story.cluster}/checks")
    assert {cell["host"] for cell in cells} == set(steps.addresses(story.lab))
    bad = [c for c in cells if c["state"] == "failed" and c["check"] != "settings_equal"]
    assert not bad


def test_c_galera_is_refused_before_the_settings_are_applied(story: Story) -> None:
    assert refused(story, "install_galera") == "settings_not_applied"


def test_d_the_settings_reach_every_node(story: Story) -> None:
    before = [node.file(f"{STORAGE}/../.env") for node in story.nodes]
    steps.run_to_success(story.client, story.cluster, "apply_settings")
    hosts = ",".join(steps.addresses(story.lab))
    for node, old in zip(story.nodes, before, strict=True):
        changed = set(node.file(f"{STORAGE}/../.env").splitlines()) - set(old.splitlines())
        assert changed == {
            f"GALERA_PEER_HOSTS={hosts}",
            f"CLUSTER_FS_PEER_HOSTS={hosts}",
            f"CLUSTER_PRIMARY_HOST={steps.addresses(story.lab)[0]}",
        }
        assert (
            node.run("stat -c '%U:%G %a' /var/www/html/dpiui2/backend/.env")
            == "www-data:www-data 640"
        )


def test_e_the_wrong_order_is_refused_with_a_code_of_its_own(story: Story) -> None:
    second = steps.addresses(story.lab)[1]
    assert refused(story, "install_galera", nodes=[second]) == "order_primary_first"
    assert refused(story, "install_glusterfs", stages=["mount"]) == "order_volume_missing"


def test_f_without_a_backup_nothing_is_overwritten(story: Story) -> None:
    plan = story.client.plan(story.cluster, "install_galera")
    body = {"procedure": "install_galera", "params": {}, "plan_hash": plan["hash"]}
    url = f"/clusters/{story.cluster}/runs"
    unanswered = story.client.post(url, {**body, "confirmations": {}}, expect=409)
    assert unanswered["code"] == "gate_unanswered"
    gate = next(g["id"] for g in plan["gates"] if g["kind"] == "backup")
    invented = {**body, "confirmations": accept_rest(plan) | {gate: {"backup": 987654}}}
    assert story.client.post(url, invented, expect=409)["code"] == "backup_invalid"


def test_g_a_stale_plan_is_refused_with_the_difference(story: Story) -> None:
    body = {
        "procedure": "install_galera",
        "params": {},
        "plan_hash": "0" * 64,
        "confirmations": {},
    }
    answer = story.client.post(f"/clusters/{story.cluster}/runs", body, expect=409)
    assert answer["code"] == "plan_changed"


def test_h_backups_are_taken_and_verified(story: Story) -> None:
    for procedure in ("backup_database", "backup_storage"):
        steps.run_to_success(story.client, story.cluster, procedure)
    for backup in story.client.get(f"/clusters/{story.cluster}/backups"):
        assert backup["usable"], backup
        content = story.nodes[0].run_bytes(f"cat {backup['path']}")
        assert len(content) == backup["bytes"]
        assert hashlib.sha256(content).hexdigest() == backup["sha256"]


def test_i_galera_survives_a_killed_worker_on_the_second_node(story: Story) -> None:
    """SIGKILL of every worker process in the middle of `init_cluster` on node 2."""
    client, second = story.client, steps.addresses(story.lab)[1]
    answers = steps.confirm_all(client, story.cluster, "install_galera")
    run = client.start(story.cluster, "install_galera", answers)
    twice = client.plan_and_try(story.cluster, "backup_storage")
    assert twice["code"] == "run_active"
    assert run in str(twice)

    step = wait_for_step(client, run, second)
    killed = story.panel.kill_workers(signal.SIGKILL)
    assert killed
    snapshot = client.finished(run)
    assert snapshot["state"] == "succeeded", client.log(run)[-3000:]
    assert story.nodes[1].job_starts(run, step) == 1
    for done in all_steps(snapshot):
        node = next(n for n in story.nodes if n.address == done["node"])
        assert done["attempt"] == 1
        assert client.step_log(run, done["key"]) == node.job_log(run, done["key"])


def test_j_every_node_is_in_one_cluster_with_the_old_rows(story: Story) -> None:
    for node in story.nodes:
        assert node.wsrep("wsrep_cluster_size") == "3"
        assert node.wsrep("wsrep_local_state_comment") == "Synced"
        assert node.sql("SELECT COUNT(*) FROM dpiui2.subscribers") == story.rows
    assert len({node.wsrep("wsrep_cluster_state_uuid") for node in story.nodes}) == 1
    story.nodes[0].sql("CREATE TABLE dpiui2.proof (id INT PRIMARY KEY)")
    story.nodes[0].sql("INSERT INTO dpiui2.proof VALUES (42)")
    wait_for(
        lambda: all(n.sql("SELECT id FROM dpiui2.proof") == "42" for n in story.nodes),
        5,
        "the row did not reach every node",
    )


def test_k_an_installed_cluster_is_not_initialised_again(story: Story) -> None:
    assert refused(story, "install_galera") == "already_clustered"


def test_l_glusterfs_is_installed_and_shares_files(story: Story) -> None:
    answers = steps.confirm_all(story.client, story.cluster, "install_glusterfs")
    steps.run_to_success(story.client, story.cluster, "install_glusterfs", answers)
    story.nodes[0].run(f"printf 'by node 1' > '{STORAGE}/proof file.txt'")
    for node in story.nodes:
        assert node.run(f"findmnt -no FSTYPE {STORAGE}") == "fuse.glusterfs"
        assert node.run(f"cat '{STORAGE}/proof file.txt'") == "by node 1"
    story.nodes[0].run(f"rm '{STORAGE}/proof file.txt'")
    for node in story.nodes:
        assert story.files.items() <= node.tree(STORAGE).items()


def test_m_the_monitor_account_reads_the_state(story: Story) -> None:
    steps.run_to_success(story.client, story.cluster, "create_monitor_account")

    def healthy() -> bool:
        status = story.client.get(f"/clusters/{story.cluster}/status")
        return bool(status["verdict"]["state"] == "healthy" and status["verdict"]["age_s"] < 15)

    wait_for(healthy, 60, "the verdict never became healthy")


def test_n_no_lock_is_left_and_the_audit_names_every_run(story: Story) -> None:
    for node in story.nodes:
        assert node.run("ls /var/lib/clusterpanel").find("lock") == -1
    actions = [entry["action"] for entry in story.client.get("/audit")]
    assert actions.count("run.start") == 6


def refused(story: Story, procedure: str, **params: Any) -> str:
    status, answer = story.client.call(
        "POST", f"/clusters/{story.cluster}/plans", {"procedure": procedure, "params": params}
    )
    assert status == 409, answer
    assert answer["why"]
    assert answer["fix"]
    return str(answer["code"])


def accept_rest(plan: Any) -> dict[str, Any]:
    return {g["id"]: {"accept": True} for g in plan["gates"] if g["kind"] == "accept"}


def all_steps(snapshot: Any) -> list[Any]:
    return [step for stage in snapshot["stages"] for step in stage["steps"]]


def wait_for_step(client: Client, run: str, node: str) -> str:
    """Key of the step on `node` once its job writes output."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for step in all_steps(client.get(f"/runs/{run}")):
            here = step["node"] == node and step["state"] == "running"
            if here and client.step_log(run, step["key"]):
                return str(step["key"])
        time.sleep(0.05)
    raise AssertionError(f"no step began on {node}")


def test_o_the_panel_never_wrote_a_secret_in_clear(story: Story) -> None:
    key = Path(story.lab["key"]).read_text().splitlines()[1]
    for file in story.panel.home.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file

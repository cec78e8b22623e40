"""What goes wrong in real life, on real servers: each ends with a sentence, nothing runs twice."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import steps
from tests.e2e.node import Node, nodes_of
from tests.e2e.panel import Client, Panel, wait_for
from tests.lab_fixture import lab_tool

pytestmark = pytest.mark.lab

SCRIPT = "/var/www/html/dpiui2/backend/app_bash/galera_setup.sh"
SLOW = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo line $i; sleep 0.05; done; exit 3"
HOSTILE = r"""
printf 'not utf-8: \377\376\n'
printf 'escape: \033[31mred\033[0m \033]0;title\007 \033[2J\n'
printf 'nul: \000 end\n'
echo '<script>document.title="owned"</script>'
head -c 2000000 /dev/zero | tr '\000' x; echo
printf 'Continue? [y/N] '; read answer; echo "answer was <$answer>"
echo 'this went wrong' >&2
exit 1
"""
WAIVER = {"typed": "", "reason": "a test on servers made for it"}


class Days:
    """One cluster with its settings applied, and the panel that manages it."""

    def __init__(self, panel: Panel, lab: dict[str, Any]) -> None:
        self.panel, self.lab = panel, lab
        self.client: Client = panel.client()
        self.nodes: list[Node] = nodes_of(lab)
        self.cluster = steps.create_cluster(self.client, lab, "Bad days")
        steps.trust_all(self.client, self.cluster, lab)
        steps.run_to_success(self.client, self.cluster, "apply_settings")

    def start_galera(self) -> str:
        gates = self.client.plan(self.cluster, "install_galera")["gates"]
        answers = {
            gate["id"]: {"waiver": {**WAIVER, "typed": "Bad days"}}
            if gate["kind"] == "backup"
            else {"accept": True}
            for gate in gates
        }
        return self.client.start(self.cluster, "install_galera", answers)

    def every_node_answers(self) -> bool:
        plan = {"procedure": "install_galera", "params": {}}
        return self.client.call("POST", f"/clusters/{self.cluster}/plans", plan)[0] == 200

    def first_step(self, run: str) -> Any:
        return self.client.get(f"/runs/{run}")["stages"][0]["steps"][0]

    def wait_for_output(self, run: str) -> None:
        key = self.first_step(run)["key"]
        wait_for(lambda: b"line 3\n" in self.client.step_log(run, key), 30, "no output came")

    def ended_with_every_line(self, run: str, exit_code: int) -> Any:
        """The run failed with the script's own code, and its journal is the node's log."""
        snapshot = self.client.finished(run, 60)
        step = snapshot["stages"][0]["steps"][0]
        assert snapshot["state"] == "failed"
        assert (step["exit_code"], step["attempt"]) == (exit_code, 1)
        assert snapshot["failure"]["node"] == self.nodes[0].address
        assert snapshot["failure"]["step"]
        assert snapshot["failure"]["fix"]
        assert self.client.step_log(run, step["key"]) == self.nodes[0].job_log(run, step["key"])
        assert self.nodes[0].job_starts(run, step["key"]) == 1
        return snapshot


@pytest.fixture(scope="module")
def days(panel: Panel, pristine_lab: dict[str, Any]) -> Days:
    return Days(panel, pristine_lab)


@contextmanager
def script_is(node: Node, body: str) -> Iterator[None]:
    """The vendor's script on the node is another one for a while."""
    node.run(f"cp -p {SCRIPT} {SCRIPT}.kept")
    node.write(SCRIPT, body.encode())
    try:
        yield
    finally:
        node.run(f"mv {SCRIPT}.kept {SCRIPT}")


def refusal(days: Days, cluster: int, procedure: str = "apply_settings") -> Any:
    status, answer = days.client.call(
        "POST",
        f"/clusters/{cluster}/plans",
        {
            "procedure": procedure,
            "params": {"force": True} if procedure == "apply_settings" else {},
        },
    )
    assert status == 409, answer
    assert answer["why"]
    assert answer["fix"]
    assert "Traceback" not in str(answer)
    return answer


def another_cluster(days: Days, name: str, **ssh: Any) -> int:
    hosts = steps.addresses(days.lab)
    body = {
        "name": name,
        "galera_peer_hosts": hosts,
        "cluster_fs_peer_hosts": hosts,
        "cluster_primary_host": hosts[0],
        "ssh": {"username": "root", "port": 22, **ssh},
    }
    cluster = int(days.client.post("/clusters", body, expect=201)["id"])
    steps.trust_all(days.client, cluster, days.lab)
    return cluster


def test_a_wrong_key_is_said_with_the_host(days: Days, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    answer = refusal(days, another_cluster(days, "Wrong key", private_key=key.read_text()))
    assert days.nodes[0].address in answer["why"]
    assert "key" in answer["why"] + answer["fix"]


def test_a_wrong_password_is_said_with_the_host(days: Days) -> None:
    answer = refusal(days, another_cluster(days, "Wrong password", password="not this one"))
    assert days.nodes[0].address in answer["why"]
    assert "password" in answer["why"] + answer["fix"]


def test_the_right_password_is_enough(days: Days) -> None:
    cluster = another_cluster(days, "By password", password=days.lab["root_password"])
    assert days.client.plan(cluster, "apply_settings", force=True)["stages"]


def test_a_user_that_is_not_root_is_refused(days: Days) -> None:
    for node in days.nodes:
        node.run("useradd -m op && cp -r /root/.ssh /home/op/ && chown -R op /home/op/.ssh")
    key = Path(days.lab["key"]).read_text()
    answer = refusal(days, another_cluster(days, "Not root", username="op", private_key=key))
    assert answer["evidence"]["cause"] == "sudo_refused"
    assert days.nodes[0].address in answer["why"]


def test_a_node_that_is_off_is_named(days: Days) -> None:
    name, last = days.lab["nodes"][2]["name"], days.nodes[2]
    lab_tool(days.lab["name"], "crash", name)
    try:
        answer = refusal(days, days.cluster, "install_galera")
        assert last.address in answer["why"]
        without = days.client.plan(days.cluster, "apply_settings", force=True)
        assert [(g["kind"], last.address in g["why"]) for g in without["gates"]] == [
            ("accept", True)
        ]
    finally:
        lab_tool(days.lab["name"], "boot", name)
        wait_for(days.every_node_answers, 60, f"{last.address} did not come back")


@contextmanager
def another_host_key(node: Node, folder: Path) -> Iterator[None]:
    """The server shows a new key for a while; we know it beforehand, so that we can come back."""
    kept, fresh = "/etc/ssh/kept", "/etc/ssh/fresh"
    node.run(f"mkdir {kept} {fresh} && cp -p /etc/ssh/ssh_host_* {kept}/")
    node.run(f"ssh-keygen -q -t ed25519 -N '' -f {fresh}/ssh_host_ed25519_key")
    known = folder / "known_hosts"
    known.write_text(f"{node.address} {node.run(f'cat {fresh}/*.pub')}\n")
    swap = "rm /etc/ssh/ssh_host_*; cp -p {}/* /etc/ssh/; systemctl restart ssh; "
    cut = "pkill -f '[s]shd: root@notty'"
    node.run(swap.format(fresh) + cut, may_break=True)
    try:
        yield
    finally:
        later = replace(node, known_hosts=str(known))
        later.run(swap.format(kept) + cut, may_break=True)
        node.run(f"rm -r {kept} {fresh}")


def test_a_changed_host_key_stops_everything(days: Days, tmp_path: Path) -> None:
    node, old = days.nodes[1], days.lab["nodes"][1]["host_key_sha256"]
    with another_host_key(node, tmp_path):
        answer = refusal(days, days.cluster)
        assert node.address in answer["why"]
        assert old in str(answer)
        scanned = days.client.post(f"/clusters/{days.cluster}/host-keys/scan")
        key = next(k for k in scanned if k["host"] == node.address)
        assert (key["state"], key["pinned_sha256"]) == ("changed", old)


def test_a_missing_script_is_named(days: Days) -> None:
    node = days.nodes[1]
    node.run(f"mv {SCRIPT} {SCRIPT}.away")
    try:
        answer = refusal(days, days.cluster, "install_galera")
        assert answer["code"] == "script_missing"
        assert SCRIPT in str(answer)
        assert node.address in str(answer)
    finally:
        node.run(f"mv {SCRIPT}.away {SCRIPT}")


def test_hostile_output_is_data_and_a_failure_is_explained(days: Days) -> None:
    with script_is(days.nodes[0], HOSTILE):
        snapshot = days.ended_with_every_line(days.start_galera(), 1)
    assert "this went wrong" in "".join(snapshot["failure"]["last_lines"])
    assert snapshot["failure"]["exit_code"] == 1
    page = days.panel.page(f"/runs/{snapshot['id']}/")
    assert '<script>document.title="owned"' not in page
    assert "Traceback" not in page


def test_a_cut_connection_loses_no_line(days: Days) -> None:
    with script_is(days.nodes[0], SLOW):
        run = days.start_galera()
        days.wait_for_output(run)
        days.nodes[0].run("pkill -KILL -f 'sshd: root@notty'", may_break=True)
        days.ended_with_every_line(run, 3)


def test_a_killed_broker_loses_no_line(days: Days) -> None:
    with script_is(days.nodes[0], SLOW):
        run = days.start_galera()
        days.wait_for_output(run)
        assert days.panel.kill("broker")
        days.ended_with_every_line(run, 3)


def test_a_killed_web_process_loses_no_line(days: Days) -> None:
    with script_is(days.nodes[0], SLOW):
        run = days.start_galera()
        days.wait_for_output(run)
        assert days.panel.kill("web")
        wait_for(days.client.is_up, 30, "the web process did not come back")
        days.ended_with_every_line(run, 3)


def test_a_full_disk_is_said_before_anything_starts_and_the_run_can_go_on(days: Days) -> None:
    node = days.nodes[1]
    node.run(
        "rm -rf /var/lib/clusterpanel/lock; mount -t tmpfs -o size=4k full /var/lib/clusterpanel"
    )
    node.run("head -c 4096 /dev/zero > /var/lib/clusterpanel/fill", may_break=True)
    try:
        run = days.client.start(days.cluster, "apply_settings", {}, force=True)
        snapshot = days.client.finished(run)
        assert snapshot["state"] == "failed"
        assert node.address in str(snapshot["sentence"])
        assert "space" in str(snapshot["sentence"]) + str(snapshot["failure"])
    finally:
        node.run("umount /var/lib/clusterpanel")
    days.client.post(f"/runs/{run}/resume", expect=200)
    assert days.client.finished(run)["state"] == "succeeded"

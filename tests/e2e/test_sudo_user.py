"""Servers that let nobody in as root: the panel signs in as a user with sudo, with a key that it made
itself, put there by the commands that it shows. Everything it does to a cluster goes through that.

The first tests run by default (a minute). Backups, restarts, a full stop and a recovery as well (about
five minutes on two cores):

    SUDO=1 .venv/bin/python -m pytest -q tests/e2e/test_sudo_user.py
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodes.transport import ssh
from nodes.transport.base import Closed, Target, script
from tests.e2e import steps
from tests.e2e.node import Node, nodes_of
from tests.e2e.panel import Panel, wait_for

pytestmark = pytest.mark.lab
long = pytest.mark.skipif(not os.environ.get("SUDO"), reason="five minutes: SUDO=1")

NAME, USER = "By sudo", "panel"
STORAGE = "/var/www/html/dpiui2/backend/storage"
SSHD = "/etc/ssh/sshd_config.d/00-no-root.conf"
SUDOERS = "/etc/sudoers.d/clusterpanel"


class Site:
    """Three servers and a panel that knows the user's name, and made the key."""

    def __init__(self, panel: Panel, lab: dict[str, Any]) -> None:
        self.panel, self.lab, self.client = panel, lab, panel.client()
        self.root: list[Node] = nodes_of(lab)
        self.nodes = [AsRootBySudo(n.address, n.key, n.known_hosts) for n in self.root]
        self.hosts = steps.addresses(lab)
        body = {
            "name": NAME,
            "galera_peer_hosts": self.hosts,
            "cluster_fs_peer_hosts": self.hosts,
            "cluster_primary_host": self.hosts[0],
            "ssh": {"username": USER, "make_key": True},
        }
        self.cluster = int(self.client.post("/clusters", body, expect=201)["id"])
        self.url = f"/clusters/{self.cluster}"
        steps.trust_all(self.client, self.cluster, lab)

    def keys(self) -> Any:
        return self.client.get(f"{self.url}/ssh-keys")

    def tried(self, sha256: str) -> dict[str, str]:
        answer = self.client.post(f"{self.url}/ssh-keys/try", {"sha256": sha256})
        return {each["host"]: each["state"] for each in answer}

    def done(self, procedure: str, **params: Any) -> Any:
        """Planned, confirmed, run to its proven end; a busy machine is given time for a look."""
        wait_for(lambda: self._asked(procedure, params), 120, f"{procedure} was never allowed")
        run = str(self.client.get(f"/runs?cluster={self.cluster}&limit=1")[0]["id"])
        snapshot = self.client.finished(run, 600)
        assert snapshot["state"] == "succeeded", (
            snapshot["sentence"],
            self.client.log(run)[-3000:],
        )
        return snapshot

    def _asked(self, procedure: str, params: dict[str, Any]) -> bool:
        asked = {"procedure": procedure, "params": params}
        status, plan = self.client.call("POST", f"{self.url}/plans", asked)
        if status == 200:
            body = {**asked, "plan_hash": plan["hash"], "confirmations": answers(plan)}
            status, plan = self.client.call("POST", f"{self.url}/runs", body)
        if status not in (200, 201):
            print(f"\n{procedure}: not now: {plan['why']}", flush=True)
        return status == 201

    def healthy(self) -> bool:
        return bool(self.client.get(f"{self.url}/status")["verdict"]["state"] == "healthy")


class AsRootBySudo(Node):
    """The same server from outside, when root's own door is shut."""

    def run_bytes(self, command: str, *, stdin: bytes = b"", may_break: bool = False) -> bytes:
        inner = f"sudo -n sh -c {shlex.quote(command)}"
        argv = ["ssh", "-q", "-i", self.key, "-o", "BatchMode=yes"]
        argv += ["-o", f"UserKnownHostsFile={self.known_hosts}", f"{USER}@{self.address}", inner]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=60)
        assert may_break or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


def answers(plan: Any) -> dict[str, Any]:
    waiver = {"waiver": {"typed": NAME, "reason": "servers that were made for this test"}}
    kinds = {
        "backup": waiver,
        "typed": {"typed": NAME},
        "accept": {"accept": True},
        "override": waiver,
    }
    return {gate["id"]: kinds[gate["kind"]] for gate in plan["gates"]}


@pytest.fixture(scope="module")
def site(panel: Panel, pristine_lab: dict[str, Any]) -> Iterator[Site]:
    made = Site(panel, pristine_lab)
    yield made
    for node in made.nodes:  # other modules sign in as root
        node.run(f"rm -f {SSHD} && systemctl reload ssh", may_break=True)


def test_a_before_its_key_is_there_the_panel_is_refused_everywhere(site: Site) -> None:
    key = site.keys()["in_use"]
    assert key["type"] == "ssh-ed25519"
    assert site.tried(key["sha256"]) == dict.fromkeys(site.hosts, "failed")


def test_aa_as_root_the_command_is_enough(site: Site) -> None:
    """One server that is being adopted; with root there is nothing to do about sudo."""
    ssh_of_root = {"username": "root", "make_key": True}
    body = {"name": "As root", "host": site.hosts[0], "ssh": ssh_of_root}
    url = f"/clusters/{site.client.post('/clusters/adopt', body, expect=201)['id']}"
    (shown,) = site.client.post(f"{url}/host-keys/scan")
    assert shown["sha256"] == site.lab["nodes"][0]["host_key_sha256"]
    trust = {"host": shown["host"], "sha256": shown["sha256"]}
    site.client.post(f"{url}/host-keys/trust", trust)
    key = site.client.get(f"{url}/ssh-keys")["in_use"]
    before = site.root[0].file("/root/.ssh/authorized_keys").splitlines()
    for _ in range(2):
        site.root[0].run(key["commands"]["put"])
    after = site.root[0].file("/root/.ssh/authorized_keys").splitlines()
    assert after == [*before, key["authorized_keys"]]
    tried = site.client.post(f"{url}/ssh-keys/try", {"sha256": key["sha256"]})
    assert [each["state"] for each in tried] == ["ok"]
    site.root[0].run(key["commands"]["take_out"])
    assert site.root[0].file("/root/.ssh/authorized_keys").splitlines() == before
    assert site.client.raw("DELETE", f"{url}/adoption")[0] in (200, 204)


def test_b_what_the_page_shows_lets_the_panel_in_and_root_is_shut_out(site: Site) -> None:
    """The first server has other people's key without an end of line; each command runs twice."""
    key = site.keys()["in_use"]
    own = Path(f"{site.lab['key']}.pub").read_text().strip()
    for place, node in enumerate(site.root):
        if place == 0:
            node.run(f"useradd -m {USER} && mkdir -m 755 /home/{USER}/.ssh")
            node.write(f"/home/{USER}/.ssh/authorized_keys", own.encode())
        for _ in range(2):
            node.run(key["commands"]["put"])
            node.run(key["commands"]["sudo"])
        file = node.file(f"/home/{USER}/.ssh/authorized_keys").splitlines()
        assert file == ([own] if place == 0 else []) + [key["authorized_keys"]]
        seen = node.run(f"cd /home/{USER} && stat -c '%U %a' .ssh .ssh/authorized_keys {SUDOERS}")
        assert seen.split() == [USER, "700", USER, "600", "root", "440"]
        if place:  # the test's own way in
            node.run(f"echo '{own}' >> /home/{USER}/.ssh/authorized_keys")
        node.write(SSHD, b"PermitRootLogin no\nPasswordAuthentication no\n")
        node.run("systemctl reload ssh")
    assert site.tried(key["sha256"]) == dict.fromkeys(site.hosts, "ok")
    assert site.root[0].run("id", may_break=True) == ""
    assert site.nodes[0].run("id -u") == "0"


def test_c_the_line_allows_no_more_than_the_panel_needs(site: Site) -> None:
    """No terminal and no other port; the log of sshd is not what decides, the answer is."""
    host, private = site.hosts[0], stored_key(site)
    target = Target(host, 22, USER, tuple(ssh.scan_host_key(host, 22)), private_key=private)
    connection = ssh.connect(target)
    try:
        assert connection.run(script("id -u")).text == "0\n"
        with connection.tunnel(3306) as channel:
            assert b"MariaDB" in channel.recv(200)
        with pytest.raises(Closed), connection.tunnel(22):
            pass
        terminal = connection._channel()
        with pytest.raises(Exception, match="closed"):
            terminal.get_pty()
    finally:
        connection.close()


def stored_key(site: Site) -> str:
    """As only the panel's own machine can read it."""
    code = "from nodes.models import Cluster; print(Cluster.objects.get().ssh_private_key)"
    return site.panel.manage("shell", "-v", "0", "-c", code)


def test_d_checks_and_settings(site: Site) -> None:
    cells = site.client.post(f"{site.url}/checks")
    assert not [c for c in cells if c["state"] == "failed" and c["check"] != "settings_equal"]
    site.done("apply_settings")
    lines = {node.file(f"{STORAGE}/../.env") for node in site.nodes}
    assert all(f"GALERA_PEER_HOSTS={','.join(site.hosts)}" in line for line in lines)
    owner = site.nodes[1].run(f"stat -c '%U:%G %a' {STORAGE}/../.env")
    assert owner == "www-data:www-data 640"


def test_e_both_layers_are_installed(site: Site) -> None:
    for procedure in ("install_galera", "install_glusterfs"):
        site.done(procedure)
    for node in site.nodes:
        assert node.wsrep("wsrep_cluster_size") == "3"
        assert node.run(f"findmnt -no FSTYPE {STORAGE}") == "fuse.glusterfs"


def test_f_the_dashboard_reads_the_database_through_the_same_door(site: Site) -> None:
    site.done("create_monitor_account")
    wait_for(site.healthy, 60, "the verdict never became healthy")
    said = site.nodes[0].run("journalctl -q -t sudo -o cat -n 400; :")
    assert "COMMAND=" in said
    # The panel's account of the database was used: a tunnel through the restricted key.
    users = "SELECT user FROM information_schema.processlist"
    wait_for(lambda: "clusterpanel" in site.nodes[0].sql(users).split(), 30, "nobody asked")


def test_g_a_new_key_is_proven_before_the_old_one_is_put_away(site: Site) -> None:
    client, url = site.client, site.url
    old = site.keys()["in_use"]["sha256"]
    new = client.post(f"{url}/ssh-keys", expect=201)
    for node in site.nodes[:2]:
        node.run(new["commands"]["put"])
    refusal = client.post(f"{url}/ssh-keys/use", {"sha256": new["sha256"]}, expect=409)
    assert refusal["code"] == "ssh_key_refused"
    assert refusal["evidence"] == {"refused": [site.hosts[2]], "unknown": []}
    assert site.keys()["in_use"]["sha256"] == old
    site.nodes[2].run(new["commands"]["put"])
    client.post(f"{url}/ssh-keys/use", {"sha256": new["sha256"]})
    keys = site.keys()
    assert (keys["in_use"]["sha256"], keys["other"]["sha256"]) == (new["sha256"], old)
    for node in site.nodes:
        before = node.file(f"/home/{USER}/.ssh/authorized_keys").splitlines()
        node.run(keys["other"]["commands"]["take_out"])
        after = node.file(f"/home/{USER}/.ssh/authorized_keys").splitlines()
        assert [line for line in before if line not in after] == [keys["other"]["authorized_keys"]]
    assert site.tried(old) == dict.fromkeys(site.hosts, "failed")
    assert client.raw("POST", f"{url}/ssh-keys/drop", {"sha256": old})[0] == 204
    assert site.keys()["other"] is None
    time.sleep(5)  # two beats with the new key
    wait_for(site.healthy, 60, "the new key does not read the servers")


@long
def test_h_what_sudo_refuses_is_said_with_the_server_and_the_remedy(site: Site) -> None:
    node, key = site.nodes[1], site.keys()["in_use"]["sha256"]
    before = node.file(SUDOERS)
    for spoilt, remedy in SPOILT.items():
        # Undone by root's own unit: nobody else can, once sudo refuses.
        node.run(
            f"systemd-run -q --on-active=12 --timer-property=AccuracySec=100ms sh -c"
            f" 'cp /root/sudoers.good {SUDOERS}'; cp {SUDOERS} /root/sudoers.good"
        )
        node.write("/root/sudoers.bad", spoilt.encode())
        node.run(f"cp /root/sudoers.bad {SUDOERS}")
        said = site.client.post(f"{site.url}/ssh-keys/try", {"sha256": key})
        assert [each["state"] for each in said] == ["ok", "failed", "ok"]
        assert site.hosts[1] in said[1]["why"]
        assert remedy in said[1]["fix"], said[1]
        wait_for(lambda: node.run(f"cat {SUDOERS}", may_break=True) == before, 30, "locked out")


SPOILT = {
    f"{USER} ALL=(root) ALL\n": f"{USER} ALL=(root) NOPASSWD: ALL",
    f"{USER} ALL=(root) NOPASSWD: ALL\nDefaults:{USER} requiretty\n": f"Defaults:{USER} !requiretty",
    f"{USER} ALL=(root) NOPASSWD: ALL\nDefaults:{USER} secure_path=/usr/local/bin:/bin\n": "secure_path",
}


@long
def test_i_backups(site: Site) -> None:
    for procedure in ("backup_database", "backup_storage"):
        site.done(procedure)
    for backup in site.client.get(f"{site.url}/backups"):
        assert backup["usable"], backup
        assert site.nodes[0].run(f"stat -c '%U %a' {backup['path']}") == "root 600"


@long
def test_j_a_server_is_restarted_and_its_services_in_turn(site: Site) -> None:
    boot = site.nodes[2].run("cat /proc/sys/kernel/random/boot_id")
    site.done("restart_node", node=site.hosts[2], service="host")
    assert site.nodes[2].run("cat /proc/sys/kernel/random/boot_id") != boot
    site.done("rolling_restart", service="mariadb", nodes=site.hosts)
    assert {node.wsrep("wsrep_cluster_size") for node in site.nodes} == {"3"}


@long
def test_k_the_cluster_is_stopped_and_started(site: Site) -> None:
    site.done("stop_cluster")
    for node in site.nodes:
        assert node.run("systemctl is-active mariadb", may_break=True) == "inactive"
    site.done("start_cluster")
    assert {node.wsrep("wsrep_cluster_size") for node in site.nodes} == {"3"}


@long
def test_l_a_night_is_surveyed_and_recovered(site: Site) -> None:
    """Killed on all three; the survey runs galera_recovery on each as root."""
    kill = "systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb"
    for node in reversed(site.nodes):
        node.run(kill, may_break=True)
    site.done("recover_galera")
    for node in site.nodes:
        assert node.wsrep("wsrep_cluster_size") == "3"
        assert node.wsrep("wsrep_local_state_comment") == "Synced"


@long
def test_m_nothing_of_it_is_left_running_on_the_servers(site: Site) -> None:
    """A follower of a log ends with its job, also below sudo."""
    for node in site.nodes:
        assert node.run("ps -eo args | grep '[t]ail -s 0.02' || :") == ""

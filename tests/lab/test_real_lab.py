"""One real lab through its whole life: what each command promises, and that nothing stays behind."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.labtool import cgroups, lifecycle, state
from lab.labtool.names import Names, home

pytestmark = pytest.mark.lab

TOOL = Path(__file__).resolve().parents[2] / "lab" / "lab"
NAME = f"t{os.getpid()}"
BACKEND = "/var/www/html/dpiui2/backend"


def lab(*argv: str, name: str = NAME) -> str:
    done = subprocess.run(
        [TOOL, "--name", name, *argv], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"lab {' '.join(argv)}: {done.stderr}"
    return done.stdout


def status(name: str = NAME) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(lab("status", "--json", name=name))
    return facts


def node(number: int) -> dict[str, Any]:
    facts: dict[str, Any] = status()["nodes"][number - 1]
    return facts


def sh(number: int, command: str) -> str:
    return lab("ssh", f"node{number}", command).strip()


def reaches(number: int, peer: int) -> bool:
    answer = sh(number, f"ping -c1 -W1 node{peer} >/dev/null && echo yes || echo no")
    return answer == "yes"


def left_behind(name: str) -> list[str]:
    """Files, mounts, interfaces, namespaces, groups; and processes, dead ones aside."""
    names = Names(name, home())
    processes = [line.decode() for line in commands() if names.tag.encode() in line]
    return lifecycle.leftovers(names) + processes


def commands() -> Iterator[bytes]:
    """Of every process; one may end while we read."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes()


def wait_for(what: str, number: int, command: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while sh(number, command) != what:
        assert time.monotonic() < deadline, f"node{number}: {command} is not {what!r}"
        time.sleep(0.5)


@pytest.fixture(scope="module", autouse=True)
def running_lab() -> Iterator[None]:
    possible = subprocess.run([TOOL, "check"], capture_output=True, text=True, check=False)
    if possible.returncode != 0:
        pytest.skip(possible.stderr.strip())
    try:
        lab("up")
        yield
    finally:
        lab("down")
        assert left_behind(NAME) == []


@pytest.fixture
def scratch_lab() -> Iterator[str]:
    """The name of a second lab, beside the first, that a test may ill-treat."""
    name = f"{NAME}-b"
    yield name
    lab("down", name=name)
    assert left_behind(name) == []


def test_status_tells_what_a_panel_needs() -> None:
    facts = status()
    assert [each["name"] for each in facts["nodes"]] == ["node1", "node2", "node3"]
    assert {each["state"] for each in facts["nodes"]} == {"running"}
    assert {each["ssh_port"] for each in facts["nodes"]} == {22}
    assert len({each["boot_id"] for each in facts["nodes"]}) == 3
    assert facts["username"] == "root"
    assert facts["root_password"]
    assert Path(facts["key"]).stat().st_mode & 0o077 == 0


def test_the_fingerprint_is_the_one_the_server_shows() -> None:
    one = node(1)
    scanned = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519", one["address"]], capture_output=True, check=True
    )
    listed = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=scanned.stdout, capture_output=True, check=True
    )
    assert one["host_key_sha256"] in listed.stdout.decode()


def test_the_password_opens_root_too() -> None:
    """No ssh client takes a password without a terminal, so the node's own check is asked."""
    stored = sh(1, "getent shadow root").split(":")[1]
    salt = stored.split("$")[2]
    check = f"openssl passwd -6 -salt '{salt}' '{status()['root_password']}'"
    assert sh(1, check) == stored
    allowed = sh(1, "sshd -T | grep -E '^(permitrootlogin|passwordauthentication)'")
    assert sorted(allowed.split()) == ["passwordauthentication", "permitrootlogin", "yes", "yes"]


def test_a_node_cannot_set_the_clock_that_all_share() -> None:
    assert sh(1, "date -s 2031-01-01 >/dev/null 2>&1 && echo yes || echo no") == "no"


def test_a_node_is_pristine() -> None:
    assert sh(1, "systemctl is-system-running --wait") == "running"
    assert sh(1, "systemctl is-enabled mariadb mariadb.socket glusterd || :").split() == [
        "enabled",
        "disabled",
        "disabled",
    ]
    assert sh(1, f"stat -c '%U:%G %a' {BACKEND}/.env") == "www-data:www-data 640"
    assert int(sh(1, "mariadb -Nse 'SELECT COUNT(*) FROM dpiui2.subscribers'")) >= 1000
    assert sh(2, "mariadb -Nse 'SELECT COUNT(*) FROM dpiui2.subscribers'") == "0"
    assert int(sh(1, f"find {BACKEND}/storage -type f | wc -l")) >= 36
    assert (
        sh(1, "ls -d /usr/lib/*/glusterfs /usr/lib/*/glusterfs/gsyncd 2>/dev/null | wc -l") == "1"
    )


def test_a_crashed_node_comes_back_with_its_disk() -> None:
    before = node(2)["boot_id"]
    sh(2, "echo kept > /root/note")
    lab("crash", "node2")
    assert node(2)["state"] == "off"
    lab("crash", "node2")  # a second power cut of what is off is no error
    lab("boot", "node2")
    assert node(2)["state"] == "running"
    assert node(2)["boot_id"] != before
    assert sh(2, "cat /root/note") == "kept"


WATCH_EACH_OTHER = """
watch() {
    sleep 1000 &
    while read -r line < /proc/$!/stat && [ "${line#*) Z}" = "$line" ]; do :; done
    echo "$!" >> /root/outlived
    sync
}
for i in $(seq 6); do watch & done
wait"""


def test_nobody_in_a_node_sees_a_power_cut_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed one after the other, a process would live to see another one gone. The order is not
    ours to choose: the youngest first is the worst one, and slowly makes it sure."""
    found, kill_now = cgroups.processes, cgroups._sigkill

    def kill_slowly(pid: int) -> None:
        time.sleep(0.03)
        kill_now(pid)

    monkeypatch.setattr(cgroups, "processes", lambda group: sorted(found(group), reverse=True))
    monkeypatch.setattr(cgroups, "_sigkill", kill_slowly)
    sh(2, f"cat > /root/watch <<'END'\n{WATCH_EACH_OTHER}\nEND")
    sh(2, "nohup sh /root/watch < /dev/null > /dev/null 2>&1 & sleep 1; ! test -e /root/outlived")
    lifecycle.crash(state.load_existing(Names(NAME, home())).nodes[1])
    lab("boot", "node2")
    assert sh(2, "cat /root/outlived 2> /dev/null | wc -l") == "0"


def test_a_partition_cuts_the_peers_but_not_the_host() -> None:
    assert reaches(3, 1)
    lab("partition", "node3")
    lab("partition", "node3")
    assert node(3)["partitioned"]
    assert not reaches(3, 1)
    assert not reaches(1, 3)
    assert reaches(1, 2)
    assert reaches(3, 3)
    lab("rejoin", "node3")
    lab("rejoin", "node3")
    assert reaches(3, 1)


def test_a_reboot_from_inside_boots_again_and_a_poweroff_does_not() -> None:
    before = node(3)["boot_id"]
    lab("reboot", "node3")
    assert node(3)["boot_id"] != before
    lab("poweroff", "node3")
    assert node(3)["state"] == "off"
    lab("up")
    assert node(3)["state"] == "running"


def test_the_manual_s_procedure_gives_a_cluster() -> None:
    hosts = [each["address"] for each in status()["nodes"]]
    for number in (1, 2, 3):
        sh(number, f"sed -i -E 's/^(GALERA|CLUSTER_FS)(_PEER_HOSTS)=.*/\\1\\2={','.join(hosts)}/; "
           f"s/^(CLUSTER_PRIMARY_HOST)=.*/\\1={hosts[0]}/' {BACKEND}/.env")  # fmt: skip
    files = sh(1, f"find {BACKEND}/storage -type f | wc -l")
    for number in (1, 2, 3):
        sh(number, f"sh {BACKEND}/app_bash/galera_setup.sh -a init_cluster")
    gluster = f"sh {BACKEND}/app_bash/glusterfs_setup.sh -a"
    for number in (1, 2, 3):
        sh(number, f"{gluster} init_gluster")
    sh(1, f"{gluster} init_peers")
    sh(1, f"{gluster} init_volume")
    for number in (1, 2, 3):
        sh(number, f"{gluster} mount")
    for number in (1, 2, 3):
        size = "mariadb -Nse \"SHOW STATUS LIKE 'wsrep_cluster_size'\" | cut -f2"
        wait_for("3", number, size)
        assert sh(number, "mariadb -Nse 'SELECT COUNT(*) FROM dpiui2.subscribers'") == "12000"
        assert sh(number, f"find {BACKEND}/storage -type f | wc -l") == files
    sh(2, f"echo shared > {BACKEND}/storage/app/new")
    assert sh(3, f"cat {BACKEND}/storage/app/new") == "shared"
    wait_for("node1", 3, "mariadb -Nse 'SELECT DISTINCT node FROM dpiui2.background_work'")


def test_a_reset_gives_pristine_nodes_at_the_same_addresses() -> None:
    before = status()
    sh(1, "echo gone > /root/note; echo gone > /data/note")
    lab("reset")
    after = status()
    for key in ("key", "root_password"):
        assert after[key] == before[key]
    for key in ("address", "host_key_sha256"):
        assert [each[key] for each in after["nodes"]] == [each[key] for each in before["nodes"]]
    assert sh(1, "ls /root/note /data/note 2>/dev/null || :") == ""
    assert sh(1, f"grep -c '^GALERA_PEER_HOSTS=$' {BACKEND}/.env") == "1"
    assert sh(1, "systemctl is-active glusterd || :") == "inactive"


def test_two_labs_do_not_meet(scratch_lab: str) -> None:
    lab("up", "--nodes", "1", name=scratch_lab)
    other = status(scratch_lab)["nodes"][0]["address"]
    assert other not in [each["address"] for each in status()["nodes"]]
    assert sh(1, f"ping -c1 -W1 {other} >/dev/null 2>&1 && echo yes || echo no") == "no"


def test_an_up_killed_at_any_moment_can_be_repeated(scratch_lab: str) -> None:
    for _ in range(3):
        kill_in_the_middle(scratch_lab)
        lab("up", "--nodes", "2", name=scratch_lab)
        lab("down", name=scratch_lab)
        assert left_behind(scratch_lab) == []


def test_an_up_killed_at_any_moment_can_be_taken_down(scratch_lab: str) -> None:
    for _ in range(3):
        kill_in_the_middle(scratch_lab)
        lab("down", name=scratch_lab)
        assert left_behind(scratch_lab) == []


def test_a_lab_whose_processes_were_all_killed_comes_up_again(scratch_lab: str) -> None:
    lab("up", "--nodes", "1", name=scratch_lab)
    for pid in cgroups.processes(Names(scratch_lab, home()).cgroup):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    lab("up", name=scratch_lab)
    address = status(scratch_lab)["nodes"][0]["address"]
    with socket.create_connection((address, 22), timeout=5) as connection:
        assert connection.recv(4) == b"SSH-"


def kill_in_the_middle(name: str) -> None:
    """SIGKILL the tool itself somewhere between its first file and its last node."""
    command = [str(TOOL), "--name", name, "up", "--nodes", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        time.sleep(random.uniform(0.05, 1.0))
        up.kill()

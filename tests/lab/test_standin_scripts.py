"""The stand-in for the vendor's scripts: reads the .env as Laravel does and refuses before it acts.

No test here gets past the refusals: what the scripts do on a node is seen in a real lab.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

STANDIN = Path(__file__).resolve().parents[2] / "lab" / "standin"
SHELL_FILES = [
    *sorted((STANDIN / "app_bash").glob("*.sh")),
    STANDIN / "worker" / "dpiui2-worker",
    STANDIN.parent / "supervise.sh",
]
SCRIPTS = {
    "galera_setup.sh": ["init_cluster"],
    "glusterfs_setup.sh": ["init_gluster", "init_peers", "init_volume", "mount"],
}
HOSTS = {"galera_setup.sh": "GALERA_PEER_HOSTS", "glusterfs_setup.sh": "CLUSTER_FS_PEER_HOSTS"}
ACTIONS = [(script, action) for script, actions in SCRIPTS.items() for action in actions]
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="the script refuses anyone but root first"
)


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A copy of the app directory that everyone may read, as pristine as on a node."""
    shutil.copytree(STANDIN / "app_bash", tmp_path / "app_bash")
    shutil.copy(STANDIN / "backend.env", tmp_path / ".env")
    (tmp_path / "storage").mkdir()
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def no_tools(tmp_path: Path) -> dict[str, str]:
    """An environment in which touching the machine is impossible, should a refusal be missing."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name in ("systemctl", "mariadb", "galera_new_cluster", "gluster", "mount", "umount"):
        (stubs / name).write_text("#!/bin/sh\necho touched the machine >&2\nexit 99\n")
        (stubs / name).chmod(0o755)
    return {"PATH": f"{stubs}:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}


def shell(*argv: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", *argv], capture_output=True, text=True, env=env, check=False)


def read_key(tmp_path: Path, key: str, env_text: str) -> str:
    (tmp_path / "some.env").write_text(env_text)
    code = f'env_file={tmp_path}/some.env; . {STANDIN}/app_bash/settings.sh; env_value "$1"'
    return shell("-c", code, "sh", key).stdout.removesuffix("\n")


def put_keys(backend: Path, **keys: str) -> None:
    with (backend / ".env").open("a") as env_file:
        env_file.writelines(f"{key}={value}\n" for key, value in keys.items())


@pytest.mark.parametrize("path", SHELL_FILES, ids=lambda path: path.name)
def test_the_shell_accepts_it(path: Path) -> None:
    assert shell("-n", path).stderr == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_says_that_it_is_a_stand_in(script: str) -> None:
    assert "STAND-IN" in (STANDIN / "app_bash" / script).read_text().splitlines()[1]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=10.0.0.1,10.0.0.2", "10.0.0.1,10.0.0.2"),
        ('K="a b # c"', "a b # c"),
        ("K='single # quoted'  # comment", "single # quoted"),
        ("K=plain # comment", "plain"),
        ("K=no#comment", "no#comment"),
        ("K=", ""),
        ("K= # nothing but a comment", ""),
        ("export K=exported", "exported"),
        ("  K = spaced  ", "spaced"),
        ("K=windows\r", "windows"),
        ("K=a=b==", "a=b=="),
        ("# K=commented out", ""),
        ("KK=another key", ""),
        ("K=first\nOTHER=1\nK=last", "last"),
    ],
)
def test_a_key_is_read_as_laravel_reads_it(tmp_path: Path, line: str, value: str) -> None:
    assert read_key(tmp_path, "K", f"BEFORE=1\n{line}\nAFTER=2\n") == value


def test_the_pristine_env_has_the_three_keys_empty() -> None:
    lines = (STANDIN / "backend.env").read_text().splitlines()
    for key in ("GALERA_PEER_HOSTS", "CLUSTER_FS_PEER_HOSTS", "CLUSTER_PRIMARY_HOST"):
        assert lines.count(f"{key}=") == 1


def test_the_pristine_env_is_as_awkward_as_a_real_one() -> None:
    text = (STANDIN / "backend.env").read_text()
    keys = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(keys) >= 33
    for trait in ('="', "='", "# ", "\n\n"):
        assert trait in text


@needs_root
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    "argv", [[], ["-a"], ["-a", "x"], ["-a", "read_settings"], ["-b", "mount"]]
)
def test_an_action_it_does_not_know_is_refused(
    backend: Path, no_tools: dict[str, str], script: str, argv: list[str]
) -> None:
    refused = shell(backend / "app_bash" / script, *argv, env=no_tools)
    assert refused.returncode == 1
    assert "unknown action" in refused.stderr or "usage:" in refused.stderr


@needs_root
@pytest.mark.parametrize(("script", "action"), ACTIONS)
def test_anyone_but_root_is_refused(backend: Path, script: str, action: str) -> None:
    command = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "sh",
        f"app_bash/{script}",
        "-a",
        action,
    ]
    refused = subprocess.run(command, cwd=backend, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "must be run as root" in refused.stderr


@needs_root
@pytest.mark.parametrize(("script", "action"), ACTIONS)
def test_empty_settings_are_refused(
    backend: Path, no_tools: dict[str, str], script: str, action: str
) -> None:
    refused = shell(backend / "app_bash" / script, "-a", action, env=no_tools)
    assert refused.returncode == 1
    assert f"{HOSTS[script]} is empty" in refused.stderr


@needs_root
@pytest.mark.parametrize(("script", "action"), ACTIONS)
def test_settings_that_do_not_name_this_machine_are_refused(
    backend: Path, no_tools: dict[str, str], script: str, action: str
) -> None:
    hosts = "192.0.2.201, 192.0.2.202"
    put_keys(backend, **{HOSTS[script]: hosts, "CLUSTER_PRIMARY_HOST": "192.0.2.201"})
    refused = shell(backend / "app_bash" / script, "-a", action, env=no_tools)
    assert refused.returncode == 1
    assert "is this machine" in refused.stderr


@needs_root
@pytest.mark.parametrize(("script", "action"), ACTIONS)
def test_a_missing_env_is_refused(
    backend: Path, no_tools: dict[str, str], script: str, action: str
) -> None:
    (backend / ".env").unlink()
    refused = shell(backend / "app_bash" / script, "-a", action, env=no_tools)
    assert refused.returncode == 1
    assert "is missing or cannot be read" in refused.stderr


@needs_root
@pytest.mark.parametrize("action", ["init_peers", "init_volume"])
def test_what_only_the_master_may_do_is_refused_elsewhere(
    backend: Path, no_tools: dict[str, str], action: str
) -> None:
    put_keys(
        backend, CLUSTER_FS_PEER_HOSTS="192.0.2.201,127.0.0.1", CLUSTER_PRIMARY_HOST="192.0.2.201"
    )
    refused = shell(backend / "app_bash" / "glusterfs_setup.sh", "-a", action, env=no_tools)
    assert refused.returncode == 1
    assert "on the master node 192.0.2.201 only" in refused.stderr

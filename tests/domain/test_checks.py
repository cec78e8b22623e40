"""The judges of the checks: what is OK, what fails, and that every failure says what to type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.domain.check_judges import JUDGES, judge
from nodes.domain.checks import CHECKS, IDS, CheckFacts, Evidence, PortTry
from nodes.domain.observation import ClusterFacts, EnvFacts, NodeFacts, Unknown
from nodes.domain.text import say
from nodes.probes.check_script import PORTS
from tests.fakes.facts import HOSTS, SETTINGS, cluster, node, silent

GIB = 1024**3
REFUSED = "bash: connect: Connection refused"


def tries(host: str, **bad: PortTry) -> tuple[PortTry, ...]:
    good = [PortTry(o, port, 1, REFUSED) for o in HOSTS if o != host for port in PORTS]
    return (*good[:-1], bad["last"]) if bad else tuple(good)


def asked(host: str, **changes: Any) -> CheckFacts:
    names = {h: f"10.0.0.{h[-1]}" for h in HOSTS}
    firewall = {"selinux": "absent", "firewalld": "inactive"}
    return replace(CheckFacts(tries(host), frozenset({22}), names, firewall, ()), **changes)


def evidence(
    facts: ClusterFacts | None = None, *, pinned: bool = True, **changes: CheckFacts | Unknown
) -> Evidence:
    checks = {host: changes.get(host) or asked(host) for host in HOSTS}
    return Evidence("n1", SETTINGS, facts or cluster(), checks, "/app", pinned)


def with_n1(**changes: Any) -> Evidence:
    return evidence(cluster(node("n1", **changes)))


def test_every_check_has_a_judge_a_title_and_a_reason() -> None:
    assert tuple(JUDGES) == IDS
    assert len(set(IDS)) == len(CHECKS)
    assert all(str(check.title) and str(check.why) for check in CHECKS)


@pytest.mark.parametrize("check_id", [i for i in IDS if i != "dpiui2_version"])
def test_a_good_server_passes(check_id: str) -> None:
    assert judge(check_id, evidence()).state == "ok"


FAILURES: dict[str, tuple[str, Evidence, str]] = {
    "no SSH": ("ssh", evidence(cluster(silent("n1"))), "Switch it on"),
    "no pinned key": ("host_key", evidence(cluster(silent("n1")), pinned=False), "Scan"),
    "not root": ("root", with_n1(is_root=False), "PermitRootLogin"),
    "no script": ("scripts", with_n1(scripts={"galera_setup.sh": False}), "Install or update"),
    "no .env": ("env_file", with_n1(env=EnvFacts(False)), "Install dpiui2"),
    "port times out": (
        "ports",
        evidence(n1=asked("n1", ports=tries("n1", last=PortTry("n3", 49152, 124)))),
        "On n3: `firewall-cmd --permanent --add-port=49152-60999/tcp && firewall-cmd --reload`",
    ),
    "port has no route": (
        "ports",
        evidence(n1=asked("n1", ports=tries("n1", last=PortTry("n3", 4567, 1, "No route to host")))),
        "`ufw allow 4567/tcp`",
    ),
    "firewall that rejects": (
        "ports",
        evidence(
            n1=asked("n1", ports=tries("n1", last=PortTry("n3", 4567, 1, REFUSED))),
            n3=asked("n3", listening=frozenset({4567})),
        ),
        "--add-port=4567/tcp",
    ),
    "name unknown": ("names", evidence(n1=asked("n1", names={"n1": "10.0.0.1", "n2": "10.0.0.2"})), "/etc/hosts"),
    "name differs": (
        "names",
        evidence(n1=asked("n1", names={"n1": "10.0.0.1", "n2": "10.9.9.9", "n3": "10.0.0.3"})),
        "`echo ADDRESS n2 >> /etc/hosts`",
    ),
    "clock": ("clock", with_n1(clock_offset_s=1.5), "timedatectl set-ntp true"),
    "disk": ("disk", with_n1(disk_free={"/": GIB // 2, "/data": 90 * GIB}), "du -xh /"),
    "memory": ("memory", with_n1(memory={"total": GIB, "available": GIB // 8}), "ps aux"),
    "versions": ("versions", with_n1(versions={"mariadb": "10.5.1", "gluster": "10.3"}), "dnf upgrade"),
    "socket runs": (
        "socket",
        with_n1(units={"mariadb": "active", "mariadb.socket": "active"}),
        "systemctl disable --now mariadb.socket",
    ),
    "socket starts at boot": (
        "socket",
        with_n1(extra={"enabled": {"mariadb.socket": "enabled"}}),
        "systemctl disable --now mariadb.socket",
    ),
    "another panel": (
        "no_other_job",
        evidence(n1=asked("n1", jobs=("lock panel office", "lock run bcd", "lock user eve"))),
        "Wait until that run",
    ),
    "a script runs": ("no_other_job", evidence(n1=asked("n1", jobs=("script 77",))), "ps aux"),
    "marker": ("bootstrap_marker", with_n1(bootstrap_marker="_WSREP_NEW_CLUSTER=x"), "unset-environment"),
    "old dpiui2": ("dpiui2_version", with_n1(versions={"dpiui2": "2.25.8"}), "dnf update dpiui2"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_says_what_to_type(case: str) -> None:
    check_id, seen, typed = FAILURES[case]
    answer = judge(check_id, seen)
    assert (answer.state, typed in str(answer.fix)) == ("failed", True), answer


def test_a_blocked_port_is_named_with_its_target() -> None:
    answer = judge(*FAILURES["port times out"][:2])
    assert str(answer.detail) == "Not reachable: n3:49152."


def test_a_changed_host_key_is_told_in_its_own_column_and_leaves_ssh_unknown() -> None:
    fact = Unknown(say("another key"), fix=say("find out"), code="host_key_changed")
    seen = evidence(cluster(replace(silent("n1"), ssh=fact)))
    assert judge("host_key", seen).state == "failed"
    assert judge("ssh", seen).state == "unknown"


@pytest.mark.parametrize(
    ("check_id", "seen"),
    [
        ("settings_equal", with_n1(env=EnvFacts(True, "", {}))),
        ("disk", with_n1(disk_free={"/": 2 * GIB})),
        ("memory", with_n1(memory={"available": GIB // 3})),
        ("names", evidence(n1=asked("n1", names={"n1": "127.0.1.1", "n2": "10.0.0.2", "n3": "10.0.0.3"}))),
        ("firewall_selinux", evidence(n1=asked("n1", firewall={"selinux": "enforcing"}))),
        ("firewall_selinux", evidence(n1=asked("n1", firewall={"firewalld": "active"}))),
    ],
)  # fmt: skip
def test_what_deserves_a_look_is_a_warning_with_a_hint(check_id: str, seen: Evidence) -> None:
    answer = judge(check_id, seen)
    assert (answer.state, bool(answer.fix)) == ("warning", True)


def test_only_the_server_with_the_wrong_clock_fails() -> None:
    facts = cluster(node("n2", clock_offset_s=9.0))
    states = {h: judge("clock", replace(evidence(facts), host=h)).state for h in HOSTS}
    assert states == {"n1": "ok", "n2": "failed", "n3": "ok"}


@pytest.mark.parametrize("versions", [{"mariadb": ""}, {"dpiui2": ""}])
def test_a_version_that_cannot_be_read_is_unknown_and_does_not_block(
    versions: dict[str, str],
) -> None:
    assert judge("dpiui2_version", with_n1(versions=versions)).state == "unknown"
    assert not next(check for check in CHECKS if check.id == "dpiui2_version").blocking


@pytest.mark.parametrize("check_id", IDS)
def test_a_silent_server_passes_no_check(check_id: str) -> None:
    seen = evidence(cluster(silent("n1")), n1=Unknown(say("silent")))
    assert judge(check_id, seen).state in ("unknown", "failed")


@given(st.sampled_from(IDS), st.data())
def test_no_facts_are_an_exception(check_id: str, data: st.DataObject) -> None:
    """Each fact of each server, and each answer to the checks, may be unknown."""

    def bent(base: Any, names: list[str]) -> Any:
        chosen = data.draw(st.sets(st.sampled_from(names)))
        return replace(base, **dict.fromkeys(chosen, Unknown(say("?"))))

    facts = [n for n in vars(node("n1")) if n not in ("host", "taken_at", "extra")]
    nodes: tuple[NodeFacts, ...] = tuple(bent(node(host), facts) for host in HOSTS)
    checks = {
        h: bent(asked(h), list(vars(asked(h)))) for h in data.draw(st.sets(st.sampled_from(HOSTS)))
    }
    answer = judge(check_id, Evidence("n1", SETTINGS, ClusterFacts(nodes), checks, "/app"))
    assert answer.state != "failed" or answer.fix

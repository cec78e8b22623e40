"""Proofs: what the nodes answered becomes Holds, NotYet or Never; silence is never an effect."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nodes.domain.text import say
from nodes.transport.base import Output
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.proofs import PROOFS, Holds, Never, NotYet, Verdict
from tests.builders import HOSTS, UUID, situation

ONE, TWO, THREE = HOSTS
SILENT = say("%(host)s did not answer.", host=TWO)
SHA = "a" * 64


def out(text: str, code: int = 0, err: str = "") -> Output:
    return Output(code, text.encode(), err.encode())


def on(answers: dict[str, Any], name: str, *args: str) -> Verdict:
    return PROOFS[name].judge(args, answers)


def status(size: str = "2", uuid: str = UUID, **changes: str) -> Output:
    rows = {
        "wsrep_cluster_status": "Primary",
        "wsrep_cluster_size": size,
        "wsrep_cluster_state_uuid": uuid,
        "wsrep_local_state": "4",
        "wsrep_local_state_comment": "Synced",
        "wsrep_ready": "ON",
        **changes,
    }
    return out("".join(f"{name}\t{value}\n" for name, value in rows.items()))


def test_an_older_cached_configuration_is_no_effect() -> None:
    args = (ONE, "/app/backend", "CLUSTER_PRIMARY_HOST=a")
    lines = "GALERA_PEER_HOSTS=\nCLUSTER_FS_PEER_HOSTS=\nCLUSTER_PRIMARY_HOST=a\n"
    assert isinstance(on({ONE: out(lines)}, "settings_in_effect", *args), Holds)
    older = on({ONE: out("", 4)}, "settings_in_effect", *args)
    assert isinstance(older, NotYet)
    assert "does not read the new lines" in str(older.sentence)
    assert isinstance(on({ONE: out("", 3)}, "settings_in_effect", *args), Never)


@pytest.mark.parametrize(("cached_at", "code"), [(None, 0), (90, 4), (100, 0), (110, 0)])
def test_the_node_compares_the_two_files(tmp_path: Path, cached_at: int | None, code: int) -> None:
    env, cached = tmp_path / ".env", tmp_path / "bootstrap" / "cache" / "config.php"
    env.write_text("CLUSTER_PRIMARY_HOST=a\n")
    os.utime(env, (100, 100))
    if cached_at is not None:
        cached.parent.mkdir(parents=True)
        cached.touch()
        os.utime(cached, (cached_at, cached_at))
    args = (ONE, str(tmp_path), "CLUSTER_PRIMARY_HOST=a")
    (probe,) = PROOFS["settings_in_effect"].probes(args, ONE, HOSTS)
    done = subprocess.run(["sh", "-c", probe.script, "x", *probe.args], check=False)
    assert done.returncode == code


def member(own: Any, first: Any, size: str = "2") -> Verdict:
    return on({TWO: own, ONE: first}, "galera_member", TWO, size, ONE)


@pytest.mark.parametrize("name", sorted(PROOFS))
def test_silence_of_every_node_is_not_yet(name: str) -> None:
    args = {
        "galera_member": (TWO, "2", ONE),
        "env_equals": (TWO, "/.env", "CLUSTER_PRIMARY_HOST=x"),
        "settings_in_effect": (TWO, "/app", "CLUSTER_PRIMARY_HOST=x"),
        "dump_readable": (TWO, "/x.sql"),
        "archive_readable": (TWO, "/x.tar"),
        "storage_shared": ("/storage", TWO, ONE),
        "member_back": (TWO, "3", UUID),
        "cluster_begun": (TWO, UUID, "5"),
        "rebooted": (TWO, "restart-2", "run"),
        "cluster_whole": ("/storage", "1", TWO, ONE),
        "stopped_in_order": (TWO, "run", "1"),
        "primary_agreed": ("/.env", ONE, TWO, ONE),
        "primary_consistent": (
            "/app",
            "",
            "GALERA_PEER_HOSTS=x",
            "CLUSTER_FS_PEER_HOSTS=x",
            f"CLUSTER_PRIMARY_HOST={TWO}",
            TWO,
            ONE,
        ),
    }.get(name, (TWO, ONE))
    kind = PROOFS[name]
    probes = kind.probes(args, TWO, HOSTS)
    assert kind.judge(args, {probe.host: SILENT for probe in probes}) == NotYet(SILENT)
    assert isinstance(kind.judge(args, {}), NotYet)


def test_no_probe_asks_a_host_twice() -> None:
    plan = PLANNERS["install_glusterfs"](situation())
    assert isinstance(plan, Plan)
    for step in plan.steps:
        hosts = [p.host for p in PROOFS[step.proof.name].probes(step.proof.args, step.node, HOSTS)]
        assert len(set(hosts)) == len(hosts)


def test_a_synced_member_holds_with_its_figures() -> None:
    verdict = member(status(), status())
    assert isinstance(verdict, Holds)
    assert str(verdict.sentence) == f"{TWO} is Synced in a Primary component of 2 nodes."
    assert verdict.evidence["uuid"] == UUID


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (status("1"), "wsrep_cluster_size is 1, expected at least 2"),
        (status(wsrep_cluster_status="non-Primary"), "non-Primary, expected Primary"),
        (
            status(wsrep_local_state="1", wsrep_local_state_comment="Joining"),
            "Joining, expected Synced",
        ),
        (status(wsrep_ready="OFF"), "expected Synced"),
        (status(uuid="f" * 36), f"the primary {ONE} has {UUID}"),
        (status(uuid=""), "has cluster UUID —"),
        (out("", 1, "ERROR 2002: Can't connect"), "ERROR 2002"),
        (out("garbage"), "wsrep_cluster_status is —"),
    ],
)
def test_anything_less_is_not_yet_and_says_what(own: Output, says: str) -> None:
    verdict = member(own, status())
    assert isinstance(verdict, NotYet)
    assert says in str(verdict.sentence)


def test_a_silent_primary_leaves_the_member_unproven() -> None:
    assert member(status(), SILENT) == NotYet(SILENT)


def test_the_first_node_is_asked_once() -> None:
    probes = PROOFS["galera_member"].probes((ONE, "1", ONE), ONE, HOSTS)
    assert [probe.host for probe in probes] == [ONE]


def test_settings_hold_only_when_each_key_reads_as_written() -> None:
    args = (ONE, "/.env", "GALERA_PEER_HOSTS=a,b", "CLUSTER_PRIMARY_HOST=a")
    well = 'GALERA_PEER_HOSTS="a,b"\nCLUSTER_PRIMARY_HOST=a # set by the panel\n'
    assert isinstance(on({ONE: out(well)}, "env_equals", *args), Holds)
    other = on({ONE: out(well.replace("a,b", "a"))}, "env_equals", *args)
    assert isinstance(other, NotYet)
    assert "GALERA_PEER_HOSTS reads a, expected a,b" in str(other.sentence)
    twice = on({ONE: out(well + "CLUSTER_PRIMARY_HOST=b\n")}, "env_equals", *args)
    assert isinstance(twice, Never)
    gone = on({ONE: out("", 3)}, "env_equals", *args)
    assert isinstance(gone, Never)


def dump(text: str, code: int = 0, err: str = "") -> Verdict:
    return on({ONE: out(text, code, err)}, "dump_readable", ONE, "/b/all.sql.gz")


def test_a_backup_holds_with_size_and_checksum() -> None:
    verdict = dump(f"trailer=-- Dump completed\nbytes=700\nsha256={SHA}\n")
    assert isinstance(verdict, Holds)
    assert verdict.evidence == {"node": ONE, "path": "/b/all.sql.gz", "bytes": 700, "sha256": SHA}


@pytest.mark.parametrize("code", [3, 4, 5, 6])
def test_a_missing_or_broken_backup_is_never_waited_for(code: int) -> None:
    verdict = dump("", code, "/b/all.sql.gz is missing")
    assert isinstance(verdict, Never)
    assert "is missing" in str(verdict.sentence)


def test_half_an_answer_is_no_backup() -> None:
    assert isinstance(dump("bytes=700\n"), NotYet)
    assert isinstance(dump(f"bytes=\nsha256={SHA}"), NotYet)
    assert isinstance(dump("", 141, "broken pipe"), NotYet)


def test_an_archive_must_hold_as_much_as_was_counted() -> None:
    def archive(entries: str, expected: str) -> Verdict:
        text = f"entries={entries}\nexpected={expected}\nbytes=9\nsha256={SHA}\n"
        return on({ONE: out(text)}, "archive_readable", ONE, "/b/s.tar.gz")

    assert isinstance(archive("73", "73"), Holds)
    assert isinstance(archive("73", ""), Holds)  # an own archive: nobody counted it before
    short = archive("72", "73")
    assert isinstance(short, Never)
    assert "72 entries, but 73" in str(short.sentence)


PEER = (
    "<peer><hostname>{0}</hostname><connected>{1}</connected><state>{2}</state>"
    "<stateStr>{3}</stateStr></peer>"
)


def peers_of(*rows: tuple[str, str, str, str], ret: str = "0") -> Output:
    inner = "".join(PEER.format(*row) for row in rows)
    return out(f"<cliOutput><opRet>{ret}</opRet><peerStatus>{inner}</peerStatus></cliOutput>")


def well(*hosts: str) -> Output:
    return peers_of(*((host, "1", "3", "Peer in Cluster") for host in hosts))


def test_peers_hold_when_everyone_sees_everyone() -> None:
    answers = {ONE: well(TWO, THREE), TWO: well(ONE, THREE), THREE: well(ONE, TWO)}
    assert isinstance(on(answers, "peers_connected", *HOSTS), Holds)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (well(ONE), "sees 1 peers, expected 2"),
        (peers_of((ONE, "0", "3", "Peer in Cluster"), (TWO, "1", "3", "")), "connected: no"),
        (peers_of((ONE, "1", "6", "Peer Rejected"), (TWO, "1", "3", "")), "Peer Rejected"),
        (peers_of(ret="-1"), "did not answer"),
        (out("Connection failed. Please check if gluster daemon is operational.", 1), "Connection"),
    ],
)
def test_one_view_that_differs_is_not_yet(answer: Output, says: str) -> None:
    answers = {ONE: well(TWO, THREE), TWO: well(ONE, THREE), THREE: answer}
    verdict = on(answers, "peers_connected", *HOSTS)
    assert isinstance(verdict, NotYet)
    assert says in str(verdict.sentence)


def test_a_document_type_proves_nothing() -> None:
    plain = well(ONE, TWO).stdout.decode()
    typed = plain.replace("<cliOutput>", '<!DOCTYPE a [<!ENTITY b "c">]><cliOutput>')
    assert typed != plain
    answers = {ONE: well(TWO, THREE), TWO: well(ONE, THREE), THREE: out(typed)}
    assert isinstance(on(answers, "peers_connected", *HOSTS), NotYet)


def volumes(online: int = 3, *, started: int = 1, replica: int = 3, arbiters: int = 0) -> Output:
    bricks = "".join(f"<brick>{h}:/b<name>{h}:/b</name></brick>" for h in HOSTS)
    nodes = "".join(
        f"<node><hostname>{h}</hostname><path>/b</path><status>1</status></node>"
        for h in HOSTS[:online]
    )
    return out(
        "<?xml version='1.0'?><cliOutput><opRet>0</opRet><volInfo><volumes><volume><name>v</name>"
        f"<status>{started}</status><replicaCount>{replica}</replicaCount>"
        f"<arbiterCount>{arbiters}</arbiterCount><bricks>{bricks}</bricks></volume></volumes>"
        "</volInfo></cliOutput>\n<!-- cut -->\n<?xml version='1.0'?><cliOutput><opRet>0</opRet>"
        f"<volStatus><volumes><volume>{nodes}</volume></volumes></volStatus></cliOutput>"
    )


def test_a_volume_holds_with_all_bricks_online() -> None:
    assert isinstance(on({ONE: volumes()}, "volume_well", ONE), Holds)
    assert isinstance(on({ONE: volumes(replica=2, arbiters=1)}, "volume_well", ONE), Holds)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (volumes(2), f"not online: {THREE}:/b"),  # a host that is down is missing from the status
        (volumes(started=0), "not started"),
        (volumes(replica=2), "replica 2"),
        (out("<cliOutput><opRet>0</opRet></cliOutput><!-- cut -->"), "knows no volume"),
        (out("<!-- cut -->", 1, "connection failed"), "connection failed"),
    ],
)
def test_a_volume_that_is_less_is_not_yet(answer: Output, says: str) -> None:
    verdict = on({ONE: answer}, "volume_well", ONE)
    assert isinstance(verdict, NotYet)
    assert says in str(verdict.sentence)


def mount(content: str, fstype: str = "fuse.glusterfs") -> Output:
    return out(f"fstype={fstype}\ncontent={content}\n")


def shared(own: Any, other: Any) -> Verdict:
    return on({TWO: own, ONE: other}, "storage_shared", "/storage", TWO, ONE)


def test_a_mount_holds_when_the_file_is_read_elsewhere() -> None:
    assert isinstance(shared(mount("17.5"), mount("17.5")), Holds)
    alone = on({ONE: mount("17.5")}, "storage_shared", "/storage", ONE)
    assert isinstance(alone, Holds)


@pytest.mark.parametrize(
    ("own", "other", "says"),
    [
        (mount("17.5"), mount(""), f"{ONE} does not see"),
        (mount("17.5"), mount("16.0"), f"{ONE} does not see"),
        (mount(""), mount(""), "cannot read back"),
        (out("fstype=ext4\n"), mount("1"), "not a GlusterFS mount (found: ext4)"),
        (out("fstype=\n"), mount("1"), "no mount"),
        (
            out("fstype=fuse.glusterfs\n", 5, "a file could not be written within 10 s"),
            mount(""),
            "10 s",
        ),
    ],
)
def test_a_mount_that_shares_nothing_is_not_yet(own: Output, other: Output, says: str) -> None:
    verdict = shared(own, other)
    assert isinstance(verdict, NotYet)
    assert says in str(verdict.sentence)


def test_the_last_reader_takes_the_test_file_away() -> None:
    args = ("/storage", THREE, ONE, TWO)
    probes = PROOFS["storage_shared"].probes(args, THREE, HOSTS)
    assert [(p.host, *p.args[1:]) for p in probes] == [
        (THREE, "write", "more"),
        (ONE, "read", "more"),
        (TWO, "read", "last"),
    ]


def test_the_account_must_be_on_every_node_and_for_both_hosts() -> None:
    both, one = out("localhost\n127.0.0.1\n"), out("localhost\n")
    assert isinstance(on({ONE: both, TWO: both}, "monitor_account", ONE, TWO), Holds)
    verdict = on({ONE: both, TWO: one}, "monitor_account", ONE, TWO)
    assert isinstance(verdict, NotYet)
    assert f"{TWO} has no account clusterpanel@127.0.0.1" in str(verdict.sentence)


def test_a_daemon_that_is_activating_is_not_active() -> None:
    assert isinstance(on({ONE: out("active\n")}, "glusterd_active", ONE), Holds)
    assert isinstance(on({ONE: out("activating\n", 3)}, "glusterd_active", ONE), NotYet)

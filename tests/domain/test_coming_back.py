"""What a server that comes back says, judged: member, bricks, healing, mount, boot, order."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.domain.text import say
from nodes.transport.base import Output
from operations.domain.proofs import PROOFS, Holds, Never, NotYet, Verdict
from operations.domain.proofs.base import NotYet as Waiting
from operations.domain.proofs.look import MARK
from operations.domain.proofs.progress import REMEDY_S, Progress
from tests.fakes.facts import UUID

PATH = "/var/www/html/dpiui2/backend/storage"


def out(text: str, code: int = 0) -> Output:
    return Output(code, text.encode(), b"")


def look(**parts: Any) -> Output:
    """A server's answer: `part=text`, or `part=(text, exit code)`."""
    said = []
    for name, told in parts.items():
        text, code = told if isinstance(told, tuple) else (told, 0)
        title = name.replace("_", " ", 1) if name.startswith("heal_") else name
        said.append(f"\n{MARK} {title}\n{text}\n{MARK} rc {code}\n")
    return out("".join(said))


def wsrep(size: int = 3, state: str = "4", uuid: str = UUID, ready: str = "ON") -> str:
    rows = {
        "wsrep_on": "ON",
        "wsrep_ready": ready,
        "wsrep_cluster_status": "Primary",
        "wsrep_cluster_size": str(size),
        "wsrep_cluster_state_uuid": uuid,
        "wsrep_local_state": state,
        "wsrep_local_state_comment": "Synced" if state == "4" else "Joining",
    }
    return "".join(f"{name}\t{value}\n" for name, value in rows.items())


NO_SQL = ("ERROR 2002 (HY000): Can't connect to local server", 1)


def judge(name: str, answer: Output, *args: str) -> Verdict:
    return PROOFS[name].judge(args, {args[0]: answer})


def member(answer: Output) -> Verdict:
    return judge("member_back", answer, "n3", "3", UUID)


def test_a_member_that_is_back() -> None:
    found = member(look(unit="active", process="1", wsrep=wsrep(), moving=""))
    assert isinstance(found, Holds)
    assert found.evidence["size"] == 3


def test_a_joiner_shows_its_bytes() -> None:
    found = member(look(unit="activating", process="1", wsrep=NO_SQL, moving="123456789"))
    assert isinstance(found, NotYet)
    assert found.received == 123456789
    assert "123.5 MB are there" in str(found.sentence)
    moving = "123456789\n45600000"
    found = member(look(unit="activating", process="1", wsrep=NO_SQL, moving=moving))
    assert isinstance(found, NotYet)
    assert (found.received, found.written) == (123456789, 45600000)
    assert "45.6 MB are written, of 123.5 MB that are there" in str(found.sentence)


@pytest.mark.parametrize(
    ("parts", "kind", "said"),
    [
        ({"unit": "failed", "wsrep": NO_SQL}, Never, "mariadb failed on n3"),
        ({"unit": "activating", "wsrep": NO_SQL}, NotYet, "SQL does not answer yet"),
        ({"unit": "active", "wsrep": wsrep(state="1")}, NotYet, "n3 is Joining"),
        ({"unit": "active", "wsrep": wsrep(ready="OFF")}, NotYet, "expected Synced"),
        ({"unit": "active", "wsrep": wsrep(size=2)}, NotYet, "sees 2 members"),
        ({"unit": "active", "wsrep": wsrep(uuid="0" * 8 + UUID[8:])}, Never, "is in the cluster"),
        ({}, NotYet, "SQL does not answer yet"),
    ],
)
def test_a_member_that_is_not(parts: dict[str, Any], kind: type, said: str) -> None:
    found = member(look(**parts))
    assert isinstance(found, kind)
    assert said in str(found.sentence)


def xml(body: str) -> str:
    return f"<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/>{body}</cliOutput>"


def info() -> str:
    bricks = "".join(
        f'<brick uuid="u{h}">{h}:/b<name>{h}:/b</name><hostUuid>u{h}</hostUuid>'
        "<isArbiter>0</isArbiter></brick>"
        for h in ("n1", "n2", "n3")
    )
    return xml(
        "<volInfo><volumes><volume><name>files</name><status>1</status><replicaCount>3</replicaCount>"
        f"<arbiterCount>0</arbiterCount><bricks>{bricks}</bricks></volume></volumes></volInfo>"
    )


def status(down: str = "", daemon: str = "") -> str:
    rows = "".join(
        f"<node><hostname>{h}</hostname><path>/b</path><status>{int(h != down)}</status></node>"
        for h in ("n1", "n2", "n3")
    )
    for path in ("localhost", "n1", "n2"):
        up = int(path != daemon)
        rows += (
            f"<node><hostname>Self-heal Daemon</hostname><path>{path}</path>"
            f"<status>{up}</status></node>"
        )
    return xml(
        f"<volStatus><volumes><volume><volName>files</volName>{rows}</volume></volumes></volStatus>"
    )


def heal(*counts: int | None) -> str:
    rows = ""
    for host, count in zip(("n1", "n2", "n3"), counts, strict=True):
        number = "" if count is None else f"<totalNumberOfEntries>{count}</totalNumberOfEntries>"
        rows += f"<brick><name>{host}:/b</name><status>Connected</status>{number}</brick>"
    return xml(f"<healInfo><bricks>{rows}</bricks></healInfo>")


WELL_MOUNT = "fuse.glusterfs\nwell"


def storage(**changes: Any) -> Verdict:
    parts = {"daemon": "active", "volumes": info(), "status": status(), "mounted": WELL_MOUNT}
    return judge("storage_back", look(**{**parts, **changes}), "n3", PATH, "n3:/b")


def test_bricks_daemon_and_mount_are_back() -> None:
    assert isinstance(storage(), Holds)
    assert isinstance(storage(status=status(down="n1")), Holds)  # another server's brick


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"daemon": "inactive"}, "glusterd is inactive"),
        ({"status": status(down="n3")}, "The brick n3:/b does not run"),
        ({"status": status(daemon="localhost")}, "self-heal daemon of n3"),
        ({"status": ("Connection failed", 1)}, "gluster did not answer"),
        ({"mounted": "nothing"}, "not mounted or does not answer"),
        ({"mounted": ("fuse.glusterfs", 124)}, "not mounted or does not answer"),
        (
            {"mounted": ("fuse.glusterfs\nsh: Transport endpoint is not connected", 1)},
            "not mounted",
        ),
    ],
)
def test_storage_that_is_not_back(changes: dict[str, Any], said: str) -> None:
    found = storage(**changes)
    assert isinstance(found, NotYet)
    assert said in str(found.sentence)


def whole(first: dict[str, Any] | None = None, third: dict[str, Any] | None = None) -> Verdict:
    parts: dict[str, Any] = {
        "unit": "active",
        "wsrep": wsrep(),
        "moving": "",
        "mounted": WELL_MOUNT,
    }
    pool = {"daemon": "active", "volumes": info(), "status": status(), "heal_files": heal(0, 0, 0)}
    answers = {
        "n3": look(**{**parts, **pool, **(first or {})}),
        "n1": look(**{**parts, **(third or {})}),
        "n2": look(**parts),
    }
    args = (PATH, "3", "n1", "n2", "n3", "n3", "n1", "n2")
    return PROOFS["cluster_whole"].judge(args, answers)


def test_both_layers_are_whole() -> None:
    assert isinstance(whole(), Holds)


@pytest.mark.parametrize(
    ("first", "third", "said"),
    [
        ({"heal_files": heal(0, 125, 0)}, {}, "125 files wait for healing"),
        ({"heal_files": heal(0, None, 0)}, {}, "is not known"),
        ({"status": status(down="n2")}, {}, "n2:/b does not run"),
        ({"status": status(daemon="n2")}, {}, "self-heal daemon of n2"),
        ({}, {"wsrep": wsrep(size=2)}, "n1 sees 2 members"),
        ({}, {"wsrep": NO_SQL}, "n1 is not Synced"),
        ({}, {"mounted": "nothing"}, "on n1 is not mounted"),
    ],
)
def test_not_whole_yet(first: dict[str, Any], third: dict[str, Any], said: str) -> None:
    found = whole(first, third)
    assert isinstance(found, NotYet)
    assert said in str(found.sentence)


def test_only_a_new_boot_is_a_restart() -> None:
    def boots(text: str) -> Verdict:
        return judge("rebooted", out(text), "n3", "restart-3", "x7k2")

    assert isinstance(boots("now=b\nbefore=a\n"), Holds)
    assert isinstance(boots("now=b\nbefore=a\nsame=b\n"), Holds)  # a second attempt, after it
    assert isinstance(boots("now=a\nsame=a\n"), NotYet)
    assert isinstance(boots("now=a\n"), NotYet)


def test_a_stop_in_order_has_left_a_position() -> None:
    def stopped(text: str) -> Verdict:
        return judge("stopped_in_order", out(text), "n3", "x7k2", "2")

    well = "unit=inactive\nprocesses=0\nrun=x7k2\nplace=2\nstate=stopped\nuuid=u\nseqno=22\n"
    assert isinstance(stopped(well), Holds)
    assert isinstance(stopped(well.replace("seqno=22", "seqno=-1")), Never)
    for bad in (
        well.replace("unit=inactive", "unit=active"),
        well.replace("processes=0", "processes=1"),
        well.replace("run=x7k2", "run=other"),
        well.replace("state=stopped", "state=stopping"),
    ):
        assert isinstance(stopped(bad), NotYet)


def test_bytes_that_move_begin_the_time_again_and_have_a_rate() -> None:
    progress, said = Progress(0.0), say("It receives.")
    assert progress.moved(Waiting(said, received=10_000_000), 1.0)
    assert progress.moved(Waiting(said, received=30_000_000), 3.0)
    assert str(progress.told(Waiting(said, received=30_000_000))) == "It receives. 10.0 MB/s."
    assert not progress.moved(Waiting(said, received=30_000_000), 4.0)
    assert progress.moved(Waiting(said, received=5_000_000), 5.0)  # thrown away: it moves
    assert str(progress.told(Waiting(said, received=5_000_000))) == "It receives."
    assert progress.moved(Waiting(said), 6.0)  # over
    assert not progress.moved(Waiting(said), 7.0)


def test_what_is_written_into_files_that_were_there_moves_too() -> None:
    """rsync with --inplace: the old copy has the full size from the first byte to the last."""
    progress, said = Progress(0.0), say("It receives.")
    assert progress.moved(Waiting(said, received=900, written=1_000_000), 1.0)
    seen = Waiting(said, received=900, written=9_000_000)
    assert progress.moved(seen, 3.0)
    assert str(progress.told(seen)) == "It receives. 4.0 MB/s."
    assert not progress.moved(seen, 4.0)


def test_a_brick_that_stayed_down_is_not_waited_for_as_long_as_data_that_moves() -> None:
    progress, down = Progress(0.0), Waiting(say("It does not run."), remedy=True)
    progress.moved(down, 10.0)
    assert not progress.hopeless(10.0 + REMEDY_S - 1)
    progress.moved(Waiting(say("It heals."), left=5), 100.0)  # it is up
    progress.moved(down, 200.0)
    assert not progress.hopeless(200.0 + REMEDY_S - 1)
    progress.moved(down, 300.0)
    assert progress.hopeless(200.0 + REMEDY_S)


def test_a_backlog_that_is_stuck_does_not_begin_the_time_again() -> None:
    progress, said = Progress(0.0), say("It heals.")
    found = [progress.moved(Waiting(said, left=n), 1.0) for n in (125, 125, 130, 125, 124, 124)]
    assert found == [True, False, False, False, True, False]

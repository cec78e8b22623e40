"""What was read becomes evidence: certain, or nobody's guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import SeenPosition, Transfer, Unknown
from nodes.domain.text import say
from nodes.domain.traces import Kept, Traces
from nodes.probes.traces import of_text
from operations.domain.recovery_evidence import Found, Life, NodeEvidence, Position
from operations.domain.recovery_facts import evidence_of
from tests.domain.powered import situation
from tests.fakes.facts import NOW, UUID

MARK, OTHER = "a" * 64, "b" * 64
SILENT = Unknown(say("It did not answer."))
NO_SOCKET = Unknown(say("no"), raw="ERROR 2002 (HY000): Can't connect to local server")
DENIED = Unknown(say("no"), raw="ERROR 1045 (28000): Access denied for user 'root'")


def of(
    words: str,
    traces: Traces | Unknown | None = None,
    seen: SeenPosition | None = None,
    **facts: Any,
) -> NodeEvidence:
    """The evidence of n2 with these words, and what else was read there."""
    given = situation({"n2": words} if words else {})
    nodes = tuple(replace(n, **facts) if n.host == "n2" else n for n in given.facts.nodes)
    given = replace(
        given,
        facts=replace(given.facts, nodes=nodes),
        traces={"n1": Traces(MARK), "n2": traces or Traces(MARK), "n3": Traces(MARK)},
        seen={"n2": seen} if seen else {},
    )
    return evidence_of(given).node("n2")


def kept(found: str = "read", position: str = f"{UUID}:25", mark: str = MARK) -> Traces:
    return Traces(MARK, kept=Kept(mark, found, position, at=5.0))


@pytest.mark.parametrize(
    ("words", "facts", "life"),
    [
        ("well", {}, Life.PRIMARY),
        ("donor", {}, Life.PRIMARY),
        ("joined", {}, Life.STARTING),
        ("non-primary", {}, Life.NON_PRIMARY),
        ("standalone", {}, Life.STANDALONE),
        ("silent", {}, Life.SILENT),
        ("stopped", {}, Life.STOPPED),
        ("crashed", {}, Life.STOPPED),
        ("starting", {"galera": NO_SOCKET}, Life.STARTING),
        ("starting", {"galera": DENIED}, Life.SILENT),
        ("process-left", {"galera": SILENT}, Life.SILENT),
        ("stopped", {"grastate": SILENT}, Life.SILENT),
        ("stopped", {"bootstrap_marker": SILENT}, Life.SILENT),
        ("stopped", {"mysqld_running": SILENT}, Life.SILENT),
    ],
)
def test_what_a_database_does_now(words: str, facts: dict[str, Any], life: Life) -> None:
    found = of(words, **{"bootstrap_marker": "", "transfer": None, **facts})
    assert found.life is life, found


def plain(words: str, traces: Traces | Unknown | None = None, **facts: Any) -> NodeEvidence:
    return of(words, traces, **{"bootstrap_marker": "", "transfer": None, **facts})


def test_files_that_could_not_be_read_leave_the_node_unknown() -> None:
    found = plain("stopped", SILENT)
    assert (found.life, str(found.why)) == (Life.SILENT, "It did not answer.")


def test_a_kept_position_counts_while_nothing_was_started_since() -> None:
    assert plain("stopped", kept()).holds == Position(25, UUID)
    assert plain("stopped", kept(mark=OTHER)).found is Found.NOT_READ
    assert plain("starting", kept(), galera=NO_SOCKET).found is Found.NOT_READ
    assert plain("stopped", kept("nothing", "")).found is Found.NOTHING
    assert plain("stopped", kept("failed", "")).found is Found.FAILED
    assert plain("stopped", kept("read", "gibberish")).found is Found.NOT_READ
    assert plain("stopped", kept("read", f"{UUID}:25,0-1-12")).holds == Position(25, UUID)


def test_a_copy_that_did_not_end_is_no_source() -> None:
    found = plain("stopped", kept(), transfer=Transfer("SST", "joiner"))
    assert found.copying
    assert not found.whole


def test_what_was_seen_last_is_remembered() -> None:
    found = of("silent", seen=SeenPosition(UUID, 30, NOW))
    assert found.seen
    assert found.seen.position == Position(30, UUID)


def test_the_answer_of_the_disks() -> None:
    text = (
        f"\n--clusterpanel-- mark\n{MARK}\n--clusterpanel-- rc 0\n"
        "--clusterpanel-- view\nmy_uuid: m1\n#vwbeg\nview_id: 3 m1 7\nbootstrap: 0\n"
        "member: m1 0\nmember: m2 0\n#vwend\n--clusterpanel-- rc 0\n"
        f"--clusterpanel-- kept\nmark={MARK}\nat=5\nfound=read\nposition={UUID}:25\n"
        "said=WSREP: Recovered position\n--clusterpanel-- rc 0\n"
        "--clusterpanel-- data\nibdata1\n--clusterpanel-- rc 0\n"
    )
    found = of_text(text)
    assert isinstance(found, Traces)
    assert found.last_view
    assert found.last_view.members == {"m1", "m2"}
    assert found.current
    assert found.current.position == f"{UUID}:25"
    assert isinstance(of_text(text.replace(MARK, "none")), Unknown)
    assert isinstance(of_text(""), Unknown)
    broken = of_text(text.replace("found=read", "found=guessed"))
    assert isinstance(broken, Traces)
    assert broken.current is None


def test_an_empty_gvwstate_file_is_no_absent_one() -> None:
    head = f"--clusterpanel-- mark\n{MARK}\n--clusterpanel-- rc 0\n--clusterpanel-- view\n"
    tail = "\n--clusterpanel-- rc 0\n--clusterpanel-- kept\nabsent\n--clusterpanel-- rc 0\n--clusterpanel-- data\n\n--clusterpanel-- rc 0\n"
    empty, absent = of_text(head + tail), of_text(head + "absent" + tail)
    assert isinstance(empty, Traces)
    assert empty.last_view
    assert empty.last_view.empty
    assert isinstance(absent, Traces)
    assert absent.last_view is None

"""What real servers said while one of them received data: 360 MB by rsync, and 30,000 changes."""

from __future__ import annotations

import time
from pathlib import Path

from nodes.domain.assess import assess
from nodes.domain.observation import ClusterFacts, Transfer
from nodes.domain.parse_node import carried, node_facts
from nodes.domain.parse_sections import Section, sections
from nodes.domain.verdict import Progress
from nodes.probes.script import MARK
from tests.fakes.recorded import HOSTS, SETTINGS

ROOT = Path(__file__).parent.parent / "fixtures" / "transfers"
DONOR, _, JOINER = HOSTS


def parts(state: str, host: str) -> dict[str, Section]:
    text = (ROOT / state / f"node{host[-1]}.beat.txt").read_text()
    return sections(text.split("\n", 1)[1], MARK)


def seen(state: str) -> ClusterFacts:
    now = time.time()
    told = ((host, parts(state, host)) for host in HOSTS)
    return ClusterFacts(
        tuple(node_facts(h, p, asked_at=now, answered_at=now, quick=True) for h, p in told)
    )


def progress(facts: ClusterFacts) -> Progress:
    (only,) = assess(SETTINGS, facts, time.time()).transfers
    return only


def test_a_snapshot_has_a_donor_a_method_and_sizes_that_can_be_compared() -> None:
    found = progress(seen("sst"))
    assert (found.kind, found.joiner, found.donor, found.method) == ("SST", JOINER, DONOR, "rsync")
    assert (found.done, found.total, found.percent) == (364_410_190, 442_038_506, 82)


def test_the_probe_does_not_find_itself() -> None:
    for state in ("sst", "ist", "ist-began"):
        for host in HOSTS:
            told = parts(state, host)["transfer"].text
            assert "part_name" not in told


def test_a_joiner_that_applies_what_it_missed_is_told_by_its_last_change() -> None:
    began = seen("ist-began")
    assert began.node(JOINER).transfer == Transfer("IST", "joiner", first=32000, current=32003)
    found = progress(began)
    assert (found.kind, found.joiner, found.done) == ("IST", JOINER, 3)
    assert found.total is not None
    assert found.total > 30_000


def test_where_it_began_is_kept_when_the_server_does_not_tell_it_any_more() -> None:
    began, later = seen("ist-began").node(JOINER), seen("ist").node(JOINER)
    assert later.transfer == Transfer("IST", "joiner", first=33315, current=33315)
    assert carried(later, began).transfer == Transfer("IST", "joiner", first=32000, current=33315)

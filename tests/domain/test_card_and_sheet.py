"""A server in two lines on the dashboard, and in full on its own page."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from nodes.domain.card import Card, cards
from nodes.domain.fact_sheet import Row, sheet
from nodes.domain.observation import GaleraFacts, NodeFacts, PageFacts, Transfer, Unknown
from nodes.domain.text import say
from tests.fakes import recorded
from tests.fakes.facts import SETTINGS, cluster, node, silent, stopped, volume


def card(facts: NodeFacts) -> Card:
    return next(c for c in cards(SETTINGS, cluster(facts)) if c.host == facts.host)


def words(shown: Card) -> list[str]:
    return [f"{line.label}: {line.word}" for line in shown.fixed]


def test_a_card_has_one_line_for_each_layer() -> None:
    shown = card(node("n1"))
    assert words(shown) == ["Galera: Synced, 3 of 3", "GlusterFS: Brick: Up, heal 0"]
    assert shown.state == "ok"


def test_a_server_without_galera_has_no_queue() -> None:
    assert card(node("n1")).replicates
    assert card(stopped("n1")).replicates
    assert not card(node("n1", galera=GaleraFacts(wsrep_on=False))).replicates


def test_the_storage_line_tells_what_is_worst() -> None:
    down = volume(bricks=tuple(replace(b, online=b.name != "n1:/b") for b in volume().bricks))
    nodes = [node(host, gluster_volumes=(down,)) for host in ("n1", "n2", "n3")]
    shown = cards(SETTINGS, cluster(*nodes))[0]
    assert words(shown)[1] == "GlusterFS: Brick: Down"
    assert shown.state == "failed"


def test_a_silent_server_is_unknown_and_says_why_once() -> None:
    shown = card(silent("n2"))
    assert shown.state == "unknown"
    assert [str(line.why) for line in shown.fixed if line.why] == ["It did not answer."]
    assert shown.queue_now is None


def test_a_server_that_receives_data_joins_and_is_not_unknown() -> None:
    starting = {"mariadb": "activating", "glusterd": "active"}
    joining = node(
        "n3",
        galera=Unknown(say("Can't connect")),
        units=starting,
        transfer=Transfer("SST", "joiner", "rsync"),
    )
    assert words(card(joining))[0] == "Galera: Joining"
    assert card(stopped("n3")).state == "failed"


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://n1/", "https://n1/"), ("javascript:alert(1)", ""), ("//other/", "")],
)
def test_only_an_address_of_a_page_becomes_a_link(url: str, shown: str) -> None:
    assert card(node("n1", page=PageFacts(url, 200))).page_url == shown


def test_a_page_that_does_not_answer_colours_the_card() -> None:
    shown = card(node("n1", page=PageFacts("https://n1/", 502)))
    assert shown.page is not None
    assert str(shown.page.why) == "HTTP 502"
    assert shown.state == "failed"


def rows(facts: NodeFacts) -> dict[str, Row]:
    return {str(row.label): row for group in sheet(facts) for row in group.rows}


def test_every_fact_has_a_row() -> None:
    """Each Unknown fact is told somewhere on the page, so no fact is forgotten there."""
    plain = {"host", "taken_at", "extra", "read_at"}
    names = [f.name for f in fields(NodeFacts) if f.name not in plain]
    unknown = {name: Unknown(say("%(name)s is not known", name=name)) for name in names}
    told = {str(row.unknown.why) for row in rows(node("n1", **unknown)).values() if row.unknown}
    assert told == {f"{name} is not known" for name in names}


def test_an_unknown_fact_keeps_what_the_server_said() -> None:
    row = rows(node("n1", mount=Unknown(say("Not understood."), raw="weird output")))[
        "Storage directory"
    ]
    assert row.unknown
    assert row.unknown.raw == "weird output"
    assert row.words == ()


def test_a_fact_of_a_slow_beat_has_its_own_age() -> None:
    shown = rows(node("n1", taken_at=1000.0, read_at={"beat": 1000.0, "slow": 940.0}))
    assert (shown["Load of one minute"].read_at, shown["Addresses"].read_at) == (1000.0, 940.0)


@pytest.mark.parametrize("state", recorded.STATES)
def test_what_real_servers_said_has_a_sheet_and_a_card(state: str) -> None:
    facts = recorded.sweep(state)
    assert len(cards(recorded.SETTINGS, facts)) == 3
    for each in facts.nodes:
        for row in rows(each).values():
            assert row.unknown or [str(text) for text in row.words]


def test_a_server_that_is_away_gives_its_reason_once() -> None:
    (card,) = cards(SETTINGS, cluster(silent("n2")))[1:2]
    assert card.page is None
    reasons = [line.why for line in card.fixed if line.why]
    assert len(reasons) == 1

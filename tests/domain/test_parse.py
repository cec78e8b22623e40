"""Parsers meet what a node may say: quirks that were seen, and anything at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.domain import parse_checks, parse_galera, parse_gluster, parse_system
from nodes.domain.observation import (
    EnvFacts,
    GaleraFacts,
    Grastate,
    PageFacts,
    Transfer,
    Unknown,
)
from nodes.domain.parse_gluster import HealCount
from nodes.domain.parse_node import node_facts
from nodes.domain.parse_sections import Section, read, sections

MARK = "--mark--"
UUID = "c0ffee00-0000-11f1-8000-000000000001"


def good(text: str) -> Section:
    return Section(text, 0)


def test_parts_are_cut_at_their_marks() -> None:
    output = f"motd\n\n{MARK} a\nx\ny\n\n{MARK} rc 0\n\n{MARK} b\n\n{MARK} rc 3\n\n{MARK} c\nhal"
    assert sections(output, MARK) == {
        "a": Section("x\ny\n", 0),
        "b": Section("", 3),
        "c": Section("hal", None),
    }


def test_an_answer_that_was_cut_off_and_one_that_timed_out_are_unknown() -> None:
    parts = {"cut": Section("1.0", None), "late": Section("1.0", 124)}
    for name in ("cut", "late", "never asked"):
        assert isinstance(read(parts, name, parse_system.clock), Unknown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("absent", Grastate(False)),
        ("", Grastate(True)),
        (f"# GALERA\nversion: 2.1\nuuid:    {UUID}\nseqno:   -1\n", Grastate(True, UUID)),
        (
            f"uuid: {UUID.upper()}\r\nseqno: 900\r\nsafe_to_bootstrap: 1\r\n",
            Grastate(True, UUID, 900, True),
        ),
        (f"uuid: {UUID}\nseqno: 18446744073709551615\nsafe_to_bootstrap: 0", Grastate(True, UUID, None, False)),
        (f"uuid: {UUID}\nseqno: 5\ncert_index:\n", Grastate(True, UUID, 5, None)),
    ],
)  # fmt: skip
def test_grastate(text: str, expected: Grastate) -> None:
    assert parse_galera.grastate(good(text)) == expected


@pytest.mark.parametrize("text", ["uuid: xyz", "seqno: many", "safe_to_bootstrap: 2"])
def test_a_grastate_that_says_something_else_is_unknown(text: str) -> None:
    found = parse_galera.grastate(good(text))
    assert isinstance(found, Unknown)
    assert found.raw == text


def test_a_client_that_is_refused_is_unknown_in_its_own_words() -> None:
    found = parse_galera.wsrep(Section("ERROR 1045 (28000): Access denied for user", 1))
    assert isinstance(found, Unknown)
    assert "Access denied" in str(found.why)


def test_a_server_without_wsrep_is_known_to_be_standalone() -> None:
    found = parse_galera.wsrep(good("read_only\tOFF\n"))
    assert isinstance(found, GaleraFacts)
    assert not found.wsrep_on


def test_units_that_do_not_exist_are_told_from_those_that_do_not_run() -> None:
    found = parse_galera.units(
        good(
            "Id=mariadb.service\nLoadState=loaded\nActiveState=failed\n"
            "Id=glusterd.service\nLoadState=not-found\nActiveState=inactive\n"
        )
    )
    assert found == {"mariadb": "failed", "glusterd": "not-found"}


def test_success_of_gluster_is_what_its_document_says() -> None:
    text = "<?xml version='1.0'?><cliOutput><opRet>-1</opRet><opErrstr>Another transaction is in progress</opErrstr></cliOutput>"
    found = parse_gluster.peers(good(text))
    assert isinstance(found, Unknown)
    assert "Another transaction" in str(found.why)


def test_a_warning_before_the_document_does_not_hide_it() -> None:
    text = "WARNING: x\n<cliOutput><opRet>0</opRet><peerStatus/></cliOutput>"
    assert parse_gluster.peers(good(text)) == ()


def test_a_document_type_is_refused() -> None:
    text = (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><cliOutput><opRet>0</opRet></cliOutput>'
    )
    assert isinstance(parse_gluster.peers(good(text)), Unknown)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        ("<numberOfEntries>0</numberOfEntries>", 0),
        ("<totalNumberOfEntries>12</totalNumberOfEntries>", 12),
        ("<numberOfEntries>-</numberOfEntries>", None),
        ("<status>Transport endpoint is not connected---</status>", None),
    ],
)
def test_a_backlog_that_nobody_could_count_is_not_zero(count: str, expected: int | None) -> None:
    text = (
        f"<cliOutput><healInfo><bricks><brick hostUuid='-'><name>h:/b</name>{count}</brick></bricks>"
        "</healInfo><opRet>0</opRet></cliOutput>"
    )
    assert parse_gluster.heal(good(text)) == {"h:/b": HealCount(expected)}


def test_env_lines_keep_their_numbers_in_complaints() -> None:
    lines = "12:GALERA_PEER_HOSTS=a\n40:GALERA_PEER_HOSTS=b\n"
    found = parse_system.env_keys(good(f"{'a' * 64}  -\n{lines}"))
    assert isinstance(found, Unknown)
    assert "in lines 12 and 40" in str(found.why)


def test_an_env_without_the_keys_has_them_as_none() -> None:
    found = parse_system.env_keys(good(f"{'a' * 64}  -\n3:# GALERA_PEER_HOSTS=x\n"))
    assert isinstance(found, EnvFacts)
    assert set(found.keys.values()) == {None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mariadb mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian", {"mariadb": "10.11.19", "gluster": ""}),
        ("mariadb mysqld  Ver 5.5.68-MariaDB for Linux", {"mariadb": "5.5.68", "gluster": ""}),
        ("gluster glusterfs 10.3\nrpm dpiui2\ndpiui2 2.26.1", {"mariadb": "", "gluster": "10.3", "dpiui2": "2.26.1"}),
        ("rpm dpiui2", {"mariadb": "", "gluster": "", "dpiui2": ""}),
    ],
)  # fmt: skip
def test_versions(text: str, expected: dict[str, str]) -> None:
    assert parse_system.versions(good(text)) == expected


def test_listening_leaves_loopback_out() -> None:
    text = "127.0.0.1:3306\n0.0.0.0:22\n[::]:4567\n[::1]:25\n*:24007\n127.0.0.53%lo:53\n"
    assert parse_checks.listening(good(text)) == frozenset({22, 4567, 24007})


PARSERS: list[Callable[[Section], object]] = [
    parse_galera.wsrep, parse_galera.databases, parse_galera.units, parse_galera.enabled,
    parse_galera.mysqld_running, parse_galera.grastate, parse_galera.marker,
    parse_gluster.peers, parse_gluster.volumes, parse_gluster.brick_status, parse_gluster.heal,
    parse_gluster.own, parse_system.clock, parse_system.identity, parse_system.env_keys,
    parse_system.scripts, parse_system.disks, parse_system.system, parse_system.versions,
    parse_system.traces, parse_checks.ports, parse_checks.listening, parse_checks.names,
    parse_checks.firewall, parse_checks.jobs,
]  # fmt: skip
pieces = st.sampled_from(
    ["\n", " ", "\t", "=", ":", "-", "-1", "0", "1", "yes", "uuid:", "seqno:", "Id=a", "datadir", "datadir ",
     "<cliOutput>", "<opRet>0</opRet>", "</cliOutput>", "<brick>", "</brick>", "<volume>", "</volume>", "<?xml", "\x00",
     "a" * 64 + "  -", "1:GALERA_PEER_HOSTS='", "999999999999:GALERA_PEER_HOSTS=", "rpm x", "²"]
)  # fmt: skip


@given(
    st.sampled_from(PARSERS),
    st.one_of(st.text(), st.lists(pieces).map("".join)),
    st.sampled_from([0, 1, 127, None]),
)
def test_no_output_is_an_exception(
    parse: Callable[[Section], object], text: str, code: int | None
) -> None:
    parse(Section(text, code))


@given(st.dictionaries(st.sampled_from(["identity", "system", "free", "mount_state", "traces", "clock", "clock_end"]),
                       st.builds(Section, st.lists(pieces).map("".join), st.sampled_from([0, 1, None]))))  # fmt: skip
def test_a_node_always_has_facts(parts: dict[str, Section]) -> None:
    assert node_facts("n1", parts, asked_at=0, answered_at=1).host == "n1"


DONOR = (
    "script /bin/bash -ue /usr//bin/wsrep_sst_rsync --role donor --address"
    " 10.77.2.13:4444/rsync_sst --local-port 3306 --datadir /var/lib/mysql/\nbytes 190823442"
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", None),
        ("marked\nbytes 4096", Transfer("SST", "joiner", bytes=4096)),
        (DONOR, Transfer("SST", "donor", "rsync", "10.77.2.13:4444/rsync_sst", 190823442)),
        (
            "marked\nscript /bin/bash /usr/bin/wsrep_sst_mariabackup --role 'joiner' --address '10.7.0.3'",
            Transfer("SST", "joiner", "mariabackup", "10.7.0.3"),
        ),
        ("script wsrep_sst_rsync --role witness", None),
    ],
)
def test_a_snapshot_under_way(said: str, expected: Transfer | None) -> None:
    found = parse_galera.transfer(good(said))
    if "witness" in said:
        assert isinstance(found, Unknown)
        assert "witness" in found.raw  # a surprise is unknown, and what was said is kept
    else:
        assert found == expected


def test_an_incremental_transfer_tells_how_far_it_is() -> None:
    joins = "Joining: receiving State Transfer"
    facts = GaleraFacts(True, local_state_comment=joins, raw={"wsrep_last_committed": "1506"})
    uuid = "c97dcbcd-e916-11f1-9a30-3ea7d8609f12"
    began = good(f"server /usr/sbin/mariadbd --wsrep_start_position={uuid}:1415 ")
    found = parse_galera.incremental(facts, began)
    assert found == Transfer("IST", "joiner", first=1415, current=1506)
    assert parse_galera.incremental(facts, good("")) == replace(found, first=1506)
    assert parse_galera.incremental(GaleraFacts(True), began) is None


@pytest.mark.parametrize(
    ("said", "answers", "code", "why"),
    [
        ("https://n1/\n200", True, 200, ""),
        ("https://n1/\n302", True, 302, ""),
        ("https://n1/\n502", False, 502, ""),
        ("https://n1/\ncurl: (7) refused\n000", False, 0, "curl: (7) refused"),
    ],
)
def test_whether_the_page_answers(said: str, answers: bool, code: int, why: str) -> None:
    page = parse_system.page(good(said))
    assert isinstance(page, PageFacts)
    assert (page.answers, page.code, page.why) == (answers, code, why)


def test_a_page_that_was_not_asked_is_unknown() -> None:
    assert parse_system.page(good("")) is parse_system.NO_PAGE
    missing = parse_system.page(Section("curl is not installed", 127))
    assert isinstance(missing, Unknown)
    assert "curl is not installed" in str(missing.why)

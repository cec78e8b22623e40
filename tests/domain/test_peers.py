"""What may stand in the peer lists. Each refusal names its field and what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.domain.peers import (
    GALERA_KEY,
    GLUSTER_KEY,
    PRIMARY_KEY,
    PeerSettings,
    is_host,
    parse_host_list,
    problems,
)

THREE = ("10.0.0.11", "10.0.0.12", "10.0.0.13")


def settings(
    galera: tuple[str, ...] = THREE, gluster: tuple[str, ...] = THREE, primary: str = THREE[0]
) -> PeerSettings:
    return PeerSettings(galera, gluster, primary)


def found(peers: PeerSettings, **kwargs: object) -> list[tuple[str, str]]:
    return [(r.code, r.field) for r in problems(peers, **kwargs)]  # type: ignore[arg-type]


def test_three_servers_with_the_primary_first_are_right() -> None:
    assert problems(settings()) == []


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "::1",
        "fe80::1",
        "node1",
        "a.b.example.org",
        "n-1.example.org.",
    ],
)
def test_addresses_and_names_are_hosts(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "", " ", ".", "..", "10.0.0.300", "10.0.0", "1.2.3.4.5", "-a", "a-", "a..b", "a b", "a,b",
        "a_b", "a;reboot", "$(id)", "a\n", "a/24", "10.0.0.1:3306", "[::1]", "x" * 64,
        ".".join(["x" * 60] * 5), "узел1", "a\x00", "node1\u200b",
    ],
)  # fmt: skip
def test_anything_else_is_not(host: str) -> None:
    assert not is_host(host)


@pytest.mark.parametrize(
    ("key", "peers"),
    [
        (GALERA_KEY, settings(galera=())),
        (GLUSTER_KEY, settings(gluster=())),
    ],
)
def test_an_empty_list_is_named(key: str, peers: PeerSettings) -> None:
    assert found(peers) == [("peers_empty", key.lower())]


@pytest.mark.parametrize("bad", ["10.0.0.300", " 10.0.0.12", "", "a b"])
def test_a_bad_host_is_quoted(bad: str) -> None:
    (problem,) = problems(settings(galera=(THREE[0], bad, THREE[2])))
    assert (problem.code, problem.field) == ("host_invalid", "galera_peer_hosts")
    assert f"“{bad}”" in str(problem.why)


def test_a_host_twice_is_refused_whatever_its_case() -> None:
    peers = settings(
        galera=("node1", "node2", "NODE1"), primary="node1", gluster=("node1", "b", "c")
    )
    assert found(peers) == [("host_duplicate", "galera_peer_hosts")]


def test_one_server_by_name_and_by_address_is_refused() -> None:
    peers = settings(gluster=(THREE[0], "node2", THREE[1]))
    (problem,) = problems(peers, addresses={"node2": THREE[1], THREE[1]: THREE[1]})
    assert problem.code == "host_duplicate"
    assert f"“node2” and “{THREE[1]}”" in str(problem.why)


def test_one_server_under_two_names_in_the_two_lists_is_refused() -> None:
    """Each name would become a server of its own: two connections, two locks, two rows."""
    peers = settings(gluster=(THREE[0], "node2", THREE[2]))
    (problem,) = problems(peers, addresses={"node2": THREE[1], **{h: h for h in THREE}})
    assert (problem.code, problem.field) == ("host_two_names", "cluster_fs_peer_hosts")


def test_two_spellings_of_one_ipv6_address_are_one_server() -> None:
    peers = settings(galera=(THREE[0], "fe80::1", "FE80:0::1"))
    assert ("host_duplicate", "galera_peer_hosts") in found(peers)


@pytest.mark.parametrize("primary", ["", "10.0.0.300", "a b"])
def test_the_primary_must_be_a_host(primary: str) -> None:
    assert found(settings(primary=primary)) == [("primary_invalid", PRIMARY_KEY.lower())]


def test_the_primary_must_be_in_both_lists() -> None:
    peers = settings(gluster=("10.0.0.14", *THREE[1:]))
    assert found(peers) == [("primary_not_listed", "cluster_fs_peer_hosts")]


def test_the_primary_must_be_first_in_both_lists() -> None:
    peers = settings(galera=THREE[::-1])
    (problem,) = problems(peers)
    assert problem.code == "primary_not_first"
    assert "at the beginning of the list" in str(problem.why)


@pytest.mark.parametrize("count", [1, 2])
def test_gluster_on_fewer_than_three_is_refused_in_the_manuals_words(count: int) -> None:
    (problem,) = problems(settings(gluster=THREE[:count]))
    assert problem.code == "gluster_too_small"
    assert "don't try to implement GlusterFS on only 2 nodes" in str(problem.why)


def test_two_galera_hosts_need_a_tick() -> None:
    assert found(settings(galera=THREE[:2])) == [("galera_two_hosts", "galera_peer_hosts")]
    assert problems(settings(galera=THREE[:2]), two_galera_acknowledged=True) == []


def test_one_galera_host_is_no_cluster_even_with_the_tick() -> None:
    peers = settings(galera=THREE[:1])
    assert found(peers, two_galera_acknowledged=True) == [("galera_single", "galera_peer_hosts")]


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("a,b,c", ("a", "b", "c")),
        (" a , b ;c\n", ("a", "b", "c")),
        ("a\r\nb\r\n\r\nc", ("a", "b", "c")),
        ("a b\tc", ("a", "b", "c")),
        ("a,b,c,", ("a", "b", "c")),
        ("a,\nb,\nc", ("a", "b", "c")),
        ("a,,c", ("a", "", "c")),
        ("", ()),
        ("  \n ", ()),
    ],
)
def test_a_list_is_read_as_people_type_it(text: str, hosts: tuple[str, ...]) -> None:
    assert parse_host_list(text) == hosts


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{2,5})?", fullmatch=True)
hosts = st.one_of(names.filter(is_host), st.ip_addresses().map(str))


@given(st.lists(hosts, min_size=3, max_size=7, unique_by=str.lower))
def test_any_list_of_different_hosts_with_the_primary_first_is_right(listed: list[str]) -> None:
    peers = PeerSettings(tuple(listed), tuple(listed), listed[0])
    assert problems(peers) == []
    assert all("," not in v or v.split(",") == listed for v in peers.as_env().values())


@given(st.lists(hosts, max_size=6))
def test_what_is_written_into_the_env_is_read_back_as_the_same_list(listed: list[str]) -> None:
    peers = PeerSettings(tuple(listed), (), "")
    assert list(parse_host_list(peers.as_env()[GALERA_KEY])) == listed


texts = st.text(max_size=12)


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4), texts)
def test_no_input_is_an_exception_and_every_refusal_is_two_sentences(
    galera: list[str], gluster: list[str], primary: str
) -> None:
    for problem in problems(PeerSettings(tuple(galera), tuple(gluster), primary)):
        assert str(problem.why)
        assert str(problem.fix)
        assert problem.field in {k.lower() for k in (GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY)}

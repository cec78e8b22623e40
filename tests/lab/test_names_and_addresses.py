"""A lab's names fit into the kernel and never meet another lab's; its addresses neither."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab.labtool import addresses
from lab.labtool.names import MAX_NODES, Names, node_number
from lab.labtool.proc import LabError

HOME = Path("/var/lib/clusterpanel-lab")
LONGEST = "a-lab-name-of-24-letters"


@pytest.mark.parametrize("lab", ["a", "demo", LONGEST])
def test_interface_names_fit_into_fifteen_characters(lab: str) -> None:
    names = Names(lab, HOME)
    for name in [names.bridge, *(names.veth(number) for number in range(1, MAX_NODES + 1))]:
        assert len(name) <= 15


def test_machine_names_fit_into_a_host_name() -> None:
    assert len(Names(LONGEST, HOME).machine(9)) <= 63


def test_names_are_the_same_every_time() -> None:
    assert Names("demo", HOME) == Names("demo", HOME)
    assert Names("demo", HOME).bridge == Names("demo", HOME).bridge


def test_labs_share_no_name() -> None:
    labs = [Names("demo", HOME), Names("demo-2", HOME), Names("demo", Path("/tmp/other"))]
    for attribute in ("bridge", "netns_prefix", "cgroup"):
        assert len({getattr(names, attribute) for names in labs}) == len(labs)


def test_no_lab_s_names_begin_with_another_s() -> None:
    """What exists is found by prefix: `down` of one lab must not find the other's."""
    one, other = Names("demo", HOME), Names("demo-node1", HOME)
    assert not other.netns(1).startswith(one.netns_prefix)
    assert not one.netns(1).startswith(other.netns_prefix)


@pytest.mark.parametrize("bad", ["", "-a", "a-", "A", "a_b", "a/b", "..", "a b", "x" * 25])
def test_a_name_that_could_leave_its_place_is_refused(bad: str) -> None:
    with pytest.raises(LabError):
        Names(bad, HOME)


@pytest.mark.parametrize(("text", "number"), [("node1", 1), ("2", 2), ("node9", 9)])
def test_a_node_is_named_with_or_without_the_word(text: str, number: int) -> None:
    assert node_number(text) == number


@pytest.mark.parametrize("bad", ["", "node", "node0", "node10", "nodeA", "web1"])
def test_a_word_that_names_no_node_is_refused(bad: str) -> None:
    with pytest.raises(LabError):
        node_number(bad)


def test_the_first_free_range_is_chosen() -> None:
    assert addresses.choose([]) == IPv4Network("10.77.0.0/24")
    assert addresses.choose([IPv4Network("10.77.0.0/24")]) == IPv4Network("10.77.1.0/24")


def test_a_range_that_only_overlaps_counts_as_taken() -> None:
    taken = [
        IPv4Network("10.77.0.0/23"),
        IPv4Network("10.77.2.128/25"),
        IPv4Network("192.0.2.0/24"),
    ]
    assert addresses.choose(taken) == IPv4Network("10.77.3.0/24")


def test_a_host_that_routes_everything_gets_a_sentence() -> None:
    with pytest.raises(LabError, match="no free /24"):
        addresses.choose([IPv4Network("10.0.0.0/8")])


def test_nobody_shares_an_address() -> None:
    subnet = IPv4Network("10.77.4.0/24")
    nodes = [addresses.node_address(subnet, number) for number in range(1, MAX_NODES + 1)]
    everyone = {addresses.host_address(subnet), *nodes}
    assert len(everyone) == MAX_NODES + 1
    assert everyone <= set(subnet.hosts())


def test_ranges_of_stopped_labs_stay_reserved(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "lab.json").write_text('{"subnet": "10.77.5.0/24"}')
    assert addresses.reserved_networks(tmp_path) == [IPv4Network("10.77.5.0/24")]

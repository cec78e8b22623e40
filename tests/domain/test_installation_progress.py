"""Where an installation stands, from what is true now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import GaleraFacts, MountFacts
from nodes.domain.wizard import STEPS, Known, first_open, steps
from tests import builders
from tests.builders import HOSTS, well

ALL_WELL = builders.cluster(*(well(host) for host in HOSTS))


def known(**changes: Any) -> Known:
    """Ready to install: access given, checks well, settings written, nothing installed."""
    before = Known(
        settings=builders.peers(),
        facts=builders.cluster(),
        has_secret=True,
        pinned=frozenset(HOSTS),
        checks={"ok": 51},
    )
    return replace(before, **changes)


def states(of: Known) -> dict[str, str]:
    return {stand.key: stand.state for stand in steps(of)}


def test_a_cluster_that_was_just_planned_needs_access_and_the_rest_waits() -> None:
    found = states(Known(settings=builders.peers()))
    assert found.pop("nodes") == "done"
    assert found.pop("access") == "needs"
    assert set(found.values()) == {"waiting"}


def test_every_server_whose_key_is_not_accepted_is_named() -> None:
    stand = steps(known(pinned=frozenset(HOSTS[:1])))[1]
    assert [HOSTS[1] in str(stand.missing[0]), HOSTS[2] in str(stand.missing[1])] == [True, True]


@pytest.mark.parametrize("bad", ["failed", "unknown", "missing"])
def test_a_check_that_is_not_answered_well_keeps_the_step_open(bad: str) -> None:
    assert states(known(checks={"ok": 50, bad: 1}))["checks"] == "needs"


def test_a_warning_does_not_keep_the_step_open() -> None:
    assert states(known(checks={"ok": 50, "warning": 1}))["checks"] == "done"


def test_servers_that_do_not_answer_make_a_step_unknown_and_never_done() -> None:
    silent = builders.cluster(*(builders.silent(host) for host in HOSTS))
    found = states(known(facts=silent))
    assert found["settings"] == "unknown"
    assert "done" not in {found["galera"], found["gluster"], found["verify"]}


def test_an_installed_cluster_is_done_to_the_end_without_asking_for_backups() -> None:
    assert set(states(known(facts=ALL_WELL)).values()) == {"done"}


def test_both_backups_open_the_way_to_galera() -> None:
    stands = steps(known(backups=frozenset({"database", "storage"})))
    assert first_open(stands) == "galera"
    assert first_open(steps(known(backups=frozenset({"database"})))) == "backup"


def test_an_active_run_makes_its_step_working() -> None:
    assert states(known(active="install_galera"))["galera"] == "working"


def test_a_step_whose_run_failed_says_failed() -> None:
    both = frozenset({"database", "storage"})
    found = states(known(backups=both, last_states={"install_galera": "failed"}))
    assert found["galera"] == "failed"


def test_what_was_done_once_and_is_no_longer_true_asks_for_attention() -> None:
    lost = replace(well(HOSTS[2]), mount=MountFacts(mounted=False))
    facts = builders.cluster(well(HOSTS[0]), well(HOSTS[1]), lost)
    found = states(
        known(
            facts=facts,
            backups=frozenset({"storage"}),
            last_states={"install_glusterfs": "succeeded"},
        )
    )
    assert found["galera"] == "done"
    assert found["gluster"] == "attention"


@pytest.mark.parametrize(
    "galera",
    [
        builders.synced(size=2),
        builders.synced(uuid="0" * 8),
        GaleraFacts(wsrep_on=False),
        builders.synced(cluster_status="non-Primary"),
        builders.synced(ready=False),
    ],
    ids=["too small", "another cluster", "standalone", "no quorum", "not ready"],
)
def test_one_server_that_is_not_in_step_keeps_galera_open(galera: GaleraFacts) -> None:
    odd = replace(well(HOSTS[1]), galera=galera)
    facts = builders.cluster(well(HOSTS[0]), odd, well(HOSTS[2]))
    assert states(known(facts=facts))["galera"] != "done"


@pytest.mark.parametrize(
    "changes",
    [
        {"mount": MountFacts(True, "xfs", "/dev/sdb1", True)},
        {"mount": MountFacts(True, "fuse.glusterfs", "localhost:/dpiui2", answers=False)},
        {"gluster_peers": builders.friends(HOSTS[1])[:1]},
    ],
    ids=["another file system", "a mount that hangs", "a peer is missing"],
)
def test_one_server_without_the_shared_directory_keeps_gluster_open(changes: Any) -> None:
    odd = replace(well(HOSTS[1]), **changes)
    facts = builders.cluster(well(HOSTS[0]), odd, well(HOSTS[2]))
    assert states(known(facts=facts))["gluster"] != "done"


def test_the_steps_come_in_the_order_of_the_manual() -> None:
    assert tuple(stand.key for stand in steps(known())) == STEPS

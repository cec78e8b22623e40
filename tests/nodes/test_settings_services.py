"""Settings by revision: conflict, revert, taking a node's values, and the rules of a running cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from clusterpanel import audit
from clusterpanel.models import AuditEntry
from clusterpanel.people.models import Person
from clusterpanel.people.rules import Forbidden
from nodes import selectors, services
from nodes.domain.observation import EnvFacts
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from tests import builders
from tests.builders import HOSTS
from tests.people.made import person
from tests.web import sites

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = HOSTS
FOUR = "10.0.0.14"


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", is_superuser=True)


@pytest.fixture
def bob() -> User:
    return person("bob", "administrator")


def save(cluster: Cluster, by: User | None, based_on: int, **change: Any) -> Any:
    values = {
        "galera_peer_hosts": list(HOSTS),
        "cluster_fs_peer_hosts": list(HOSTS),
        "cluster_primary_host": ONE,
        **change,
    }
    return services.settings_save(cluster=cluster, by=by, based_on=based_on, **values)


def codes(act: Any, **given: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        act(**given)
    return [refusal.code for refusal in caught.value.refusals]


def test_the_second_of_two_is_told_what_the_first_changed(ann: User, bob: User) -> None:
    site = sites.fresh()
    save(site, ann, 1, galera_peer_hosts=[*HOSTS, FOUR])
    save(site, bob, 2, galera_peer_hosts=[ONE, THREE, FOUR])
    with pytest.raises(Refused) as caught:
        save(site, None, 1)
    said = str(caught.value.first.why)
    assert "ann, bob saved revision 3" in said
    assert f"{FOUR} was added to GALERA_PEER_HOSTS." in said
    assert f"{TWO} was removed from GALERA_PEER_HOSTS." in said


def test_the_reason_is_kept_and_a_revert_is_a_new_revision(ann: User) -> None:
    site = sites.fresh()
    save(site, ann, 1, galera_peer_hosts=[*HOSTS, FOUR], why=" a fourth ")
    back = services.settings_revert(cluster=site, by=ann, number=1, based_on=2)
    assert (back.number, back.peers) == (3, site.revisions.get(number=1).peers)
    rows = selectors.revision_rows(site, None)
    assert [row.revision.why for row in rows] == ["Back to revision 1", "a fourth", ""]
    assert [len(row.changes) for row in rows] == [1, 1, 3]
    assert codes(services.settings_revert, cluster=site, by=ann, number=9, based_on=3) == [
        "revision_unknown"
    ]
    assert codes(services.settings_revert, cluster=site, by=ann, number=1, based_on=2) == [
        "settings_stale"
    ]
    assert audit.verify() is None


def test_a_reason_has_a_limit(ann: User) -> None:
    assert codes(save, cluster=sites.fresh(), by=ann, based_on=1, why="x" * 501) == ["why_too_long"]


def test_the_lists_of_a_running_cluster_need_each_consequence_confirmed(ann: User) -> None:
    site = sites.installed()
    more = {"galera_peer_hosts": [*HOSTS, FOUR], "cluster_fs_peer_hosts": [*HOSTS, FOUR]}
    assert codes(save, cluster=site, by=ann, based_on=1, **more) == ["live_list", "live_list"]
    one = [f"galera_add:{FOUR}"]
    assert codes(save, cluster=site, by=ann, based_on=1, **more, accepted=one) == ["live_list"]
    both = [*one, f"gluster_add:{FOUR}"]
    assert save(site, ann, 1, **more, accepted=both).number == 2
    assert codes(services.settings_revert, cluster=site, by=ann, number=1, based_on=2) == [
        "live_list",
        "live_list",
    ]


def test_the_primary_of_a_running_cluster_is_not_saved(ann: User) -> None:
    site = sites.installed()
    moved = {"cluster_primary_host": TWO}
    assert codes(save, cluster=site, by=ann, based_on=1, **moved) == ["primary_is_procedure"]
    turned = [TWO, ONE, THREE]
    assert save(site, ann, 1, galera_peer_hosts=turned).number == 2  # an order moves nothing


def drifted(**keys: str) -> tuple[Cluster, str]:
    site = sites.installed()
    values = {**builders.peers().as_env(), **keys}
    sites.observed(site, replace(builders.well(THREE), env=EnvFacts(True, "2" * 64, values)))
    files = selectors.env_difference(site, selectors.latest_facts(site))
    return site, files[2].finding


def test_what_a_node_says_becomes_a_revision(ann: User) -> None:
    site, finding = drifted(GALERA_PEER_HOSTS=f"{ONE},{THREE},{TWO}")
    taken = services.settings_take(cluster=site, by=ann, host=THREE, finding=finding, based_on=1)
    assert taken.galera_peer_hosts == [ONE, THREE, TWO]
    assert taken.why == f"Taken from the .env of {THREE}"
    assert AuditEntry.objects.filter(action="settings_save").exists()
    again = {"cluster": site, "by": ann, "host": THREE, "finding": finding}
    assert codes(services.settings_take, **again, based_on=2) == ["drift_gone"]


def test_taking_never_moves_a_running_primary_or_takes_nonsense(ann: User) -> None:
    site, finding = drifted(CLUSTER_PRIMARY_HOST=TWO)
    given = {"cluster": site, "by": ann, "host": THREE, "finding": finding, "based_on": 1}
    assert codes(services.settings_take, **given) == ["primary_is_procedure"]
    assert codes(services.settings_take, **{**given, "finding": ""}) == ["drift_gone"]
    assert codes(services.settings_take, **{**given, "host": TWO}) == ["drift_gone"]


def test_a_file_without_a_list_cannot_be_taken(ann: User) -> None:
    site, finding = drifted(CLUSTER_FS_PEER_HOSTS="")
    given = {"cluster": site, "by": ann, "host": THREE, "finding": finding, "based_on": 1}
    assert codes(services.settings_take, **given) == ["peers_empty"]


def test_a_command_that_runs_as_root_is_stored_by_who_may(ann: User, bob: User) -> None:
    site = sites.fresh()
    services.apply_command_save(cluster=site, by=ann, apply_command=" php artisan config:cache ")
    site.refresh_from_db()
    assert site.apply_command == "php artisan config:cache"
    Person.objects.filter(user=bob).update(role="operator")
    with pytest.raises(Forbidden):
        services.apply_command_save(cluster=site, by=bob, apply_command="rm -rf /")
    for wrong in ("a\nb", "x" * 1001):
        given = {"cluster": site, "by": ann, "apply_command": wrong}
        assert codes(services.apply_command_save, **given) == ["apply_command_bad"]
    assert AuditEntry.objects.filter(action="apply_command_save").count() == 1

"""Clusters, their settings and what was seen, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from nodes.domain.facts_json import to_json
from nodes.domain.observation import ClusterFacts, EnvFacts
from nodes.domain.peers import KEYS
from nodes.models import Cluster, HostKey, Observation
from tests.api.conftest import Api
from tests.builders import HOSTS, NO_ANSWER, node, well
from tests.operations.office import Office

ADDRESSES = ["10.0.0.21", "10.0.0.22", "10.0.0.23"]


def new(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Branch",
        "galera_peer_hosts": ADDRESSES,
        "cluster_fs_peer_hosts": ADDRESSES,
        "cluster_primary_host": ADDRESSES[0],
        "ssh": {"username": "root", "port": 22, "password": "a secret"},
        **changes,
    }


def settings(revision: int, **changes: Any) -> dict[str, Any]:
    peers = {
        "galera_peer_hosts": list(HOSTS),
        "cluster_fs_peer_hosts": list(HOSTS),
        "cluster_primary_host": HOSTS[0],
    }
    return {"revision": revision, **peers, **changes}


def test_a_cluster_is_made_and_read(api: Api) -> None:
    made = api.post("/clusters", new(), 201)
    seen = api.get(f"/clusters/{made['id']}")
    assert seen["settings"]["galera_peer_hosts"] == ADDRESSES
    assert seen["settings"]["revision"] == 1
    assert "a secret" not in str(seen)
    assert Cluster.objects.get(pk=made["id"]).ssh_password == "a secret"


def test_bad_peers_are_named_field_by_field(api: Api) -> None:
    two = ADDRESSES[:2]
    status, answer = api.call(
        "POST", "/clusters", new(cluster_fs_peer_hosts=two, galera_peer_hosts=two)
    )
    assert status == 422
    codes = {error["code"]: error["field"] for error in answer["errors"]}
    assert codes == {
        "gluster_too_small": "cluster_fs_peer_hosts",
        "galera_two_hosts": "galera_peer_hosts",
    }


def test_a_secret_in_a_bad_request_is_not_repeated(api: Api) -> None:
    broken = new(ssh={"password": "a secret", "private_key": ["another secret"]})
    status, answer = api.call("POST", "/clusters", broken)
    assert (status, answer["field"]) == (422, "ssh.private_key")
    assert "secret" not in answer["why"]


def test_settings_carry_the_revision_they_are_based_on(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/settings"
    moved = [HOSTS[0], HOSTS[2], HOSTS[1]]
    status, saved = api.call("PUT", path, settings(1, galera_peer_hosts=moved))
    assert (status, saved["revision"], saved["author"]) == (200, 2, "ivanov")
    assert api.get(path)["galera_peer_hosts"] == moved
    assert api.refused("PUT", path, settings(1)) == "settings_stale"
    assert [revision["revision"] for revision in api.get(f"{path}/history")] == [2, 1]


def test_bad_settings_are_bad_input(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/settings"
    bad = settings(1, cluster_primary_host=HOSTS[1])
    assert api.refused("PUT", path, bad, 422) == "primary_not_first"
    assert api.refused("PUT", path, settings(1, peers=[]), 422) == "invalid"


def seen(office: Office, *nodes: Any) -> None:
    from datetime import UTC, datetime

    for each in nodes:
        taken_at = datetime.fromtimestamp(each.taken_at, UTC)
        Observation.objects.create(
            cluster=office.cluster, host=each.host, taken_at=taken_at, facts=to_json(each)
        )


def test_the_status_is_a_verdict_and_what_each_node_said(api: Api, office: Office) -> None:
    seen(office, node(HOSTS[0]), node(HOSTS[1], galera=NO_ANSWER))
    status = api.get(f"/clusters/{office.cluster.pk}/status")
    assert {"state", "sentence", "action", "tolerates", "age_s"} <= set(status["verdict"])
    assert status["verdict"]["sentence"]
    assert status["verdict"]["next"]["text"] == status["verdict"]["action"]
    assert {"id", "severity", "node", "what", "why", "next"} == set(
        status["verdict"]["findings"][0]
    )
    first, second, third = status["nodes"]
    assert (first["primary"], first["galera"]["wsrep_on"]) == (True, False)
    assert second["galera"] == {"unknown": "10.0.0.12 did not answer."}  # not down, not empty
    assert "unknown" in third["ssh"]


def test_before_the_first_look_nothing_is_claimed(api: Api, office: Office) -> None:
    status = api.get(f"/clusters/{office.cluster.pk}/status")
    assert status["nodes"] == []
    assert status["verdict"]["state"] == "unknown"


def test_numbers_of_the_past_and_what_a_stop_would_do(api: Api, office: Office) -> None:
    seen(office, *(well(host) for host in HOSTS))
    path = f"/clusters/{office.cluster.pk}"
    lines = api.get(f"{path}/history?metric=load1&since=0")
    assert [line["host"] for line in lines] == list(HOSTS)
    assert api.refused("GET", f"{path}/history?metric=mood&since=0", None, 422) == "metric_unknown"
    told = api.get(f"{path}/consequences?hosts={HOSTS[1]},{HOSTS[2]}")
    assert (told["database_after_clean_stop"], told["storage"]) == (True, False)
    assert "ENOTCONN" in " ".join(told["sentences"])


def test_where_the_page_is_can_be_set(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/page-url"
    status, answer = api.call("PUT", path, {"page_url": "https://{host}/"})
    assert (status, answer["page_url"]) == (200, "https://{host}/")
    assert api.refused("PUT", path, {"page_url": "javascript:"}, 422) == "page_url_bad"


def test_drift_names_the_line(api: Api, office: Office) -> None:
    seen(office, node(HOSTS[0]), node(HOSTS[1], env=NO_ANSWER))
    first, second, third = api.get(f"/clusters/{office.cluster.pk}/settings/drift")
    assert first["same"] is True
    assert second["same"] is None
    assert third["same"] is None
    assert second["unknown"] == "10.0.0.12 did not answer."


def test_the_table_of_checks_is_there_before_any_was_run(api: Api, office: Office) -> None:
    cells = api.get(f"/clusters/{office.cluster.pk}/checks")
    assert {cell["host"] for cell in cells} == set(HOSTS)
    assert {cell["state"] for cell in cells} == {None}


def test_an_unknown_check_is_bad_input(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/checks"
    assert api.refused("POST", path, {"host": "10.9.9.9"}, 422) == "check_unknown"
    assert api.refused("POST", path, {"chek": "ssh"}, 422) == "invalid"


def test_trusting_a_key_of_a_stranger_is_refused(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/host-keys/trust"
    status, answer = api.call("POST", path, {"host": "10.9.9.9", "sha256": "SHA256:x"})
    assert status in (409, 422)
    assert answer["code"]


def test_the_apply_command_is_one_line(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/apply-command"
    status, answer = api.call("PUT", path, {"apply_command": "php artisan config:cache"})
    assert (status, answer["apply_command"]) == (200, "php artisan config:cache")
    assert api.refused("PUT", path, {"apply_command": "a\nb"}, 422) == "apply_command_bad"


def test_history_says_why_what_and_where_and_goes_back(api: Api, office: Office) -> None:
    path = f"/clusters/{office.cluster.pk}/settings"
    turned = [HOSTS[0], HOSTS[2], HOSTS[1]]
    api.call("PUT", path, settings(1, galera_peer_hosts=turned, why="rack order"))
    newest, first = api.get(f"{path}/history")
    assert newest["why"] == "rack order"
    assert newest["changes"] == [
        {"key": "GALERA_PEER_HOSTS", "before": ",".join(HOSTS), "after": ",".join(turned)}
    ]
    assert len(first["changes"]) == 3
    back = api.post(f"{path}/revert", {"number": 1, "revision": 2})
    assert (back["revision"], back["galera_peer_hosts"]) == (3, list(HOSTS))
    assert api.refused("POST", f"{path}/revert", {"number": 1, "revision": 2}) == "settings_stale"


def test_drift_names_the_line_and_is_taken_by_its_id(api: Api, office: Office) -> None:
    site = office.cluster
    turned = ",".join((HOSTS[0], HOSTS[2], HOSTS[1]))
    keys = {**site.revision.peers.as_env(), "GALERA_PEER_HOSTS": turned}
    env = EnvFacts(True, "1" * 64, keys, {"GALERA_PEER_HOSTS": 4}, 1_764_106_069.0)
    facts = to_json(node(HOSTS[1], env=env))
    for host in HOSTS:
        seen = facts if host == HOSTS[1] else to_json(node(host))
        Observation.objects.update_or_create(
            cluster=site, host=host, defaults={"taken_at": timezone.now(), "facts": seen}
        )
    path = f"/clusters/{site.pk}/settings"
    drift = api.get(f"{path}/drift")[1]
    assert drift["changed_at"].startswith("2025-11-25T21:27:49")
    assert drift["lines"][0]["number"] == 4
    body = {"host": HOSTS[1], "finding": drift["finding"], "revision": 1}
    assert api.post(f"{path}/take", body)["galera_peer_hosts"] == turned.split(",")
    assert api.refused("POST", f"{path}/take", body) == "drift_gone"


def test_a_cluster_is_adopted_step_by_step(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ADDRESSES[0]
    made = api.post("/clusters/adopt", {"name": "Old", "host": one, "ssh": {"password": "x"}}, 201)
    path = f"/clusters/{made['id']}/adoption"
    assert api.get(path)["adopting"] is True
    assert api.refused("POST", f"{path}/finish", {}) == "adoption_unread"
    keys = dict(zip(KEYS, (",".join(ADDRESSES), ",".join(ADDRESSES), one), strict=True))
    facts = [node(host, env=EnvFacts(True, "1" * 64, keys)) for host in ADDRESSES]

    def observe(*, cluster: Cluster) -> ClusterFacts:
        for each in facts:
            Observation.objects.update_or_create(
                cluster=cluster,
                host=each.host,
                defaults={"taken_at": timezone.now(), "facts": to_json(each)},
            )
        return ClusterFacts(tuple(facts))

    monkeypatch.setattr("nodes.services.adoption.observe", observe)
    assert api.post(f"{path}/read", {"host": one})["galera_peer_hosts"] == ADDRESSES
    assert "was not accepted yet" in api.get(path)["missing"]
    assert api.refused("POST", f"{path}/finish", {}) == "adoption_keys_missing"
    for host in ADDRESSES:
        HostKey.objects.create(cluster_id=made["id"], host=host, sha256=host)
    assert api.post(f"{path}/finish", {})["id"] == made["id"]
    assert api.refused("DELETE", path, None) == "not_adopting"
    assert api.get(f"/clusters/{made['id']}/settings/waiting") == []

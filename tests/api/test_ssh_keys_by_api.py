"""The panel's own key over HTTP: public halves out, never a private one."""

from __future__ import annotations

import pytest

from nodes.models import Cluster
from nodes.transport import servers
from tests.api.conftest import Api
from tests.api.test_clusters_by_api import new
from tests.nodes.test_ssh_keys import Doors


@pytest.fixture
def made(api: Api) -> Cluster:
    answer = api.post("/clusters", new(ssh={"username": "panel", "make_key": True}), 201)
    return Cluster.objects.get(pk=answer["id"])


def test_a_cluster_begins_with_a_key_that_the_panel_made(api: Api, made: Cluster) -> None:
    keys = api.get(f"/clusters/{made.pk}/ssh-keys")
    assert keys["other"] is None
    assert keys["in_use"]["type"] == "ssh-ed25519"
    assert keys["in_use"]["authorized_keys"] in keys["in_use"]["commands"]["put"]
    assert "visudo" in keys["in_use"]["commands"]["sudo"]
    assert made.ssh_private_key.splitlines()[4] not in str(keys)


def test_a_new_key_is_made_tried_used_and_the_old_one_dropped(
    api: Api, made: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, doors = f"/clusters/{made.pk}/ssh-keys", Doors()
    monkeypatch.setattr(servers, "connect", doors.connect)
    old = api.get(url)["in_use"]["sha256"]
    fresh = api.post(url, expect=201)["sha256"]
    assert api.refused("POST", url, None) == "ssh_key_waiting"
    made.refresh_from_db()
    hosts = made.revision.peers.hosts
    doors.opens = {host: {made.ssh_other_key} for host in hosts[:2]} | {hosts[2]: set()}
    tried = api.post(f"{url}/try", {"sha256": fresh})
    assert [each["state"] for each in tried] == ["ok", "ok", "failed"]
    assert api.refused("POST", f"{url}/use", {"sha256": fresh}) == "ssh_key_refused"
    api.post(f"{url}/use", {"sha256": fresh, "without": [hosts[2]]})
    assert api.get(url)["other"]["sha256"] == old
    assert api.refused("POST", f"{url}/drop", {"sha256": fresh}) == "ssh_key_gone"
    assert api.raw("POST", f"{url}/drop", {"sha256": old}).status_code == 204
    assert api.get(url)["other"] is None

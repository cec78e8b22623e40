"""Restart, stop and start over HTTP: params, verdict, gates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import Grastate, NodeFacts
from tests.api.conftest import Api
from tests.builders import HOSTS, friends, gluster_units, mounted, node, synced, volume
from tests.operations.office import Office

ONE, TWO, THREE = HOSTS


def well(host: str, waiting: int = 0) -> NodeFacts:
    bricks = tuple(replace(b, heal_pending=waiting, split_brain=0) for b in volume().bricks)
    return node(
        host,
        galera=synced(),
        units=gluster_units(),
        mount=mounted(),
        gluster_peers=friends(host),
        gluster_volumes=(replace(volume(), bricks=bricks),),
        bootstrap_marker="",
    )


def asked(api: Api, office: Office, procedure: str, expect: int = 200, **params: Any) -> Any:
    url = f"/clusters/{office.cluster.pk}/plans"
    return api.post(url, {"procedure": procedure, "params": params}, expect)


def test_a_restart_takes_a_node_and_a_service(api: Api, office: Office) -> None:
    office.see(*(well(host) for host in HOSTS))
    plan = asked(api, office, "restart_node", node=THREE, service="host")
    steps = [step for stage in plan["stages"] for step in stage["steps"]]
    assert [step["node"] for step in steps] == [THREE] * 3
    assert "another boot id" in steps[0]["proof"]


def test_not_now_is_409_with_the_fact(api: Api, office: Office) -> None:
    office.see(*(well(host, 125) for host in HOSTS))
    refusal = asked(api, office, "restart_node", 409, node=THREE, service="host")
    assert refusal["code"] == "heal_backlog"
    assert refusal["evidence"]["entries"] == 125


@pytest.mark.parametrize(
    ("procedure", "params", "field"),
    [
        ("restart_node", {"node": "nobody"}, "node"),
        ("restart_node", {"node": THREE, "service": "nginx"}, "service"),
        ("stop_cluster", {"node": THREE}, "node"),
        ("rolling_restart", {"nodes": ["nobody"]}, "nodes"),
    ],
)
def test_a_bad_request_names_its_field(
    api: Api, office: Office, procedure: str, params: dict[str, Any], field: str
) -> None:
    office.see(*(well(host) for host in HOSTS))
    refusal = asked(api, office, procedure, 422, **params)
    assert (refusal["code"], refusal["field"]) == ("params_invalid", field)


def test_a_rolling_restart_has_the_primary_last_and_a_list_to_confirm(
    api: Api, office: Office
) -> None:
    office.see(*(well(host) for host in HOSTS))
    plan = asked(api, office, "rolling_restart", service="mariadb")
    assert [stage["steps"][0]["node"] for stage in plan["stages"]] == [TWO, THREE, ONE]
    assert [gate["id"] for gate in plan["gates"]] == ["servers", "primary-pauses"]


def test_a_full_stop_asks_for_the_clusters_name(api: Api, office: Office) -> None:
    refused = asked(api, office, "stop_cluster", 409)
    assert refused["code"]  # nothing is installed yet
    gates = _stop(api, office)["gates"]
    assert [(gate["kind"], gate["subject"]) for gate in gates] == [("typed", office.cluster.name)]


def _stop(api: Api, office: Office) -> Any:
    state = Grastate(True, "220dcdcb-1629-11e4-add3-aec059ad3734", None, False)
    office.see(*(replace(well(host), grastate=state) for host in HOSTS))
    return asked(api, office, "stop_cluster")

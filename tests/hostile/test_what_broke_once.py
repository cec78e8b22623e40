"""Values that ended in an error of the panel instead of a sentence, each at its door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from clusterpanel.typed import number_in
from nodes.domain.text import say
from nodes.models import Cluster
from operations.domain.plan import Gate
from operations.forms import GateAnswer
from operations.models import Run
from tests.api.conftest import Api
from tests.operations.office import Office, make_office
from tests.people.made import person
from tests.web import sites

NO_NUMBERS = ("²", "٣", "9" * 5000, "-1", "1.0", " 1", "")


@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_what_looks_like_a_number_and_is_none(typed: str) -> None:
    assert number_in(typed) is None
    assert number_in("0012") == 12


@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_a_backup_that_is_no_number_is_not_chosen(typed: str) -> None:
    gate = Gate("backup-database", "backup", "database", say("Back it up."))
    given = {"gate-backup-database-choice": typed}
    assert GateAnswer.read(gate, given).confirmation() is None


@pytest.mark.django_db
@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_pages_that_take_a_number(typed: str) -> None:
    site = sites.installed()
    chief = Client()
    chief.force_login(person("chief", "administrator"))
    token = {"name": "t", "role": "viewer", "cluster": typed, "days": typed}
    back = {"based_on": typed}
    assert chief.get("/runs/", {"cluster": typed}).status_code == 200
    assert chief.get("/audit/", {"before": typed}).status_code == 200
    assert chief.post("/account/tokens/", token).status_code == 422
    assert chief.post(f"/clusters/{site.pk}/settings/revert/1/", back).status_code == 409


@pytest.fixture
def office(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    return make_office(monkeypatch.setattr)


@pytest.fixture
def api(office: Office) -> Api:
    client = Client()
    client.force_login(office.admin)
    return Api(client)


@pytest.mark.parametrize("value", ["NaN", "1e400", '"\\ud800"', '"a\\u0000"', '{"\\u0000": 1}'])
def test_a_value_that_no_database_could_keep(api: Api, office: Office, value: str) -> None:
    path = f"/clusters/{office.cluster.pk}/plans"
    body = f'{{"procedure": "backup_database", "params": {{"a": {value}}}}}'
    status, answer = api.call("POST", path, body)
    assert (status, answer["code"], answer["field"]) == (422, "invalid", "params")


@pytest.mark.parametrize("body", ["[" * 100_000, "\xff\xfe", '{"a": ' * 900 + "1" + "}" * 900])
def test_a_body_that_is_no_json_or_endlessly_deep(api: Api, office: Office, body: str) -> None:
    path = f"/clusters/{office.cluster.pk}/plans"
    deep = f'{{"procedure": "backup_database", "params": {body}}}'
    assert api.refused("POST", path, body, 422) in ("bad_json", "invalid")
    assert api.refused("POST", path, deep, 422) in ("bad_json", "invalid", "params_invalid")


@pytest.mark.parametrize("waiver", ["x", 1, ["password"], True])
def test_a_waiver_beside_an_answer_that_needs_none(api: Api, office: Office, waiver: Any) -> None:
    backup = office.backup()
    plan = office.plan()
    confirmations = {gate.id: {"accept": True, "backup": backup.pk} for gate in plan.gates}
    confirmations["databases-replaced"]["waiver"] = waiver
    body = {"procedure": plan.procedure, "plan_hash": plan.hash, "confirmations": confirmations}
    status, answer = api.call("POST", f"/clusters/{office.cluster.pk}/runs", body)
    assert status == 201, json.dumps(answer)
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "host", ["fe80::1%$(id)", "fe80::1%eth0", "fe80::1%a\nCLUSTER_PRIMARY_HOST=10.0.0.9"]
)
def test_the_zone_of_an_address_is_no_way_in(api: Api, office: Office, host: str) -> None:
    """Python takes any text for a zone; it would have gone into .env and to scripts as a host."""
    ssh = {"password": "x"}
    body = {"name": "New", "host": host, "ssh": ssh}
    status, answer = api.call("POST", "/clusters/adopt", body)
    assert (status, answer["code"], answer["field"]) == (422, "host_invalid", "host")
    assert Cluster.objects.count() == 1

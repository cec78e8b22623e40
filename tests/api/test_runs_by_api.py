"""Plans, runs, logs, backups and the audit over HTTP: the same rules as everywhere."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from operations import services
from operations.models import Run, RunStep
from operations.runtime import journal, lease
from tests.api.conftest import Api
from tests.builders import HOSTS, node, peers, synced
from tests.operations.office import ACCEPT, Office

ONE, TWO, THREE = HOSTS


def plans(office: Office) -> str:
    return f"/clusters/{office.cluster.pk}/plans"


def runs(office: Office) -> str:
    return f"/clusters/{office.cluster.pk}/runs"


def ask(api: Api, office: Office, procedure: str, **params: Any) -> Any:
    return api.post(plans(office), {"procedure": procedure, "params": params})


def body(shown: Any, **confirmations: Any) -> dict[str, Any]:
    return {
        "procedure": shown["procedure"],
        "params": {},
        "plan_hash": shown["hash"],
        "confirmations": confirmations,
    }


def test_a_plan_shows_every_command_proof_and_gate(api: Api, office: Office) -> None:
    shown = ask(api, office, "install_galera")
    assert len(shown["hash"]) == 64
    assert [gate["kind"] for gate in shown["gates"]] == ["backup", "accept"]
    first = shown["stages"][0]["steps"][0]
    assert first["command"] == (
        "sh /var/www/html/dpiui2/backend/app_bash/galera_setup.sh -a init_cluster"
    )
    assert (first["node"], first["overwrites"]) == (ONE, True)
    assert "Synced" in first["proof"]


@pytest.mark.parametrize(
    ("procedure", "params", "code"),
    [
        ("install_glusterfs", {"stages": ["mount"]}, "order_volume_missing"),
        ("install_galera", {"nodes": [TWO]}, "order_primary_first"),
        ("apply_settings", {}, "nothing_to_do"),
        ("create_monitor_account", {}, "galera_not_synced"),
    ],
)
def test_the_wrong_order_is_a_conflict(
    api: Api, office: Office, procedure: str, params: Any, code: str
) -> None:
    assert api.refused("POST", plans(office), {"procedure": procedure, "params": params}) == code


def test_two_glusterfs_nodes_are_refused_in_the_manuals_words(api: Api, office: Office) -> None:
    two = list(HOSTS[:2])
    office.cluster.revisions.update(galera_peer_hosts=two, cluster_fs_peer_hosts=two)
    status, answer = api.call("POST", plans(office), {"procedure": "install_glusterfs"})
    assert (status, answer["code"]) == (409, "gluster_too_small")
    assert "you will lose data" in answer["why"]


def test_a_run_starts_from_the_shown_plan(api: Api, office: Office) -> None:
    shown = ask(api, office, "install_galera")
    backup = {"backup": office.backup().pk}
    answer = api.post(runs(office), body(shown, **{"backup-database": backup}, **ACCEPT), 201)
    run = Run.objects.get(pk=answer["id"])
    assert run.plan_hash == shown["hash"]
    assert run.started_by == office.admin


def test_without_a_backup_nothing_starts(api: Api, office: Office) -> None:
    shown = ask(api, office, "install_galera")
    assert api.refused("POST", runs(office), body(shown, **ACCEPT)) == "gate_unanswered"
    invented = body(shown, **{"backup-database": {"backup": 987654}}, **ACCEPT)
    assert api.refused("POST", runs(office), invented) == "backup_invalid"
    nothing = api.call("POST", runs(office), body(shown))[1]
    assert [error["field"] for error in nothing["errors"]] == [
        "backup-database",
        "databases-replaced",
    ]
    assert not Run.objects.exists()


def test_a_stale_hash_is_a_conflict_with_the_difference(api: Api, office: Office) -> None:
    shown = ask(api, office, "install_galera")
    office.see(node(ONE, galera=synced(1)))
    status, answer = api.call("POST", runs(office), body(shown))
    assert (status, answer["code"]) == (409, "plan_changed")
    assert answer["evidence"]["differences"]


def test_twice_at_once_is_one_run(api: Api, office: Office) -> None:
    request = body(ask(api, office, "backup_database"))
    barrier, answers = threading.Barrier(2), []

    def one() -> None:
        mine = Api(Client(), api.token)
        barrier.wait()
        answers.append(mine.call("POST", runs(office), request))
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (started, run), (refused, why) = sorted(answers, key=lambda answer: answer[0])
    assert (started, refused, why["code"]) == (201, 409, "run_active")
    assert run["id"] in why["why"]
    assert "ivanov" in why["why"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"procedure": "backup_database", "parms": {}}, "parms"),
        ({"params": {}}, "procedure"),
        ({"procedure": 7}, "procedure"),
        ({"procedure": "backup_database", "params": []}, "params"),
        ({"procedure": "backup_database", "params": {"nods": []}}, "nods"),
        ({"procedure": "format_disks"}, "procedure"),
    ],
)
def test_bad_input_names_the_field(api: Api, office: Office, sent: Any, field: str) -> None:
    status, answer = api.call("POST", plans(office), sent)
    assert status == 422
    assert answer["field"] == field
    assert {"code", "why", "fix", "evidence"} <= set(answer)


def test_what_is_no_json_is_told_in_the_same_shape(api: Api, office: Office) -> None:
    assert api.refused("POST", plans(office), "{not json", 422) == "bad_json"


def test_a_run_is_told_whole(api: Api, office: Office) -> None:
    run = office.start()
    seen = api.get(f"/runs/{run.pk}")
    assert (seen["state"], seen["cluster_name"], seen["started_by"]) == (
        "waiting",
        "Office",
        "ivanov",
    )
    step = seen["stages"][0]["steps"][0]
    assert run.pk in step["command"]  # the placeholder became the run's id
    assert run.pk in step["proof"]
    assert seen["failure"] is None
    assert not seen["driver_alive"]


def failed(office: Office, log: bytes, code: int) -> Run:
    run = office.start()
    held = lease.claim(run.pk)
    assert held is not None
    key = run.plan.steps[0].key
    RunStep.objects.filter(run=run).update(state="failed", attempt=1, exit_code=code)
    journal.append_output(run_id=run.pk, fence=held.fence, step=key, attempt=1, chunks=[log])
    Run.objects.filter(pk=run.pk).update(state="failed", lease_owner="", lease_until=None)
    return run


def test_a_failure_says_where_why_and_what_to_do(api: Api, office: Office) -> None:
    log = b"".join(b"line %d\n" % n for n in range(30)) + b"tar: No space left on device\n"
    seen = api.get(f"/runs/{failed(office, log, 1).pk}")
    failure = seen["failure"]
    assert (failure["node"], failure["exit_code"], failure["resumable"]) == (ONE, 1, True)
    assert len(failure["last_lines"]) == 20
    assert failure["last_lines"][-1] == "tar: No space left on device"
    assert failure["likely_cause"] == "The disk is full."
    assert "df -h" in failure["fix"]


def test_the_log_is_read_by_number_and_as_a_whole(api: Api, office: Office) -> None:
    run = failed(office, b"one\ntwo\nthree\n", 1)
    window = api.get(f"/runs/{run.pk}/log?after=1&limit=1")
    assert [line["text"] for line in window["lines"]] == ["two"]
    assert window["last_line"] == 3
    assert api.get(f"/runs/{run.pk}/log?step=none")["lines"] == []
    assert api.refused("GET", f"/runs/{run.pk}/log?limit=0", None, 422) == "invalid"
    text = api.client.get(
        f"/api/v1/runs/{run.pk}/log.txt", headers={"authorization": f"Bearer {api.token}"}
    )
    assert b"one\ntwo\nthree\n" in b"".join(text)


def test_runs_are_listed_newest_first_and_by_cluster(api: Api, office: Office) -> None:
    first = services.run_cancel(run=office.start(), by=office.admin)
    second = office.start("backup_storage")
    assert [run["id"] for run in api.get("/runs")] == [second.pk, first.pk]
    assert api.get(f"/runs?cluster={office.cluster.pk}&limit=1")[0]["id"] == second.pk
    assert api.refused("GET", "/runs?cluster=999", None, 404) == "not_found"


def test_cancel_and_resume(api: Api, office: Office) -> None:
    run = office.start()
    assert api.post(f"/runs/{run.pk}/cancel")["state"] == "cancelled"
    assert api.refused("POST", f"/runs/{run.pk}/cancel", None) == "run_over"
    assert api.post(f"/runs/{run.pk}/resume")["state"] == "waiting"
    assert api.refused("POST", f"/runs/{run.pk}/resume", None) == "run_active"


def test_a_doubtful_step_is_checked_by_api(api: Api, office: Office) -> None:
    run = office.start()
    key = run.plan.steps[0].key
    assert api.refused("POST", f"/runs/{run.pk}/steps/{key}/check", None) == "run_active"
    Run.objects.filter(pk=run.pk).update(state="cancelled")
    assert api.refused("POST", f"/runs/{run.pk}/steps/{key}/check", None) == "nothing_to_check"
    RunStep.objects.filter(run=run, key=key).update(state="cancelled", attempt=1)
    seen = api.post(f"/runs/{run.pk}/steps/{key}/check", expect=202)
    step = seen["stages"][0]["steps"][0]
    assert step["check"]["state"] in ("asked", "unknown")  # unknown: no broker in this test
    assert seen["resumable"]


def test_a_run_that_cannot_go_on_says_why_before_it_is_asked(api: Api, office: Office) -> None:
    run = failed(office, b"x\n", 1)
    assert api.get(f"/runs/{run.pk}")["not_resumable"] is None
    other = office.start()
    told = api.get(f"/runs/{run.pk}")["not_resumable"]
    assert (told["code"], told["evidence"]["run"]) == ("run_active", other.pk)
    assert api.refused("POST", f"/runs/{run.pk}/resume", None) == "run_active"


def test_backups_say_why_they_do_not_count(api: Api, office: Office) -> None:
    good, gone = office.backup(), office.backup("storage")
    del office.files[ONE, gone.path]
    seen = {backup["id"]: backup for backup in api.get(f"/clusters/{office.cluster.pk}/backups")}
    assert (seen[good.pk]["usable"], seen[good.pk]["why"]) == (True, None)
    assert not seen[gone.pk]["usable"]
    assert "no longer on" in seen[gone.pk]["why"]


def test_the_audit_is_read_and_its_chain_checked(api: Api, office: Office) -> None:
    run = office.start()
    newest = api.get("/audit?limit=1")[0]
    assert (newest["action"], newest["subject"]) == ("run.start", f"run {run.pk}")
    assert api.get(f"/audit?before={newest['id']}")[0]["action"] == "token.create"
    assert api.get("/audit/verification") == {
        "intact": True,
        "broken_at": None,
        "lost": None,
    }


def test_no_answer_holds_a_secret(api: Api, office: Office) -> None:
    office.cluster.monitor_password = "secret of mysql"
    office.cluster.save()
    answers = [
        api.get("/clusters"),
        api.get(f"/clusters/{office.cluster.pk}"),
        api.get(f"/clusters/{office.cluster.pk}/status"),
        ask(api, office, "install_galera"),
    ]
    assert "secret of" not in json.dumps(answers)
    assert api.get("/clusters")[0]["ssh"]["has_password"] is True
    assert peers().hosts == HOSTS

"""The page of the primary, its way to a plan, and the line about pending fences above every page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from clusterpanel.models import AuditEntry
from nodes.domain.observation import ClusterFacts, EnvFacts, NodeFacts
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.text import say
from nodes.models import Cluster
from operations import fences, planning
from operations.domain.machine import RunState
from operations.models import Fence, Run
from tests.builders import HOSTS, mounted, peers, silent, synced, well
from tests.web import sites
from tests.web.made import made_run

A, B, C = HOSTS
pytestmark = pytest.mark.django_db


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = sites.installed()
    see(monkeypatch, made, *(well(host) for host in HOSTS))
    return made


def see(patch: pytest.MonkeyPatch, site: Cluster, *nodes: NodeFacts) -> None:
    """What is stored, and what the next look at the servers finds."""
    sites.observed(site, *nodes)
    patch.setattr(planning, "observe", lambda **_: ClusterFacts(nodes))


def without_a(patch: pytest.MonkeyPatch, site: Cluster) -> None:
    see(patch, site, silent(A), *(replace(well(h), galera=synced(2)) for h in (B, C)))


def text(answer: Any) -> str:
    body = re.sub(r"<(script|svg).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def page(client: Client, site: Cluster) -> Any:
    answer = client.get(f"/clusters/{site.pk}/primary/")
    assert answer.status_code == 200
    return answer


def start(client: Client, site: Cluster, to: str, **answers: str) -> Any:
    url = f"/clusters/{site.pk}/plan/change_primary/?primary={to}"
    shown = client.get(url)
    assert shown.status_code == 200, text(shown)
    found = re.search(r'name="plan_hash" value="(\w+)"', shown.content.decode())
    assert found
    fields = {f"gate-{name.replace('__', '-')}": value for name, value in answers.items()}
    return client.post(url, {"plan_hash": found[1], **fields})


def pending(site: Cluster, host: str = A) -> Fence:
    run = made_run("failed", cluster=site)
    return Fence.objects.create(
        cluster=site, host=host, run=run, names=host, opened_by="olga", opened_at=timezone.now()
    )


def test_it_says_whom_each_names_and_who_is_fit(
    signed_in: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(well(B), env=EnvFacts(True, "0" * 64, {**peers().as_env(), PRIMARY_KEY: B}))
    unmounted = replace(well(C), mount=replace(mounted(), mounted=False))
    see(monkeypatch, site, well(A), other, unmounted)
    said = text(page(signed_in, site))
    assert "does it, and should not" in said
    assert f"the storage of {C} is not mounted" in said
    assert "important for initial cluster deployment" in said


def test_a_server_that_does_not_answer_cannot_be_chosen(
    signed_in: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a(monkeypatch, site)
    html = page(signed_in, site).content.decode()
    assert re.search(rf'value="{A}" required\s+disabled', html)
    assert not re.search(rf'value="{B}" required\s+disabled', html)


def test_a_page_of_a_cluster_that_was_never_observed(signed_in: Client) -> None:
    assert "This was not asked yet" in text(page(signed_in, sites.fresh()))


def test_the_name_is_typed_and_the_settings_name_the_new_one_at_once(
    signed_in: Client, site: Cluster
) -> None:
    refused = start(signed_in, site, B)
    assert refused.status_code == 409
    assert not Run.objects.exists()
    answer = start(signed_in, site, B, primary__typed=B)
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert run.state == RunState.WAITING
    revision = site.revision
    assert (revision.number, revision.cluster_primary_host) == (2, B)
    assert tuple(revision.galera_peer_hosts) == HOSTS, "the order of the lists stays"
    assert run.plan.settings_revision == revision.number
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["sign_in", "refused", "run.start", "primary_set"]


def test_a_dead_primary_is_confirmed_by_its_name_and_gets_a_fence(
    signed_in: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a(monkeypatch, site)
    assert start(signed_in, site, B, primary__typed=B).status_code == 409
    assert not Fence.objects.exists()
    start(signed_in, site, B, primary__typed=B, off__1__typed=A)
    fence = Fence.objects.get()
    assert (fence.host, fence.names, fence.opened_by) == (A, A, "olga")
    assert fence.run == Run.objects.get()
    opened = AuditEntry.objects.get(action="fence.opened")
    known = {"run": fence.run_id, "host": A, "names": A}
    assert opened.detail == {**known, "from": {"address": "127.0.0.1"}}


def test_without_a_candidate_the_refusal_leads_to_the_choice(
    signed_in: Client, site: Cluster
) -> None:
    answer = signed_in.get(f"/clusters/{site.pk}/plan/change_primary/")
    assert f'href="/clusters/{site.pk}/primary/"' in answer.content.decode()


@pytest.mark.parametrize("path", ["", "primary/", "settings/", "install/", f"nodes/{B}/"])
def test_a_pending_fence_is_shown_on_every_page(
    signed_in: Client, site: Cluster, path: str
) -> None:
    pending(site)
    answer = signed_in.get(f"/clusters/{site.pk}/{path}", follow=True)
    assert f"{A} was not told of the change of the primary" in text(answer)


def test_it_is_shown_beside_the_runs_and_in_another_cluster_too(
    signed_in: Client, site: Cluster
) -> None:
    fence = pending(site)
    other = sites.made_site("kazan")
    for path in ("/runs/", f"/clusters/{other.pk}/", "/fences/"):
        assert "moscow-1: 10.0.0.11 was not told" in text(signed_in.get(path))
    Fence.objects.filter(pk=fence.pk).update(closed_at=timezone.now(), evidence={"read": "yes"})
    assert text(signed_in.get("/fences/")) == ""
    assert "1 was closed" in text(page(signed_in, site))


def test_the_page_tells_what_came_of_the_newest_try(signed_in: Client, site: Cluster) -> None:
    fence = pending(site)
    fence.said, fence.tried_at = say("It did not answer.").to_json(), timezone.now()
    fence.save()
    assert "It did not answer." in text(page(signed_in, site))


def test_a_fence_has_one_life(site: Cluster) -> None:
    pending(site)
    with pytest.raises(IntegrityError):
        pending(site)


def test_a_fence_is_not_closed_without_proof(site: Cluster) -> None:
    fence = pending(site)
    with pytest.raises(IntegrityError, match="a_fence_is_closed_by_proof"):
        Fence.objects.filter(pk=fence.pk).update(closed_at=timezone.now())


def test_nothing_else_starts_on_a_server_that_is_back_and_not_told(
    signed_in: Client, site: Cluster
) -> None:
    pending(site)
    answer = signed_in.get(f"/clusters/{site.pk}/plan/backup_database/")
    assert "has a pending fence" in text(answer)


def test_work_on_the_others_goes_on_while_it_is_away(
    signed_in: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(signed_in, site, B, primary__typed=B)
    Run.objects.update(state="failed")
    without_a(monkeypatch, site)
    pending(site)
    answer = signed_in.get(f"/clusters/{site.pk}/plan/backup_database/")
    assert "This is what the panel will do" in text(answer)


def workers(client: Client, site: Cluster, **fields: str) -> Any:
    names = {f"worker_{name}": value for name, value in fields.items()}
    return client.post(f"/clusters/{site.pk}/primary/workers/", names)


def test_commands_for_the_workers_are_part_of_the_plan(chief: Client, site: Cluster) -> None:
    answer = workers(chief, site, stop="svc stop w", start="svc start w", check="svc is-up w")
    assert answer.status_code == 302
    shown = text(chief.get(f"/clusters/{site.pk}/plan/change_primary/?primary={B}"))
    assert shown.index("svc stop w") < shown.index("svc start w")
    assert "“svc is-up w” says on 10.0.0.11 that no worker runs" in shown


def test_a_command_without_its_check_is_refused_beside_the_field(
    chief: Client, site: Cluster
) -> None:
    answer = workers(chief, site, stop="svc stop w")
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "an exit code of the other commands alone proves nothing" in html
    assert 'value="svc stop w"' in html
    site.refresh_from_db()
    assert site.worker_stop == ""


def test_two_lines_are_no_command(chief: Client, site: Cluster) -> None:
    assert workers(chief, site, check="a\nb").status_code == 422


def test_by_api(chief: Client, site: Cluster) -> None:
    pending(site)
    (told,) = chief.get(f"/api/v1/clusters/{site.pk}/fences").json()
    assert (told["host"], told["opened_by"], told["closed_at"]) == (A, "olga", None)
    url = f"/api/v1/clusters/{site.pk}"
    body = {"stop": "s", "start": "t", "check": "c"}
    saved = chief.put(f"{url}/workers", body, content_type="application/json")
    assert saved.json()["workers"] == body
    bad = chief.put(f"{url}/workers", {"stop": "s"}, content_type="application/json")
    assert (bad.status_code, bad.json()["code"]) == (422, "check_missing")
    asked = {"procedure": "change_primary", "params": {"primary": B}}
    plan = chief.post(f"{url}/plans", asked, content_type="application/json").json()
    assert (plan["primary"], plan["settings_revision"], plan["fences"]) == (B, 2, [])
    assert [gate["subject"] for gate in plan["gates"]] == [B]


def test_settings_can_be_saved_with_a_primary_that_was_moved(chief: Client, site: Cluster) -> None:
    start(chief, site, B, primary__typed=B)
    Run.objects.update(state="succeeded")
    body = {
        "revision": 2,
        "galera_peer_hosts": [A, C, B],
        "cluster_fs_peer_hosts": [A, C, B],
        "cluster_primary_host": B,
    }
    url = f"/api/v1/clusters/{site.pk}/settings"
    assert chief.put(url, body, content_type="application/json").status_code == 200
    body |= {"revision": 3, "cluster_primary_host": C}
    refused = chief.put(url, body, content_type="application/json")
    assert refused.json()["code"] == "primary_is_procedure"


def test_the_race_for_the_settings_is_lost_with_a_sentence(
    chief: Client, site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(**_: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(fences, "primary_set", late)
    answer = start(chief, site, B, primary__typed=B)
    assert answer.status_code == 409
    assert not Run.objects.exists()


def test_the_dashboard_leads_to_the_plan(chief: Client, olga: User) -> None:
    made = sites.installed()
    odd = EnvFacts(True, "0" * 64, {**peers().as_env(), PRIMARY_KEY: C})
    sites.observed(made, replace(well(C), env=odd))
    html = chief.get(f"/clusters/{made.pk}/").content.decode()
    assert f"/clusters/{made.pk}/plan/change_primary/?primary={A}" in html

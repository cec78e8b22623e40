"""Every step of the installation in every state, and what each form does with what is typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from nodes import services
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.domain.wizard import STEPS
from nodes.models import Cluster, SettingsRevision
from nodes.services import ScannedKey
from tests.builders import HOSTS
from tests.web import made, sites

pytestmark = pytest.mark.django_db

SITES = (sites.fresh, sites.reachable, sites.unreachable, sites.installed)


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(sites.admin())
    return client


def step_of(page: Client, site: Cluster, step: str) -> str:
    answer = page.get(reverse("wizard", args=[site.pk, step]))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("make", SITES, ids=lambda make: make.__name__)
def test_every_step_can_be_looked_at_in_every_state(
    page: Client, make: Callable[[], Cluster], step: str
) -> None:
    text = step_of(page, make(), step)
    assert text.count('aria-current="step"') == 1
    assert "Why this step" in text
    assert sites.SECRET not in text


def test_there_is_no_such_step(page: Client) -> None:
    assert page.get(reverse("wizard", args=[sites.fresh().pk, "nonsense"])).status_code == 404


def test_install_goes_on_where_the_admin_left_off(page: Client) -> None:
    fresh = sites.fresh()
    answer = page.get(reverse("install", args=[fresh.pk]))
    assert answer["Location"] == reverse("wizard", args=[fresh.pk, "access"])


def test_next_that_cannot_be_pressed_says_what_is_missing(page: Client) -> None:
    text = step_of(page, sites.reachable(), "settings")
    foot = text.split('id="wizard-foot"')[1]
    assert 'aria-disabled="true"' in foot
    assert f"The .env of {HOSTS[0]} does not have these settings yet." in foot


def test_a_ready_cluster_says_so(page: Client) -> None:
    assert "Your cluster is ready" in step_of(page, sites.installed(), "verify")
    Cluster.objects.all().delete()
    assert "Your cluster is ready" not in step_of(page, sites.unreachable(), "verify")


def test_a_step_shows_its_running_run(page: Client) -> None:
    site = sites.reachable()
    run = made.made_run("running", ["running", "pending", "pending"], cluster=site)
    text = step_of(page, site, "galera")
    assert reverse("run", args=[run.pk]) in text
    assert "See the plan to install Galera" not in text


def test_the_databases_that_a_joining_server_loses_are_named(page: Client) -> None:
    text = step_of(page, sites.reachable(), "galera")
    assert text.count("Joins and loses its own databases") == 2
    assert "(12 tables)" in text


def test_the_page_reloads_when_its_own_step_moved_on(page: Client) -> None:
    site = sites.installed()
    address = reverse("stepper", args=[site.pk, "galera"])
    assert page.get(f"{address}?was=working")["HX-Refresh"] == "true"
    assert "HX-Refresh" not in page.get(f"{address}?was=done")


# Step 1


def nodes_form(*hosts: str, **fields: str | list[str]) -> dict[str, str | list[str]]:
    return {"name": "kazan", "galera_peer_hosts": list(hosts), "same_hosts": "1", **fields}


def test_saving_the_nodes_creates_the_cluster_and_leads_to_access(page: Client) -> None:
    answer = page.post(reverse("cluster-new"), nodes_form(*HOSTS, "", then="next"))
    cluster = Cluster.objects.get(name="kazan")
    assert answer["Location"] == reverse("wizard", args=[cluster.pk, "access"])
    assert cluster.revision.peers.galera_peer_hosts == HOSTS
    assert cluster.revision.peers.cluster_fs_peer_hosts == HOSTS
    assert cluster.revision.cluster_primary_host == HOSTS[0]


def test_hosts_pasted_into_one_row_are_several_hosts(page: Client) -> None:
    page.post(reverse("cluster-new"), nodes_form("10.0.0.11, 10.0.0.12 10.0.0.13", ""))
    assert Cluster.objects.get().revision.peers.galera_peer_hosts == HOSTS


def test_gluster_may_have_a_list_of_its_own(page: Client) -> None:
    form = nodes_form(*HOSTS, cluster_fs_peer_hosts=[*HOSTS, "10.0.0.14"])
    del form["same_hosts"]
    page.post(reverse("cluster-new"), form)
    assert Cluster.objects.get().revision.cluster_fs_peer_hosts == [*HOSTS, "10.0.0.14"]


def test_two_gluster_hosts_are_refused_in_the_words_of_the_manual(page: Client) -> None:
    answer = page.post(reverse("cluster-new"), nodes_form(*HOSTS[:2]))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "you will lose data" in text.split("wizard-why")[0]
    assert 'value="10.0.0.12"' in text
    assert not Cluster.objects.exists()


def test_what_is_wrong_stands_beside_its_field(page: Client) -> None:
    text = page.post(reverse("cluster-new"), nodes_form("10.0.0.11", "not_a_host", "10.0.0.13"))
    row = text.content.decode().split('data-host-list="galera_peer_hosts"')[1]
    assert 'aria-invalid="true"' in row.split("</fieldset>")[0]
    assert "neither an address nor a host name" in row.split("</fieldset>")[0]


def test_two_galera_hosts_are_offered_a_tick_only_after_the_reason(page: Client) -> None:
    form = nodes_form(*HOSTS[:2], cluster_fs_peer_hosts=list(HOSTS))
    del form["same_hosts"]
    assert "two_galera_acknowledged" not in page.get(reverse("cluster-new")).content.decode()
    text = page.post(reverse("cluster-new"), form).content.decode()
    assert 'name="two_galera_acknowledged"' in text
    page.post(reverse("cluster-new"), {**form, "two_galera_acknowledged": "1"})
    assert Cluster.objects.get().revision.two_galera_acknowledged


def test_a_cluster_needs_a_name(page: Client) -> None:
    text = page.post(reverse("cluster-new"), nodes_form(*HOSTS, name=" ")).content.decode()
    assert 'id="name-error"' in text
    assert not Cluster.objects.exists()


def test_a_changed_list_is_a_new_revision_and_the_same_list_is_none(page: Client) -> None:
    site = sites.fresh()
    address = reverse("wizard", args=[site.pk, "nodes"])
    page.post(address, nodes_form(*HOSTS, based_on="1"))
    assert site.revision.number == 1
    page.post(address, nodes_form(*HOSTS, "10.0.0.14", based_on="1"))
    assert site.revision.number == 2


def test_a_list_that_somebody_changed_meanwhile_is_not_overwritten(page: Client) -> None:
    site = sites.fresh()
    SettingsRevision.objects.create(
        cluster=site,
        number=2,
        galera_peer_hosts=[*HOSTS, "10.0.0.15"],
        cluster_fs_peer_hosts=[*HOSTS, "10.0.0.15"],
        cluster_primary_host=HOSTS[0],
    )
    address = reverse("wizard", args=[site.pk, "nodes"])
    answer = page.post(address, nodes_form(*HOSTS, "10.0.0.14", based_on="1"))
    assert answer.status_code == 422
    assert site.revision.number == 2


def test_save_and_leave_leads_to_the_dashboard(page: Client) -> None:
    answer = page.post(reverse("cluster-new"), nodes_form(*HOSTS, then="leave"))
    assert answer["Location"] == reverse("dashboard", args=[Cluster.objects.get().pk])


# Step 2


def test_a_wrong_port_is_said_beside_the_field_and_the_secrets_do_not_come_back(
    page: Client,
) -> None:
    site = sites.fresh()
    form = {
        "ssh_username": "root",
        "ssh_port": "99999",
        "ssh_private_key": sites.KEY,
        "ssh_password": "hunter2",
    }
    answer = page.post(reverse("wizard", args=[site.pk, "access"]), form)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="ssh_port-error"' in text
    assert sites.SECRET not in text
    assert "hunter2" not in text


def test_a_key_that_is_no_key_is_refused_and_not_stored(page: Client) -> None:
    site = sites.fresh()
    form = {"ssh_username": "root", "ssh_port": "22", "ssh_private_key": "not a key"}
    answer = page.post(reverse("wizard", args=[site.pk, "access"]), form)
    assert answer.status_code == 422
    site.refresh_from_db()
    assert site.ssh_private_key == ""


def scanned(host: str, state: str = "new", **fields: str) -> ScannedKey:
    values = {"type": "ssh-ed25519", "sha256": "SHA256:now", "pinned_sha256": "", **fields}
    return ScannedKey(host=host, base64="A", state=state, error=None, console_command="ssh-keygen -lf x", **values)  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[ScannedKey]:
    """What the servers show; a test puts its own keys in."""
    shown: list[ScannedKey] = []
    monkeypatch.setattr(services, "host_keys_scan", lambda *, cluster: shown)
    return shown


def test_a_new_key_is_shown_with_the_command_for_the_console(
    page: Client, keys: list[ScannedKey]
) -> None:
    keys.append(scanned(HOSTS[0]))
    text = page.get(reverse("host-keys", args=[sites.fresh().pk])).content.decode()
    assert "SHA256:now" in text
    assert "ssh-keygen -lf x" in text
    assert "Accept the key of 10.0.0.11" in text


def test_a_changed_key_stands_beside_the_old_one(page: Client, keys: list[ScannedKey]) -> None:
    keys.append(scanned(HOSTS[0], "changed", pinned_sha256="SHA256:before"))
    text = page.get(reverse("host-keys", args=[sites.fresh().pk])).content.decode()
    assert text.index("SHA256:before") < text.index("SHA256:now")
    assert "Type 10.0.0.11 to replace its key" in text


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """What was handed to the service that pins a key."""
    calls: list[tuple[str, str, bool]] = []
    monkeypatch.setattr(
        services,
        "host_key_trust",
        lambda *, host, sha256, replace=False, **_: calls.append((host, sha256, replace)),
    )
    return calls


Trusted = list[tuple[str, str, bool]]


def test_a_key_is_accepted_after_the_tick(
    page: Client, keys: list[ScannedKey], trusted: Trusted
) -> None:
    form = {"host": HOSTS[0], "sha256": "SHA256:now", "compared": "1"}
    page.post(reverse("host-key-trust", args=[sites.fresh().pk]), form)
    assert trusted == [(HOSTS[0], "SHA256:now", False)]


def test_without_the_tick_nothing_is_accepted(
    page: Client, keys: list[ScannedKey], trusted: Trusted
) -> None:
    keys.append(scanned(HOSTS[0]))
    form = {"host": HOSTS[0], "sha256": "SHA256:now"}
    answer = page.post(reverse("host-key-trust", args=[sites.fresh().pk]), form)
    assert answer.status_code == 422
    assert "was not confirmed as compared" in answer.content.decode()
    assert trusted == []


@pytest.mark.parametrize("typed", ["", "10.0.0.12", "10.0.0.11x"])
def test_a_changed_key_needs_the_name_exactly(
    page: Client, keys: list[ScannedKey], trusted: Trusted, typed: str
) -> None:
    form = {"host": HOSTS[0], "sha256": "S", "compared": "1", "replace": "1", "typed": typed}
    answer = page.post(reverse("host-key-trust", args=[sites.fresh().pk]), form)
    assert answer.status_code == 422
    assert trusted == []


def test_a_changed_key_is_replaced_by_its_typed_name(
    page: Client, keys: list[ScannedKey], trusted: Trusted
) -> None:
    form = {"host": HOSTS[0], "sha256": "S", "compared": "1", "replace": "1", "typed": HOSTS[0]}
    page.post(reverse("host-key-trust", args=[sites.fresh().pk]), form)
    assert trusted == [(HOSTS[0], "S", True)]


def test_the_refusal_of_the_service_stands_in_the_row(
    page: Client, keys: list[ScannedKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.append(scanned(HOSTS[0]))

    def refuse(**_: object) -> None:
        raise Refused(Refusal("host_key_mismatch", say("Another key now."), say("Look again.")))

    monkeypatch.setattr(services, "host_key_trust", refuse)
    form = {"host": HOSTS[0], "sha256": "S", "compared": "1"}
    address = reverse("host-key-trust", args=[sites.fresh().pk])
    answer = page.post(address, form, headers={"HX-Request": "true"})
    assert answer.status_code == 200  # htmx shows nothing else
    assert "Another key now." in answer.content.decode()


# Step 3


def test_one_cell_is_run_again_by_its_button(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    site = sites.reachable()
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        services,
        "checks_run",
        lambda *, cluster, host, check_id, by: asked.append((host, check_id)),
    )
    address = reverse("checks-run", args=[site.pk])
    answer = page.post(
        address, {"host": HOSTS[1], "check_id": "disk"}, headers={"HX-Request": "true"}
    )
    assert asked == [(HOSTS[1], "disk")]
    assert "<html" not in answer.content.decode()
    assert 'hx-swap-oob="true"' in answer.content.decode()


def test_a_cell_of_a_server_that_is_gone_sends_the_admin_to_the_newest_table(page: Client) -> None:
    address = reverse("checks-run", args=[sites.fresh().pk])
    answer = page.post(address, {"host": "10.9.9.9"}, follow=True)
    assert "is not in this table" in answer.content.decode()


# Step 5


def test_a_missing_backup_is_asked_for_but_does_not_shut_the_way(page: Client) -> None:
    text = step_of(page, sites.reachable(), "backup")
    assert text.count("Backup needed") == 2
    assert reverse("plan", args=[Cluster.objects.get().pk, "backup_database"]) in text
    assert 'aria-disabled="true"' not in text

"""Shell metacharacters, quotes, line ends, NUL, dashes and foreign letters through every field that
reaches a server: refused by a sentence about the field, or one argument and nothing else."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils.html import escape
from hypothesis import given

from nodes import services
from nodes.domain.page_url import of_host
from nodes.domain.refusal import Refusal
from nodes.models import Cluster, SettingsRevision
from operations.domain.backup_scripts import READ_ARCHIVE, READ_DUMP
from operations.domain.plan import Plan
from operations.models import ShownPlan
from tests.api.premises import Premises
from tests.fakes.recorded import HOSTS
from tests.hostile import fates
from tests.hostile.conftest import OFTEN, SAMPLES, VALUES, Asked, send, told
from tests.hostile.fates import COMMAND, LITERAL, ONE_OF, PLAIN
from tests.hostile.senders import Sender, senders
from tests.people.made import person

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(900)]


def is_plain(value: str) -> bool:
    """The same word to a shell, quoted or not, and no option."""
    return shlex.quote(value) == value and not value.startswith("-")


def kept() -> Iterator[str]:
    """Every value in the books that is told to servers."""
    for cluster in Cluster.objects.all():
        yield from (cluster.app_dir, cluster.ssh_username, str(cluster.ssh_port))
    for revision in SettingsRevision.objects.all():
        yield from (*revision.peers.hosts, revision.cluster_primary_host)
    yield from User.objects.values_list("username", flat=True)


def is_about(answer: HttpResponse, sender: Sender) -> bool:
    """Whether the refusal names the field."""
    if sender.is_api:
        errors = told(answer).get("errors", [told(answer)])
        found = [(error.get("field", ""), error["why"]) for error in errors]
        # What no database could keep is refused before anybody knows what the field is called.
        if any(field == ".".join(map(str, sender.place)) and why for field, why in found):
            return True
    else:
        context: Any = answer.context  # type: ignore[attr-defined]
        names = context.keys()
        found = [_plainly(each) for name in names for each in _refusals(context[name])]
    called = sender.called.replace(".", "_")
    return any(_same(field, called) and why for field, why in found)


def _plainly(refusal: Refusal) -> tuple[str, str]:
    return refusal.field, str(refusal.why)


def _refusals(shown: Any) -> Iterator[Refusal]:
    if isinstance(shown, Refusal):
        yield shown
    elif isinstance(shown, dict):
        for each in shown.values():
            yield from _refusals(each)
    elif isinstance(shown, list | tuple):
        for each in shown:
            yield from _refusals(each)


def _same(field: str, called: str) -> bool:
    words = [word for word in field.split(".") if not word.isdecimal()]
    return "_".join(words).endswith(called)


def test_only_plain_words_get_by(premises: Premises, chief: Client, asked: Asked) -> None:
    known = senders(premises)

    @OFTEN
    @given(VALUES)
    def holds(value: str) -> None:
        for name in fates.of(PLAIN):
            with transaction.atomic():
                answer = send(chief, known[name], value)
                if answer.status_code == 422 and not is_plain(value):
                    assert is_about(answer, known[name]), (name, value, answer.content)
                assert [each for each in kept() if not is_plain(each)] == [], (name, value)
                transaction.set_rollback(True)

    holds()
    assert [host for host in asked.hosts if not is_plain(host)] == []


def test_what_the_panel_does_not_know_reaches_nobody(
    premises: Premises, chief: Client, asked: Asked
) -> None:
    known = senders(premises)
    strange = [value for value in SAMPLES if not is_plain(value) and len(value) > 3]
    for name in fates.of(ONE_OF):
        for value in strange:
            with transaction.atomic():
                send(chief, known[name], value)
                transaction.set_rollback(True)
        assert [script for script in asked.scripts() if "canary" in script] == [], name
        heard = [word for word in asked.words() if any(value in word for value in strange)]
        assert heard == [], name
        asked.commands.clear()
    assert set(asked.hosts) <= set(HOSTS)


def test_a_page_address_is_one_argument(premises: Premises, chief: Client, asked: Asked) -> None:
    """Nothing in it means anything between the quotes in which the script has it."""
    fields = [senders(premises)[name] for name in fates.of(LITERAL) if "page_url" in name]
    assert len(fields) == 2

    @OFTEN
    @given(VALUES)
    def holds(value: str) -> None:
        for sender in fields:
            with transaction.atomic():
                answer = send(chief, sender, value)
                url = Cluster.objects.get(pk=premises.site.pk).page_url
                assert answer.status_code in (200, 302, 422)
                if answer.status_code == 422:
                    assert is_about(answer, sender), value
                assert not set(url) & set("\"'\\$`\n\0 ;")
                transaction.set_rollback(True)

    holds()
    address = "https://{host}/login?a=1&b=%20"
    send(chief, fields[0], address)
    asked.commands.clear()
    premises.site.refresh_from_db()
    services.raw_answers(cluster=premises.site, host=HOSTS[0], by=None)
    assert of_host(address, HOSTS[0]) in asked.commands[0].argv


PATHS = [f"/b/{value}" for value in SAMPLES if "/" not in value and len(value) < 200]


def test_the_path_of_a_backup_is_one_argument(premises: Premises, chief: Client) -> None:
    sender = senders(premises)["params:path"]
    for path in PATHS:
        answer = send(chief, sender, path)
        if not path.isprintable():
            assert answer.status_code == 422, path
            assert told(answer)["field"] == "path" or "“path”" in told(answer)["why"], path
            continue
        (step,) = told(answer)["stages"][0]["steps"]
        assert shlex.split(step["command"])[:2] == ["sh", "-c"]
        assert shlex.split(step["command"])[-1] == path


@pytest.mark.parametrize("reader", [READ_DUMP, READ_ARCHIVE])
@pytest.mark.parametrize("name", [v for v in SAMPLES if "/" not in v and "\0" not in v])
def test_a_real_shell_reads_exactly_that_file(tmp_path: Path, reader: str, name: str) -> None:
    """The file is there and is no archive: what is said is about this file, and nothing else ran."""
    if len(name.encode()) > 200:
        return
    (tmp_path / name).write_bytes(b"no archive")
    before = sorted(tmp_path.iterdir())
    ran = subprocess.run(
        ("sh", "-c", reader, "clusterpanel", str(tmp_path / name)),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    assert ran.returncode != 0
    assert b"such file" not in ran.stderr + ran.stdout
    assert sorted(tmp_path.iterdir()) == before
    assert not Path("/tmp/canary").exists()


def test_a_command_is_one_line_and_set_by_administrators_only(
    premises: Premises, chief: Client
) -> None:
    known, other = senders(premises), Client()
    other.force_login(person("olga", "operator"))
    assert {send(other, known[name], "true").status_code for name in fates.of(COMMAND)} == {403}

    @OFTEN
    @given(VALUES)
    def holds(value: str) -> None:
        for name in fates.of(COMMAND):
            with transaction.atomic():
                answer = send(chief, known[name], value)
                words = commands_of(premises.site.pk)
                if answer.status_code == 422:
                    assert is_about(answer, known[name]), (name, value)
                elif value.strip():
                    assert value.strip() in words, (name, value)
                assert all(word.isprintable() for word in words), (name, value)
                transaction.set_rollback(True)

    holds()


def commands_of(pk: int) -> tuple[str, ...]:
    site = Cluster.objects.get(pk=pk)
    return (site.apply_command, site.worker_stop, site.worker_start, site.worker_check)


@pytest.mark.parametrize("command", [SAMPLES[0], SAMPLES[5], SAMPLES[6], "a\\ b  'c' \"$d\""])
def test_a_command_is_shown_before_it_runs_and_is_one_argument(
    command: str, premises: Premises, chief: Client
) -> None:
    send(chief, senders(premises)["body:Apply.apply_command"], command)
    asked = {"procedure": "apply_settings", "params": {"force": True}}
    plan = told(send(chief, _planned(premises, asked), ""))
    steps = [step for stage in plan["stages"] for step in stage["steps"]]
    assert any(shlex.quote(command) in step["command"] for step in steps)
    kept_plan = Plan.from_json(ShownPlan.objects.get(hash=plan["hash"]).plan_json)
    applying = [step.argv for step in kept_plan.steps if step.key.startswith("apply")]
    assert {argv[-1] for argv in applying} == {command}
    page = chief.get(f"/clusters/{premises.site.pk}/plan/apply_settings/?force=true")
    assert escape(shlex.quote(command)) in page.content.decode()


def _planned(premises: Premises, body: dict[str, Any]) -> Sender:
    return Sender("POST", f"/api/v1/clusters/{premises.site.pk}/plans", (), body)

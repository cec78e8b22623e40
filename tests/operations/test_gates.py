"""The gates: which answers open them, and that they are asked again before each overwriting step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from clusterpanel.models import AuditEntry
from clusterpanel.people.models import Person
from nodes.domain.refusal import Refusal, Refused
from operations import gates, selectors
from operations.models import Backup, Run
from tests.builders import HOSTS
from tests.operations.office import ACCEPT, Office
from tests.people.made import PASSWORD, at_the_keyboard, person

ONE, TWO, _ = HOSTS
LONG = "the old data is not needed"


def refusals(
    office: Office, confirmations: dict[str, Any], by: User | None = None
) -> list[Refusal]:
    plan = office.plan()
    return gates.evaluate(
        plan=plan,
        cluster=office.cluster,
        confirmations=confirmations,
        user=by or office.admin,
        now=timezone.now().timestamp(),
    )


def codes(found: list[Refusal]) -> list[tuple[str, str]]:
    return [(refusal.code, str(refusal.evidence.get("gate"))) for refusal in found]


def with_backup(backup: Backup | int) -> dict[str, Any]:
    return {"backup-database": {"backup": getattr(backup, "pk", backup)}, **ACCEPT}


def test_every_open_gate_is_named(office: Office) -> None:
    assert codes(refusals(office, {})) == [
        ("gate_unanswered", "backup-database"),
        ("gate_unanswered", "databases-replaced"),
    ]


def test_a_fresh_backup_on_its_node_opens_it(office: Office) -> None:
    assert refusals(office, with_backup(office.backup())) == []


@pytest.mark.parametrize("accept", [{"accept": False}, {"accept": "yes"}, {}, None, True])
def test_only_a_tick_accepts(office: Office, accept: object) -> None:
    answer = {**with_backup(office.backup()), "databases-replaced": accept}
    assert codes(refusals(office, answer)) == [("gate_unanswered", "databases-replaced")]


def invalid(office: Office, backup: Backup | int) -> str:
    (refusal,) = refusals(office, with_backup(backup))
    assert refusal.code == "backup_invalid"
    return str(refusal.why)


def test_an_old_backup_is_refused(office: Office) -> None:
    old = office.backup(verified_at=timezone.now() - timedelta(hours=25))
    assert "25 hours ago" in invalid(office, old)
    assert office.asked == []  # its node need not be asked


def test_a_backup_of_the_other_kind_is_refused(office: Office) -> None:
    assert "backup of the storage" in invalid(office, office.backup("storage"))


def test_a_backup_of_another_cluster_is_refused(office: Office) -> None:
    elsewhere = office.backup()
    Backup.objects.filter(pk=elsewhere.pk).update(cluster=_another())
    assert "not on record for this cluster" in invalid(office, elsewhere)
    assert "not on record" in invalid(office, 987654)


def _another() -> Any:
    from nodes.models import Cluster

    return Cluster.objects.create(name="Another")


def test_a_file_that_is_gone_or_changed_is_refused(office: Office) -> None:
    backup = office.backup()
    office.files[ONE, backup.path] = "4712"
    assert "has 4712 bytes, it had 4711" in invalid(office, backup)
    del office.files[ONE, backup.path]
    assert "no longer on" in invalid(office, backup)


def test_a_node_that_does_not_answer_leaves_it_unusable(office: Office) -> None:
    backup = office.backup()
    office.silent.add(ONE)
    assert "could not be asked" in invalid(office, backup)


def test_the_panels_own_backup_must_be_of_the_primary(office: Office) -> None:
    run = office.start("backup_database")
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    assert "holds the data of" in invalid(office, office.backup(node=TWO, run=run))
    shown = office.backup(node=TWO, path="/own.sql")  # the admin's own may lie anywhere
    assert refusals(office, with_backup(shown)) == []


@pytest.mark.parametrize("value", ["1", True, None, [1], {}])
def test_a_senseless_backup_id_opens_nothing(office: Office, value: Any) -> None:
    office.backup()
    answer = {"backup-database": {"backup": value}, **ACCEPT}
    assert len(refusals(office, answer)) == 1


def waived(office: Office, by: User | None = None, **waiver: Any) -> list[tuple[str, str]]:
    answer = {"backup-database": {"waiver": waiver}, **ACCEPT}
    return codes(refusals(office, answer, by))


def test_a_waiver_needs_the_name_and_a_reason(office: Office) -> None:
    gate = "backup-database"
    assert waived(office, typed="Office", reason=LONG) == []
    assert waived(office, typed="office", reason=LONG) == [("typed_wrong", gate)]
    assert waived(office, typed="Office", reason="because   ") == [("waiver_reason", gate)]
    assert waived(office, typed="Office") == [("waiver_reason", gate)]
    assert waived(office, reason=LONG) == [("typed_wrong", gate)]


def test_a_waiver_needs_the_role(office: Office) -> None:
    mine = office.operator
    assert waived(office, mine, typed="Office", reason=LONG) == [
        ("waiver_forbidden", "backup-database")
    ]
    Person.objects.filter(user=mine).update(role="administrator")
    assert waived(office, mine, typed="Office", reason=LONG) == [
        ("password_needed", "backup-database")
    ]
    assert waived(office, at_the_keyboard(mine), typed="Office", reason=LONG) == []


def test_a_waiver_takes_the_password_which_is_kept_nowhere(office: Office) -> None:
    chief = person("sidorov", "administrator", PASSWORD)
    wrong = {"typed": "Office", "reason": LONG, "password": "guess"}
    assert waived(office, chief, **wrong) == [("password_wrong", "backup-database")]
    waiver = {**wrong, "password": PASSWORD}
    answer = {"backup-database": {"waiver": waiver}, **ACCEPT}
    run = office.start("install_galera", confirmations=answer, by=chief)
    assert run.confirmations["backup-database"]["waiver"] == {"typed": "Office", "reason": LONG}
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_an_answer_to_a_gate_that_does_not_exist_is_refused(office: Office) -> None:
    answer = {**with_backup(office.backup()), "backup_database": {"backup": 1}}
    assert [refusal.code for refusal in refusals(office, answer)] == ["gate_unknown"]


def started(office: Office, backup: Backup) -> Run:
    return office.start("install_galera", confirmations=with_backup(backup))


def test_each_overwriting_step_asks_again(office: Office) -> None:
    backup = office.backup()
    run = started(office, backup)
    step = run.plan.steps[1]
    assert gates.check_step(run, step) is None
    del office.files[ONE, backup.path]
    refusal = gates.check_step(run, step)
    assert refusal is not None
    assert refusal.code == "backup_invalid"


def test_a_run_without_an_answer_never_overwrites(office: Office) -> None:
    """As if somebody had called the task by hand for a row that no service made."""
    run = started(office, office.backup())
    Run.objects.filter(pk=run.pk).update(confirmations={})
    run.refresh_from_db()
    refusal = gates.check_step(run, run.plan.steps[0])
    assert refusal is not None
    assert refusal.code == "gate_unanswered"
    empty: dict[str, Any] = {"backup-database": {"waiver": {}}}
    Run.objects.filter(pk=run.pk).update(confirmations=empty)
    run.refresh_from_db()
    refusal = gates.check_step(run, run.plan.steps[0])
    assert refusal is not None
    assert refusal.code == "typed_wrong"


def test_a_waiver_stays_for_its_run(office: Office) -> None:
    answer = {"backup-database": {"waiver": {"typed": "Office", "reason": LONG}}, **ACCEPT}
    run = office.start("install_galera", confirmations=answer)
    assert gates.check_step(run, run.plan.steps[2]) is None
    assert office.asked == []


def test_usable_backups_are_those_that_would_open_it(office: Office) -> None:
    good, gone = office.backup(), office.backup(path="/gone")
    del office.files[ONE, "/gone"]
    assert [b.id for b in selectors.usable_backups(office.cluster, "database")] == [good.pk]
    seen = {b.id: b for b in selectors.backups(office.cluster)}
    assert seen[good.pk].why is None
    assert "no longer on" in str(seen[gone.pk].why)
    assert selectors.usable_backups(office.cluster, "storage") == []


def test_one_node_is_asked_once_about_all_its_files(office: Office) -> None:
    for number in range(5):
        office.backup(path=f"/{number}")
    selectors.backups(office.cluster)
    assert office.asked == [ONE]


def test_the_service_refuses_what_the_gates_refuse(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        office.start("install_galera")
    assert refused.value.first.code == "gate_unanswered"
    assert not Run.objects.exists()

"""The procedures of one stage: settings, backups, the monitoring account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.domain.observation import EnvFacts, GaleraFacts, NodeFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.refusal import Refusal
from nodes.domain.text import say
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.situation import Situation
from tests.builders import HOSTS, NO_ANSWER, NOW, node, peers, silent, situation, synced
from tests.domain.worlds import after

ONE, TWO, THREE = HOSTS
ENV = "/var/www/html/dpiui2/backend/.env"
EMPTY = EnvFacts(True, "", {})


def plan_of(procedure: str, where: Situation) -> Plan:
    answer = PLANNERS[procedure](where)
    assert isinstance(answer, Plan), answer
    return answer


def refusal_of(procedure: str, where: Situation) -> Refusal:
    answer = PLANNERS[procedure](where)
    assert isinstance(answer, Refusal), answer
    return answer


def test_settings_go_only_to_nodes_that_differ() -> None:
    plan = plan_of("apply_settings", situation(node(TWO, env=EMPTY)))
    (step,) = plan.steps
    assert (step.node, step.stdin) == (TWO, "env_file")
    assert step.argv[3:] == (
        "clusterpanel",
        ENV,
        f"GALERA_PEER_HOSTS={ONE},{TWO},{THREE}",
        f"CLUSTER_FS_PEER_HOSTS={ONE},{TWO},{THREE}",
        f"CLUSTER_PRIMARY_HOST={ONE}",
    )
    assert step.proof.args == (TWO, *step.argv[4:])
    assert not step.overwrites


def test_equal_settings_are_nothing_to_do_unless_forced() -> None:
    assert refusal_of("apply_settings", situation()).code == "nothing_to_do"
    forced = plan_of("apply_settings", situation(params={"force": True}))
    assert forced.nodes == HOSTS


def test_settings_are_planned_again_for_the_rest() -> None:
    start = situation(*(node(host, env=EMPTY) for host in HOSTS))
    whole = plan_of("apply_settings", start)
    assert plan_of("apply_settings", after(start, whole.steps[:1])).steps == whole.steps[1:]


def test_settings_need_a_file_to_go_into() -> None:
    refusal = refusal_of("apply_settings", situation(node(THREE, env=EnvFacts(False))))
    assert (refusal.code, refusal.evidence["node"]) == ("env_missing", THREE)


COMMAND = "php artisan config:cache"


def away(host: str) -> NodeFacts:
    return unreachable(host, NOW, Unknown(say("It did not answer."), code="ssh_unreachable"))


def traced(host: str, *words: str, **changes: Any) -> NodeFacts:
    return node(host, extra={"traces": words}, **changes)


def test_the_apply_command_runs_after_all_files_are_written_and_only_there() -> None:
    where = replace(situation(*(node(h, env=EMPTY) for h in (ONE, THREE))), apply_command=COMMAND)
    plan = plan_of("apply_settings", where)
    assert [(s.node, s.proof.name) for s in plan.steps] == [
        (ONE, "env_equals"),
        (THREE, "env_equals"),
        (ONE, "settings_in_effect"),
        (THREE, "settings_in_effect"),
    ]
    last = plan.steps[-1]
    assert last.argv == (*last.argv[:4], "/var/www/html/dpiui2/backend", COMMAND)
    assert not plan.warnings


def test_a_cached_configuration_without_an_apply_command_is_said_before() -> None:
    (warning,) = plan_of(
        "apply_settings", situation(traced(TWO, "config_cached", env=EMPTY))
    ).warnings
    assert "will have no effect" in str(warning)
    assert TWO in str(warning)


def test_equal_settings_behind_an_older_cache_are_something_to_do() -> None:
    older = situation(traced(TWO, "config_cached", "config_older"))
    assert refusal_of("apply_settings", older).code == "apply_command_missing"
    (step,) = plan_of("apply_settings", replace(older, apply_command=COMMAND)).steps
    assert (step.node, step.proof.name) == (TWO, "settings_in_effect")


def test_a_node_that_is_away_is_left_for_later_behind_a_gate() -> None:
    other = EnvFacts(True, "", {**peers().as_env(), "GALERA_PEER_HOSTS": "elsewhere"})
    plan = plan_of("apply_settings", situation(node(TWO, env=other), away(THREE)))
    assert plan.nodes == (TWO,)
    (gate,) = plan.gates
    assert (gate.id, gate.kind, gate.subject) == ("later", "accept", THREE)
    assert f"CLUSTER_PRIMARY_HOST={ONE}" in str(gate.why)
    with_command = replace(situation(node(TWO, env=other), away(THREE)), apply_command=COMMAND)
    assert f"`{COMMAND}`" in str(plan_of("apply_settings", with_command).gates[0].why)


def test_the_primary_does_not_change_while_somebody_is_away() -> None:
    refusal = refusal_of("apply_settings", situation(node(TWO, env=EMPTY), away(THREE)))
    assert (refusal.code, refusal.evidence["away"]) == ("primary_unseen", [THREE])


def test_a_changed_host_key_is_no_absence() -> None:
    swapped = unreachable(THREE, NOW, Unknown(say("Another key."), code="host_key_changed"))
    assert refusal_of("apply_settings", situation(swapped)).code == "node_unknown"


def test_nobody_there_and_one_alone() -> None:
    assert refusal_of("apply_settings", situation(*map(away, HOSTS))).code == "node_unknown"
    lone = situation(node(TWO, env=EMPTY), away(THREE), params={"nodes": [TWO]})
    plan = plan_of("apply_settings", lone)
    assert (plan.nodes, plan.gates) == ((TWO,), ())
    assert refusal_of("apply_settings", replace(lone, params={"nodes": [THREE]})).code == (
        "node_unknown"
    )
    assert refusal_of("apply_settings", situation(away(THREE))).code == "nothing_to_do"


@pytest.mark.parametrize(
    ("procedure", "path", "records"),
    [
        (
            "backup_database",
            "/var/lib/clusterpanel/backups/database-{run}.sql.gz",
            "backup:database",
        ),
        ("backup_storage", "/var/lib/clusterpanel/backups/storage-{run}.tar.gz", "backup:storage"),
    ],
)
def test_a_backup_is_one_step_on_the_primary(procedure: str, path: str, records: str) -> None:
    plan = plan_of(procedure, situation(silent(TWO)))
    (step,) = plan.steps
    assert (step.node, step.records, step.proof.args) == (ONE, records, (ONE, path))
    assert not plan.gates
    assert step.argv_for("r4n")[4] == path.replace("{run}", "r4n")
    assert step.proof_for("r4n").args == (ONE, path.replace("{run}", "r4n"))


@pytest.mark.parametrize(
    ("procedure", "size"),
    [("backup_database", "database_bytes"), ("backup_storage", "storage_bytes")],
)
def test_a_full_disk_is_refused_before_it_begins(procedure: str, size: str) -> None:
    disks = {"/": 10**12, "/var/lib/clusterpanel": 900}
    full = node(ONE, disk_free=disks, extra={size: 1000})
    refusal = refusal_of(procedure, situation(full))
    assert (refusal.code, refusal.evidence["free"], refusal.evidence["needed"]) == (
        "disk_full",
        900,
        1000,
    )
    assert plan_of(procedure, situation(node(ONE, disk_free=disks, extra={size: 800})))
    assert plan_of(procedure, situation(node(ONE, disk_free=disks)))


def test_a_database_that_cannot_be_read_is_not_dumped() -> None:
    stopped = node(ONE, mysqld_running=False, galera=NO_ANSWER)
    assert refusal_of("backup_database", situation(stopped)).code == "database_stopped"
    lost = node(ONE, galera=GaleraFacts(True, "non-Primary", 1))
    assert refusal_of("backup_database", situation(lost)).code == "galera_non_primary"
    unread = node(ONE, galera=NO_ANSWER)
    assert refusal_of("backup_database", situation(unread)).code == "node_unknown"


def verify(**params: Any) -> Situation:
    given = {"kind": "database", "node": TWO, "path": "/backup/all.sql", **params}
    return situation(params=given)


def test_an_own_backup_is_read_where_it_lies() -> None:
    (step,) = plan_of("verify_backup", verify()).steps
    assert (step.node, step.records) == (TWO, "backup:database")
    assert (step.proof.name, step.proof.args) == ("dump_readable", (TWO, "/backup/all.sql"))
    (step,) = plan_of("verify_backup", verify(kind="storage")).steps
    assert step.proof.name == "archive_readable"


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "everything"},
        {"node": "10.9.9.9"},
        {"path": "relative.sql"},
        {"path": "/a\nb"},
        {"path": None},
        {"extra": 1},
    ],
)
def test_senseless_parameters_are_refused(params: dict[str, Any]) -> None:
    assert refusal_of("verify_backup", verify(**params)).code == "params_invalid"


@pytest.mark.parametrize(
    "path",
    ["/var/lib/mysql/dump.sql", "/var/www/html/dpiui2/backend/storage/../storage/x.sql"],
)
def test_a_backup_inside_of_what_is_replaced_is_no_backup(path: str) -> None:
    assert refusal_of("verify_backup", verify(path=path)).code == "backup_in_danger"


def test_the_account_is_made_once_and_proven_everywhere() -> None:
    nodes = [node(host, galera=synced()) for host in HOSTS]
    (step,) = plan_of("create_monitor_account", situation(*nodes)).steps
    assert (step.node, step.stdin, step.proof.args) == (ONE, "monitor_sql", HOSTS)
    assert "IDENTIFIED" not in " ".join(step.argv)


def test_the_account_needs_every_node_synced() -> None:
    nodes = [node(host, galera=synced()) for host in (ONE, TWO)]
    refusal = refusal_of("create_monitor_account", situation(*nodes))
    assert (refusal.code, refusal.evidence["node"]) == ("galera_not_synced", THREE)

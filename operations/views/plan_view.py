"""A plan in words and figures, ready for the page."""

from __future__ import annotations

import shlex
from typing import Any

from django.utils.translation import gettext, ngettext

from operations.domain.plan import Plan, Step
from operations.domain.proofs import PROOFS


def totals(plan: Plan) -> list[dict[str, Any]]:
    """The plan in three figures: steps, nodes, and how many steps replace data."""
    steps, nodes = len(plan.steps), len(plan.nodes)
    replacing = sum(step.overwrites for step in plan.steps)
    figures = [
        ngettext("%(count)s step", "%(count)s steps", steps) % {"count": steps},
        ngettext("on %(count)s node", "on %(count)s nodes", nodes) % {"count": nodes},
    ]
    last = ngettext("%(count)s replaces data", "%(count)s replace data", replacing)
    words = last % {"count": replacing} if replacing else gettext("no data is replaced")
    return [*({"text": text} for text in figures), {"text": words, "replaces": replacing > 0}]


def stages(plan: Plan) -> list[dict[str, Any]]:
    """The stages with their steps, numbered through the whole plan."""
    numbers = {step.key: number for number, step in enumerate(plan.steps, 1)}
    return [
        {"stage": stage, "steps": [_step(numbers[step.key], step) for step in stage.steps]}
        for stage in plan.stages
    ]


def _step(number: int, step: Step) -> dict[str, Any]:
    """`command` is one line; scripts among its arguments stand below it, `exact` has it all."""
    scripts = [arg for arg in step.argv if "\n" in arg.strip()]
    brief = [arg if arg not in scripts else "…" for arg in step.argv]
    return {
        "number": number,
        "step": step,
        "command": shlex.join(brief).replace("'…'", "…") if scripts else shlex.join(brief),
        "exact": shlex.join(step.argv),
        "scripts": [script.strip("\n") for script in scripts],
        "proof": PROOFS[step.proof.name].sentence(step.proof.args),
        "timeout": minutes(step.timeout_s),
        "proof_timeout": minutes(step.proof_timeout_s),
    }


def minutes(seconds: int) -> str:
    """A time limit in words."""
    if seconds < 120:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    count = round(seconds / 60)
    if count < 120:
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    hours = round(count / 60)
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}


def ladder(plan: Plan) -> int:
    """The level of confirmation: 1 a click, 2 a tick, 3 something that Enter must not confirm."""
    kinds = {gate.kind for gate in plan.gates}
    if kinds & {"typed", "backup", "override"}:
        return 3
    return 2 if kinds else 1


def button(plan: Plan) -> str:
    """A verb and a number: never just "OK"."""
    nodes = len(plan.nodes)
    named = {"count": nodes, "node": plan.nodes[0], "last": plan.steps[-1].node}
    return _verb(plan.procedure, nodes) % named


def _verb(procedure: str, nodes: int) -> str:
    match procedure:
        case "install_galera":
            return ngettext(
                "Install Galera on %(node)s", "Install Galera on %(count)s nodes", nodes
            )
        case "install_glusterfs":
            return ngettext(
                "Install GlusterFS on %(node)s", "Install GlusterFS on %(count)s nodes", nodes
            )
        case "apply_settings":
            return ngettext(
                "Write the settings on %(node)s", "Write the settings on %(count)s nodes", nodes
            )
        case "backup_database":
            return gettext("Back up the database on %(node)s")
        case "backup_storage":
            return gettext("Back up the storage directory on %(node)s")
        case "verify_backup":
            return gettext("Check the backup on %(node)s")
        case "create_monitor_account":
            return gettext("Create the account on %(node)s")
    return _running_verb(procedure, nodes) or ngettext(
        "Start on %(node)s", "Start on %(count)s nodes", nodes
    )


def _running_verb(procedure: str, nodes: int) -> str:
    """ "" for a procedure that is not about a cluster that runs already."""
    match procedure:
        case "change_primary":
            return gettext("Make %(last)s the primary")
        case "restart_node":
            return gettext("Restart on %(node)s")
        case "stop_node":
            return gettext("Stop on %(node)s")
        case "start_node":
            return gettext("Start on %(node)s")
        case "remount_storage":
            return gettext("Mount on %(node)s")
        case "rolling_restart":
            return ngettext("Restart %(node)s", "Restart %(count)s servers", nodes)
        case "stop_cluster":
            return ngettext("Stop %(node)s", "Stop the cluster of %(count)s servers", nodes)
        case "start_cluster":
            return ngettext("Start %(node)s", "Start the cluster of %(count)s servers", nodes)
        case "survey_galera":
            return ngettext(
                "Take the position of %(node)s", "Take the positions of %(count)s nodes", nodes
            )
        case "recover_galera":
            return gettext("Bring the cluster back from %(node)s")
    return ""


def procedure_name(procedure: str) -> str:
    """For a page that has no plan to take the title from."""
    names = {
        "apply_settings": gettext("Write the settings"),
        "backup_database": gettext("Back up the database"),
        "backup_storage": gettext("Back up the storage directory"),
        "verify_backup": gettext("Check a backup"),
        "install_galera": gettext("Install Galera"),
        "install_glusterfs": gettext("Install GlusterFS"),
        "create_monitor_account": gettext("Create the monitoring account"),
        "survey_galera": gettext("Take the positions of the stopped databases"),
        "recover_galera": gettext("Bring the Galera cluster back"),
        "restart_node": gettext("Restart"),
        "stop_node": gettext("Stop"),
        "start_node": gettext("Start"),
        "remount_storage": gettext("Mount the storage again"),
        "rolling_restart": gettext("Restart one after the other"),
        "stop_cluster": gettext("Stop the cluster"),
        "start_cluster": gettext("Start the cluster"),
        "change_primary": gettext("Change the primary"),
    }
    return names.get(procedure, procedure)

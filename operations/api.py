"""HTTP API: what is done. Builds the whole API, version 1; the same rules as the pages."""

from __future__ import annotations

import shlex
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query
from ninja.responses import Status

from clusterpanel import audit_log
from clusterpanel.api import (
    Body,
    JsonBody,
    Session,
    Token,
    answer_with_refusals,
)
from clusterpanel.openapi import DescribedApi
from clusterpanel.words import translated
from nodes.api import router as nodes_router
from nodes.api import the_cluster
from nodes.api_adoption import router as adoption_router
from nodes.api_settings import router as settings_router
from nodes.api_ssh_keys import router as ssh_keys_router
from operations import selectors, services
from operations.domain.plan import Plan, Stage, Step
from operations.line_json import Names, line_json
from operations.models import Run
from operations.views.log import run_log_text

MOST_LINES = 5000

# No page of documentation: ninja's own loads its scripts from another host. The document is served.
api = DescribedApi(
    title="Cluster Panel",
    version="1",
    urls_namespace="api",
    docs_url=None,
    auth=[Token(), Session()],
    parser=JsonBody(),
)
api.add_router("", nodes_router)
api.add_router("", settings_router)
api.add_router("", adoption_router)
api.add_router("", ssh_keys_router)
answer_with_refusals(api)


class Asked(Body):
    procedure: str
    params: dict[str, Any] = {}


class Accepted(Asked):
    plan_hash: str
    confirmations: dict[str, Any] = {}


@api.post("/clusters/{int:cluster_id}/plans", tags=["operations"])
def plan(request: HttpRequest, cluster_id: int, data: Asked) -> dict[str, Any]:
    """The plan of now, to be read by a person; `runs` takes its hash."""
    cluster = the_cluster(cluster_id)
    found = services.plan_preview(cluster=cluster, procedure=data.procedure, params=data.params)
    return _plan(found)


@api.post("/clusters/{int:cluster_id}/runs", response={201: dict[str, Any]}, tags=["operations"])
def run_start(request: HttpRequest, cluster_id: int, data: Accepted) -> Status[dict[str, Any]]:
    """Starts exactly the plan that was shown; 409 says what changed, or which gate is open."""
    started = services.run_start(
        cluster=the_cluster(cluster_id),
        procedure=data.procedure,
        params=data.params,
        plan_hash=data.plan_hash,
        confirmations=data.confirmations,
        by=request.user,
    )
    return Status(201, {"id": started.pk})


@api.get("/clusters/{int:cluster_id}/fences", tags=["operations"])
def fences(request: HttpRequest, cluster_id: int) -> list[dict[str, Any]]:
    """Servers that were not told of a change of the primary; `closed_at` null while one is open."""
    return [
        {
            "host": fence.host,
            "run": fence.run_id,
            "names": fence.names or None,
            "opened_by": fence.opened_by,
            "opened_at": fence.opened_at,
            "closed_at": fence.closed_at,
            "evidence": fence.evidence,
            "tried_at": fence.tried_at,
            "said": translated(fence.said),
        }
        for fence in the_cluster(cluster_id).fences.order_by("-opened_at")[:100]
    ]


@api.get("/clusters/{int:cluster_id}/backups", tags=["operations"])
def backups(request: HttpRequest, cluster_id: int, kind: str = "") -> list[dict[str, Any]]:
    return [
        {
            "id": backup.id,
            "kind": backup.kind,
            "node": backup.node,
            "path": backup.path,
            "bytes": backup.bytes,
            "sha256": backup.sha256,
            "verified_at": backup.verified_at,
            "usable": backup.usable,
            "why": translated(backup.why),
        }
        for backup in selectors.backups(the_cluster(cluster_id), kind)
    ]


@api.get("/runs", tags=["operations"])
def runs(
    request: HttpRequest, cluster: int | None = None, limit: int = Query(50, ge=1, le=500)
) -> list[dict[str, Any]]:
    found = selectors.runs(the_cluster(cluster) if cluster is not None else None)
    return [_brief(each) for each in found[:limit]]


@api.get("/runs/{run_id}", tags=["operations"])
def run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    return selectors.run_snapshot(_run(run_id))


@api.get("/runs/{run_id}/log", tags=["operations"])
def log(
    request: HttpRequest,
    run_id: str,
    after: int = Query(0, ge=0),
    limit: int = Query(1000, ge=1, le=MOST_LINES),
    step: str = "",
) -> dict[str, Any]:
    """Numbered lines above `after`; `last_line` is the newest number that there is."""
    found = _run(run_id)
    names = Names.of(found)
    lines = [line_json(each, names) for each in selectors.journal_lines(found, after, limit, step)]
    return {"lines": lines, "last_line": found.next_line - 1}


@api.get("/runs/{run_id}/log.txt", tags=["operations"])
def log_text(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """What every step printed, byte for byte, each behind a heading of its own."""
    return run_log_text(request, run_id)


@api.post("/runs/{run_id}/cancel", tags=["operations"])
def cancel(request: HttpRequest, run_id: str) -> dict[str, Any]:
    return _brief(services.run_cancel(run=_run(run_id), by=request.user))


@api.post("/runs/{run_id}/resume", tags=["operations"])
def resume(request: HttpRequest, run_id: str) -> dict[str, Any]:
    return _brief(services.run_resume(run=_run(run_id), by=request.user))


@api.post("/runs/{run_id}/steps/{step}/check", response={202: dict[str, Any]}, tags=["operations"])
def check(request: HttpRequest, run_id: str, step: str) -> Status[dict[str, Any]]:
    """Reads what a stopped or lost step left behind; the finding comes as the step's `check`."""
    found = _run(run_id)
    services.run_check(run=found, step=step, by=request.user)
    return Status(202, selectors.run_snapshot(found))


@api.get("/audit", tags=["audit"])
def audit_entries(
    request: HttpRequest, before: int | None = None, limit: int = Query(100, ge=1, le=1000)
) -> list[dict[str, Any]]:
    """Newest first; `before` is the id of the oldest that is known already."""
    found = audit_log.entries(by=_user(request), before=before)
    return [audit_log.plain(entry) for entry in found[:limit]]


@api.get("/audit/verification", tags=["audit"])
def audit_verification(request: HttpRequest) -> dict[str, Any]:
    """`broken_at`: the first entry that does not follow from the one before it, null if all do;
    `lost`: the digest of an entry that was there once and is not any more."""
    found = audit_log.verified(by=_user(request))
    return {"intact": found.intact, "broken_at": found.broken_at, "lost": found.lost}


def _user(request: HttpRequest) -> Any:
    return request.user


def _run(run_id: str) -> Run:
    return get_object_or_404(Run.objects.select_related("cluster", "started_by"), pk=run_id)


def _brief(found: Run) -> dict[str, Any]:
    return {
        "id": found.pk,
        "cluster": found.cluster_id,
        "procedure": found.procedure,
        "title": translated(found.plan.title),
        "state": found.state,
        "cancelling": found.cancelling,
        "started_by": found.started_by.get_username() if found.started_by else None,
        "created_at": found.created_at,
        "started_at": found.started_at,
        "ended_at": found.ended_at,
    }


def _plan(found: Plan) -> dict[str, Any]:
    return {
        "hash": found.hash,
        "procedure": found.procedure,
        "title": translated(found.title),
        "settings_revision": found.settings_revision,
        "warnings": [translated(warning) for warning in found.warnings],
        "gates": [
            {
                "id": gate.id,
                "kind": gate.kind,
                "subject": gate.subject,
                "why": translated(gate.why),
            }
            for gate in found.gates
        ],
        "stages": [_stage(stage) for stage in found.stages],
        "primary": found.primary or None,
        "fences": [{"host": fence.host, "why": translated(fence.why)} for fence in found.fences],
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "key": stage.key,
        "title": translated(stage.title),
        "why": translated(stage.why),
        "steps": [_step(step) for step in stage.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "key": step.key,
        "node": step.node,
        "title": translated(step.title),
        "command": shlex.join(step.argv),
        "proof": selectors.proof_sentence(step),
        "overwrites": step.overwrites,
        "timeout_s": step.timeout_s,
    }

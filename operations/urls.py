from django.urls import URLPattern, path

from operations import stream
from operations.views import log, operations, pending, plan, primary, recovery, run, runs

urlpatterns: list[URLPattern] = [
    path("clusters/<int:cluster_id>/plan/<slug:procedure>/", plan.plan, name="plan"),
    path("clusters/<int:cluster_id>/settings/forget/", pending.forget, name="forget-settings"),
    path("clusters/<int:cluster_id>/operations/", operations.operations, name="operations"),
    path("clusters/<int:cluster_id>/primary/", primary.primary, name="primary"),
    path("clusters/<int:cluster_id>/primary/workers/", primary.workers, name="workers"),
    path("fences/", primary.fences, name="fences"),
    path("clusters/<int:cluster_id>/recovery/", recovery.recovery, name="recovery"),
    path("runs/", runs.runs, name="runs"),
    path("dock/", runs.dock, name="dock"),
    path("runs/<slug:run_id>/", run.run, name="run"),
    path("runs/<slug:run_id>/head/", run.run_head, name="run-head"),
    path("runs/<slug:run_id>/cancel/", run.run_cancel, name="run-cancel"),
    path("runs/<slug:run_id>/resume/", run.run_resume, name="run-resume"),
    path("runs/<slug:run_id>/check/", run.run_check, name="run-check"),
    path("runs/<slug:run_id>/events", stream.run_events, name="run-events"),
    path("runs/<slug:run_id>/log/", log.run_log, name="run-log"),
    path("runs/<slug:run_id>/log.txt", log.run_log_text, name="run-log-text"),
    path("runs/<slug:run_id>/search/", log.run_search, name="run-search"),
    path("runs/<slug:run_id>/first-error/", log.run_first_error, name="run-first-error"),
]

"""Runs of a plan made for the bench, put straight into the panel's books.

The panel's own services refuse a plan that no planner made, and should. The worker, the job
protocol, the journal and the proofs are the product's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.e2e.panel import ROOT, Panel

PROGRAM = """
import json, sys, time, django
django.setup()
from django.utils import timezone
from nodes.models import Cluster
from operations.domain.plan import Plan
from operations.models import Run
from operations.services import run_store
plan = Plan.from_json(json.load(sys.stdin))
cluster = Cluster.objects.get(pk=int(sys.argv[1]))
run = run_store(cluster=cluster, plan=plan, params={}, confirmations={}, by=None)
print(run.pk)
"""


def start(panel: Panel, cluster: int, plan: dict[str, Any]) -> str:
    """Store the run and hand it to a worker, exactly as an accepted plan is; its id."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(cluster)],
        cwd=ROOT,
        env={**panel.settings_env, "DJANGO_SETTINGS_MODULE": "clusterpanel.settings"},
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()

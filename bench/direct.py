"""Runs of a plan made for the bench, put straight into the panel's books.

The panel's own services refuse a plan that no planner made, and should. The worker, the job
protocol, the journal and the proofs are the product's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from nodes.domain.peers import PeerSettings
from nodes.domain.text import say
from operations.domain.plan import Plan, Proof, Stage, Step
from tests.e2e.panel import ROOT, Panel

PROGRAM = """
import json, sys, django
django.setup()
from django.contrib.auth import get_user_model
from django.db import transaction
from nodes.models import Cluster
from operations import services
from operations.domain.plan import Plan
plan = Plan.from_json(json.load(sys.stdin))
cluster = Cluster.objects.get(pk=int(sys.argv[1]))
with transaction.atomic():
    run = services._create(cluster, plan, {}, {}, get_user_model().objects.get())
    transaction.on_commit(lambda: services._enqueue(run))
print(run.pk)
"""
ENV = "/var/www/html/dpiui2/backend/.env"


Command = tuple[str, tuple[str, ...]]  # a host and what runs there


def plan(hosts: Sequence[str], commands: Sequence[Command]) -> dict[str, Any]:
    """One step for each command, proven as the steps of apply_settings are: `.env` is re-read."""
    lines = PeerSettings(tuple(hosts), tuple(hosts), hosts[0]).as_env().items()
    keys = tuple(f"{key}={value}" for key, value in lines)
    made = tuple(
        Step(f"bench-{place}", host, say("Bench"), argv, Proof("env_equals", (host, ENV, *keys)))
        for place, (host, argv) in enumerate(commands)
    )
    stage = Stage("bench", say("Bench"), say("Bench"), made)
    return Plan("apply_settings", say("Bench"), 1, (stage,)).to_json()


def start(panel: Panel, cluster: int, plan: dict[str, Any]) -> str:
    """Store the run and hand it to the workers, as an accepted plan is; its id."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(cluster)],
        cwd=ROOT,
        env={**panel.env, "DJANGO_SETTINGS_MODULE": "clusterpanel.settings"},
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()

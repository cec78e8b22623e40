"""What the servers themselves say about a run, asked past the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chaos.plan import FOLDER, STARTED, Effect
from chaos.sites import Site
from chaos.truth import OnNode
from operations.domain.plan import RUN_TOKEN, Plan
from operations.runtime.jobs import ROOT, Job

# $1 run, $2 file of the starts, $3 folder of jobs, $4 name of the job, $5 how the name of any job of the
# step begins, $6 and $7 the effect. One line: started, directories, exit code, sha256 of the log,
# effect, processes. The mark of the run's processes must not stand in this script's own command line.
SAY = r"""
run=$1 starts=$2 jobs=$3 dir=$3/$4 step=$5 file=$6 line=$7
started=$(grep -c -- "^$step" "$starts" 2> /dev/null)
set -- "$jobs/$step"*
folders=0
for each in "$@"; do [ ! -d "$each" ] || folders=$((folders + 1)); done
rc=- log=- effect=no
if [ -e "$dir/rc" ]; then read -r rc < "$dir/rc"; fi
if [ -e "$dir/log" ]; then log=$(sha256sum < "$dir/log" | cut -d ' ' -f 1); fi
if grep -q -a -x -F -- "$line" "$file" 2> /dev/null; then effect=yes; fi
marked=$(grep -l -a -z -x -F "CLUSTERPANEL_RUN=$run" /proc/[0-9]*/environ 2> /dev/null | wc -l)
named=$(cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\000' '\n' | grep -c -x "[c]haos:$run")
echo "${started:-0} $folders ${rc:--} $log $effect $((marked + named))"
"""

# $1: the run. What its jobs wrote, which nobody needs any more; not the file of the starts.
CLEAN = f'rm -f -- {FOLDER}/"$1"-*'


def said(site: Site, run: str, plan: Plan, effects: Mapping[str, Effect]) -> list[OnNode]:
    """One answer for each step, in plan order."""
    found = []
    for step in plan.steps:
        job = Job(run, step.key, step.node, 1, step.argv)
        effect = effects[step.key]
        words = (run, STARTED, f"{ROOT}/jobs", job.name, f"{run}-{step.key}-")
        path = effect.path.replace(RUN_TOKEN, run)
        found.append(_answer(site.ask(step.node, SAY, *words, path, effect.line).split()))
    return found


def _answer(words: Sequence[str]) -> OnNode:
    started, folders, rc, log, effect, processes = words
    return OnNode(
        int(started),
        int(folders),
        int(rc) if rc.isdigit() else None,
        log if log != "-" else None,
        effect == "yes",
        int(processes),
    )


def clean(site: Site, run: str) -> None:
    for host in site.hosts:
        site.ask(host, CLEAN, run)

"""The plans that chaos runs: a real step and two that talk, on three nodes, each with a real proof.

Every job first writes its own name into a file on its node: that file, not the panel, says how
often it was started. What a step prints, how long it takes and whether it fails come from the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from nodes.domain.peers import PeerSettings
from nodes.domain.text import say
from nodes.env_file_script import WRITE
from operations.domain.plan import RUN_TOKEN, Plan, Proof, Stage, Step

ENV = "/var/www/html/dpiui2/backend/.env"
FOLDER = "/var/lib/clusterpanel/chaos"
STARTED = f"{FOLDER}/started"
LAST = "-- Dump completed"  # what the proof of a dump wants to read
LINES, PAUSE_S = 50, 0.03
MARK = f"chaos:{RUN_TOKEN}"  # in the command line of everything that a job starts; see consoles.py

# $1: the folder. The rest is the step's own command, with its own input.
COUNTED = 'mkdir -p "$1" && echo "$CLUSTERPANEL_JOB" >> "$1/started" && shift && exec "$@"'

# $1 lines, $2 seconds between them, $3 the file that is its effect, $4 "yes" if it is written, $5 the
# exit code, $6 a mark. Two children stay while it works: one that will not hear TERM, one in a
# session of its own.
TALK = r"""
lines=$1 pause=$2 effect=$3 written=$4 code=$5 mark=$6
over=$effect.over
stay='while [ ! -e "$1" ] && [ "$i" -lt 600 ]; do i=$((i + 1)); sleep 0.1; done'
sh -c "trap '' TERM; i=0; $stay" "$mark" "$over" > /dev/null 2>&1 &
setsid sh -c "i=0; $stay" "$mark" "$over" > /dev/null 2>&1 &
i=0
while [ "$i" -lt "$lines" ]; do
    i=$((i + 1))
    echo "line $i of $CLUSTERPANEL_JOB"
    case $((i % 10)) in
        3) echo "to the other stream $i" >&2 ;;
        5) printf 'not utf-8 \377\376, coloured \033[31mred\033[0m, nul \000 %s\n' "$i" ;;
        7) seq 1 60 ;;
        9) printf 'this line is finished later ' ;;
    esac
    sleep "$pause"
done
[ "$written" != yes ] || {
    { head -c 4000000 /dev/zero && echo && echo '-- Dump completed'; } > "$effect.part" &&
        mv "$effect.part" "$effect" || exit 9
}
: > "$over"
printf 'the end, without a newline'
exit "$code"
"""


@dataclass(frozen=True)
class Effect:
    """How to see on the node that a step had its effect: this line stands in that file."""

    path: str
    line: str


@dataclass(frozen=True)
class Chosen:
    """A plan, and by step the effect to look for."""

    plan: Plan
    effects: dict[str, Effect]


def choose(hosts: Sequence[str], rng: Random) -> Chosen:
    """One step fails in about one plan of five, by its exit code or by an effect that is not there."""
    first, second, third = hosts
    steps = [
        _settings(hosts, first),
        _talking("talk-1", second, rng, LINES),
        _talking("talk-2", third, rng, LINES // 3),
    ]
    stages = tuple(
        Stage(step.key, say("Chaos"), say("Chaos"), (replace(step, argv=_counted(step.argv)),))
        for step, _ in steps
    )
    plan = Plan("apply_settings", say("Chaos"), 1, stages)
    return Chosen(plan, {step.key: effect for step, effect in steps})


def _counted(argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("sh", "-c", COUNTED, "sh", FOLDER, *argv)


def _settings(hosts: Sequence[str], host: str) -> tuple[Step, Effect]:
    """As apply_settings has it; its input comes from the node's own `.env`."""
    wanted = PeerSettings(tuple(hosts), tuple(hosts), hosts[0]).as_env()
    lines = tuple(f"{key}={value}" for key, value in wanted.items())
    argv = ("sh", "-c", WRITE, "clusterpanel", ENV, *lines)
    proof = Proof("env_equals", (host, ENV, *lines))
    step = Step("settings", host, say("Chaos"), argv, proof, stdin="env_file", proof_timeout_s=10)
    return step, Effect(ENV, lines[-1])


def _talking(key: str, host: str, rng: Random, lines: int) -> tuple[Step, Effect]:
    path = f"{FOLDER}/{RUN_TOKEN}-{key}"
    code, written = rng.choices([("0", "yes"), ("3", "yes"), ("0", "no")], [18, 1, 1])[0]
    words = (str(lines), str(PAUSE_S), path, written, code, MARK)
    step = Step(
        key,
        host,
        say("Chaos"),
        ("sh", "-c", TALK, "talk", *words),
        Proof("dump_readable", (host, path)),
        proof_timeout_s=10 if written == "yes" else 1,
        records="backup:database",
    )
    return step, Effect(path, LAST)

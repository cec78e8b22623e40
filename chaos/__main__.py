"""Carry out the campaigns, print the tables, write them into docs/reliability.md; see `make help`."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from bench.lab import Lab
from chaos import report, tables
from chaos.campaign import Campaign, Outcome, carry_out
from chaos.task import CANCEL, MACHINE, POINTS, VICTIMS

SIMULATED = "simulated servers"
NAMES = ("one", "doubled", "machines", "cancel", "lab", "lab-cancel")


def campaigns(count: int, cancels: int, lab: int, lanes: int) -> dict[str, Campaign]:
    """By name; the share of `make test` is made of the same."""
    both = (MACHINE, *VICTIMS)
    doubled = "simulated, every task delivered twice"
    two = "simulated, 4 workers on 2 machines"
    return {
        "one": Campaign("one", SIMULATED, count, VICTIMS, POINTS, lanes=lanes),
        "doubled": Campaign("doubled", doubled, count, VICTIMS, POINTS, lanes=lanes, doubled=True),
        "machines": Campaign("machines", two, count, both, POINTS, lanes=lanes, machines=2),
        "cancel": Campaign("cancel", SIMULATED, cancels, (CANCEL,), POINTS, lanes=lanes),
        "lab": Campaign("lab", "lab servers", lab, VICTIMS, POINTS, lab=True),
        "lab-cancel": Campaign("lab-cancel", "lab servers", lab, (CANCEL,), POINTS, lab=True),
    }


def say(text: str) -> None:
    print(text, flush=True)


def main(argv: Sequence[str]) -> int:
    options = _options(argv)
    say(f"seed {options.seed}: python -m chaos --seed {options.seed} repeats this")
    all_of_them = campaigns(options.count, options.cancels, options.lab, options.lanes)
    chosen = [all_of_them[name] for name in options.only if all_of_them[name].count]
    outcomes = _carry_out(chosen, options.seed)
    for _, head, rows in _tables(outcomes):
        say("\n" + report.plain(head, rows))
    failures = [*tables.untrue(outcomes), *tables.late(outcomes)]
    if options.write:
        _write(outcomes, options.seed)
    say("\n".join(["", *failures]) if failures else "\nEvery claim holds.")
    return 1 if failures else 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="kills on each kind of simulation")
    parser.add_argument(
        "--cancels", type=int, default=100, help="cancelled runs on simulated servers"
    )
    parser.add_argument(
        "--lab", type=int, default=10, help="kills, and cancels, on lab servers; 0: no lab"
    )
    parser.add_argument("--seed", default=secrets.token_hex(4), help="any text")
    parser.add_argument(
        "--lanes", type=int, default=max(2, os.cpu_count() or 1), help="panels at once"
    )
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, help="some of the campaigns"
    )
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    return parser.parse_args(argv)


def _carry_out(chosen: Sequence[Campaign], seed: str) -> list[Outcome]:
    with ExitStack() as stack:
        status: Mapping[str, Any] | None = None
        outcomes = []
        for campaign in chosen:
            say(f"\n{campaign.name}: {campaign.count} runs, {campaign.where}")
            if campaign.lab and status is None:
                status = stack.enter_context(Lab.up(f"chaos{os.getpid()}")).status
            outcomes.append(carry_out(campaign, seed, say, status if campaign.lab else None))
        return outcomes


def _tables(outcomes: Sequence[Outcome]) -> list[tuple[str, report.Row, list[report.Row]]]:
    """Name in the document, head and rows; without those that these campaigns say nothing about."""
    found = [
        ("kills", tables.HEAD, tables.kills(outcomes)),
        ("attached-again", tables.AGAIN_HEAD, tables.again(outcomes)),
        ("cancels", tables.CANCEL_HEAD, tables.cancels(outcomes)),
    ]
    return [table for table in found if table[2]]


def _write(outcomes: Sequence[Outcome], seed: str) -> None:
    for name, head, rows in _tables(outcomes):
        content = f"{report.markdown(head, rows)}\n\nSeed {seed}; {report.measured_on()}."
        report.replace_table(report.RELIABILITY, name, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

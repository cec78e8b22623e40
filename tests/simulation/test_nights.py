"""However a cluster fell, its recovery loses nothing that was committed, or says so first.

`make test` plays the same 1,500 nights each time. Tens of thousands, other ones at each start:

    HISTORIES=20000 .venv/bin/python -m pytest -q -s tests/simulation/test_nights.py

A night is a cluster to which anything happens: writes, crashes and stops in any order, half starts,
forced flags, wiped disks, servers that the panel cannot reach. Then it is recovered as a person would
do it with the panel, who accepts a loss now and then, and is interrupted now and then.

What no number can show is left out and counted: a node that somebody forced to go on although it
lacked what others have gives the same numbers to other transactions ("forked").
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from nodes.simulation import events
from nodes.simulation.world import REAL, Disk, World
from operations.domain.recovery import decide
from operations.domain.recovery_choice import Choice, Doubt
from operations.domain.recovery_evidence import Life
from tests.simulation.clusters import HOSTS, MARIADB, galera
from tests.simulation.nights import (
    LONG,
    Panel,
    carry_out,
    happen,
    life_of,
    position_of,
    primaries,
    rows,
    survey,
)

HISTORIES = int(os.environ.get("HISTORIES", "0"))
READY = happen(galera(pace=REAL), events.Pass(60))


class Night:
    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world, self.panel = READY, Panel()
        self.forked = False
        self.accepted: list[str] = []
        self.given_up = False  # a loss was accepted and carried out: that is a fork as well
        self.by_hand = False  # somebody started a server that the others cannot hear
        self.told: Counter[str] = Counter()

    # What happens

    def fall(self) -> None:
        for _ in range(self.dice.randrange(4, 22)):
            host, other = self.dice.sample(HOSTS, 2)
            before = self.world
            self.dice.choice(self.ACCIDENTS)(self, host, other)
            for marked in (node.host for node in before.nodes.values() if node.new_cluster):
                self.look_for_a_fork(before, marked)  # its start was a bootstrap
            if self.dice.random() < 0.4:
                self.panel.look(self.world)
        if self.dice.random() < 0.6:
            self.happen(*[self.dice.choice(self.ENDS)(host) for host in HOSTS])
        if self.dice.random() < 0.7:
            self.happen(events.Pass(LONG))

    def happen(self, *what: events.Event) -> None:
        self.world = happen(self.world, *what)

    def write(self, host: str, other: str) -> None:
        self.happen(*[events.Write(host)] * self.dice.randrange(1, 4))

    def kill(self, host: str, other: str) -> None:
        self.happen(events.KillDatabase(host, restarts=self.dice.random() < 0.3))

    def stop(self, host: str, other: str) -> None:
        self.happen(events.StopUnit(host, MARIADB))

    def start(self, host: str, other: str) -> None:
        self.happen(events.ResetFailed(host, MARIADB), events.StartUnit(host, MARIADB))

    def wait(self, host: str, other: str) -> None:
        self.happen(events.Pass(self.dice.choice([0.5, 6.0, 40.0])))

    def cut(self, host: str, other: str) -> None:
        self.happen(events.Partition(host))

    def mend(self, host: str, other: str) -> None:
        self.happen(events.Rejoin(host), events.PowerOn(host))

    def power(self, host: str, other: str) -> None:
        cut = self.dice.random() < 0.5
        self.happen(events.PowerCut(host) if cut else events.PowerOff(host))

    def wipe(self, host: str, other: str) -> None:
        """The data directory is gone; only of one that does not run."""
        node = self.world.nodes[host]
        if node.server is None and self.dice.random() < 0.4:
            disk = Disk(wsrep_on=True, peers=node.disk.peers)
            self.world = self.world.put(replace(node, disk=disk))

    def forget_file(self, host: str, other: str) -> None:
        if self.world.nodes[host].server is None and self.dice.random() < 0.3:
            self.happen(events.EditGrastate(host, None))

    def mark(self, host: str, other: str) -> None:
        if self.dice.random() < 0.3:
            self.happen(events.MarkNewCluster(host))

    def force(self, host: str, other: str) -> None:
        """A flag written by hand and a bootstrap, or pc.bootstrap."""
        before, state = self.world, self.world.nodes[host].disk.grastate
        if self.dice.random() < 0.5:
            self.happen(events.ForcePrimary(host))
        elif self.world.nodes[host].server is None:
            flagged = replace(state, safe_to_bootstrap=True) if state else None
            self.happen(events.EditGrastate(host, flagged), events.ResetFailed(host, MARIADB))
            self.happen(events.NewCluster(host))  # without a file: another history begins
        self.look_for_a_fork(before, host)

    def look_for_a_fork(self, before: World, host: str) -> None:
        """Somebody went on by force without what others of the same history have, or beside them."""
        if host not in primaries(self.world) or host in primaries(before):
            return
        uuid = self.world.nodes[host].disk.position.uuid
        own, at = rows(self.world.nodes[host], uuid), before.nodes[host].disk.position
        for node in before.nodes.values():
            # A view takes a number as well: who is ahead without a row forks the numbers, too.
            ahead = node.disk.position.uuid == uuid and node.disk.position.seqno > at.seqno
            more = ahead or not rows(node, uuid) <= own
            beside = node.host != host and node.server and node.disk.position.uuid == uuid
            self.forked |= more or bool(beside)

    ACCIDENTS = (
        *(write,) * 6,
        *(kill,) * 3,
        *(stop,) * 3,
        *(start,) * 4,
        *(wait,) * 4,
        cut,
        *(mend,) * 2,
        power,
        *(wipe,) * 2,
        forget_file,
        mark,
        *(force,) * 2,
    )
    ENDS: tuple[Callable[[str], events.Event], ...] = (
        events.PowerCut,
        events.PowerOff,
        events.KillDatabase,
        lambda host: events.StopUnit(host, MARIADB),
        lambda host: events.Pass(1.0),
    )

    # What is done about it

    def recover(self) -> None:
        if self.dice.random() < 0.8:
            self.happen(*(events.PowerOn(host) for host in HOSTS))
            self.happen(*(events.Rejoin(host) for host in HOSTS), events.Pass(LONG))
        if self.dice.random() < 0.25:
            self.panel.silent = frozenset({self.dice.choice(HOSTS)})
        self.look_for_marks()
        for _ in range(12):
            answer = decide(self.panel.evidence(self.world), self.accepted)
            if isinstance(answer, Choice):
                self.told[answer.kind] += 1
                self.do(answer)
            else:
                self.told[f"no: {answer.code}"] += 1
                if not self.go_on(answer):
                    return

    def look_for_marks(self) -> None:
        """A marker that was left made a server bootstrap at its start: a person's fork as well."""
        alive = [node.disk.position.uuid for node in primaries(self.world).values()]
        for host in primaries(self.world):
            uuid = self.world.nodes[host].disk.position.uuid
            others = [rows(n, uuid) for n in self.world.nodes.values()]
            self.forked |= any(not r <= rows(self.world.nodes[host], uuid) for r in others)
        self.forked |= len(alive) != len(set(alive)) and len(self.components()) > 1

    def components(self) -> set[object]:
        return {node.server.view for node in primaries(self.world).values() if node.server}

    def go_on(self, doubt: Doubt) -> bool:
        """What a person does about a refusal; False: he gives up for tonight."""
        match doubt.code:
            case "positions_unknown":
                self.world = survey(self.world, self.panel)
                return True
            case "stop_first":
                self.world = survey(self.world, self.panel, everything=True)
                return True
            case "joining":
                self.happen(events.Pass(LONG))
                return True
            case "node_unknown" if self.dice.random() < 0.5:
                self.panel.silent = frozenset()
                self.happen(*(events.PowerOn(host) for host in HOSTS), events.Pass(LONG))
                return True
        if not doubt.accept or self.dice.random() < 0.3:
            return False
        self.accepted.append(self.dice.choice(doubt.accept).token)
        return True

    def do(self, choice: Choice) -> None:
        self.the_choice_is_right(choice)
        held, before = self.held(), len(self.components())
        for world in carry_out(self.world, choice):
            self.world = world
            if not self.accepted and not self.by_hand:
                # A second one that the panel cannot see may have been there before.
                assert len(self.components()) <= max(1, before), "one more Primary component"
            if self.dice.random() < 0.15:
                self.happen(events.KillDatabase(self.dice.choice(HOSTS)))
                break  # the worker died, or the person left; what there is now is looked at anew
            if self.dice.random() < 0.1:
                self.happen(events.PowerCut(self.dice.choice(HOSTS)))
                break
            if self.dice.random() < 0.1:
                self.start(self.dice.choice(HOSTS), "")  # by hand, in the middle
                self.by_hand |= bool(self.world.cut)
        self.happen(events.Pass(LONG))
        self.nothing_is_lost(held)
        self.given_up |= bool(choice.accepted)

    # What must hold

    def the_choice_is_right(self, choice: Choice) -> None:
        lives = {h: life_of(n, self.panel.silent) for h, n in self.world.nodes.items()}
        silent = {host for host, life in lives.items() if life is Life.SILENT}
        accepted = {each.token for each in choice.accepted}
        if choice.kind != "join":
            assert {f"silent:{host}" for host in silent} <= accepted, "unknown is not absent"
            assert silent or not primaries(self.world), "a bootstrap beside a Primary"
        if choice.kind == "bootstrap":
            running = [h for h in lives if h not in silent and self.world.nodes[h].server]
            assert not running, "a bootstrap while another server runs"
        if choice.host:
            self.nobody_has_more(choice, silent, accepted)

    def nobody_has_more(self, choice: Choice, silent: set[str], accepted: set[str]) -> None:
        """By number always; row by row where numbers do not lie."""
        chosen = self.world.nodes[choice.host]
        uuid, top = chosen.disk.position.uuid, chosen.disk.position.seqno
        for host, node in self.world.nodes.items():
            if host in silent or any(token.startswith(f"ahead:{host}:") for token in accepted):
                continue
            at = position_of(node)
            assert at.uuid != uuid or at.seqno <= top, f"{host} has more"
            apart = self.forked or self.given_up
            assert apart or rows(node, uuid) <= rows(chosen, uuid), f"{host} has other rows"
        for host, seen in self.panel.seen.items():
            known = seen.position.uuid != uuid or seen.position.seqno <= top
            named = f"seen:{host}:{seen.position}" in accepted
            assert choice.kind == "join" or known or named, f"{host} was seen further"

    def held(self) -> frozenset[object]:
        """Committed rows that lie anywhere now, past the panel."""
        return frozenset(
            row for n in self.world.nodes.values() for row in n.disk.rows & self.world.committed
        )

    def nothing_is_lost(self, held: frozenset[object]) -> None:
        """What was committed and still lay somewhere still does, and a living cluster has it."""
        if self.forked or self.accepted:
            return
        assert held <= self.held(), "a committed row is gone and nobody accepted that"
        silent = [
            h for h, n in self.world.nodes.items() if life_of(n, self.panel.silent) is Life.SILENT
        ]
        for node in primaries(self.world).values():
            uuid = node.disk.position.uuid
            apart = {r for h in silent for r in self.world.nodes[h].disk.rows}
            assert {r for r in held if r.uuid == uuid} - apart <= node.disk.rows  # type: ignore[attr-defined]


def test_no_night_loses_what_nobody_gave_up() -> None:
    told: Counter[str] = Counter()
    begin = random.randrange(10**9) if HISTORIES else 0
    for seed in range(begin, begin + (HISTORIES or 1500)):
        night = Night(seed)
        try:
            night.fall()
            night.recover()
        except AssertionError as error:
            raise AssertionError(
                f"night {seed}, {dict(night.told)}, {night.accepted}: {error}"
            ) from error
        told += night.told
        told["forked"] += night.forked
        told["came back"] += bool(primaries(night.world))
    print(dict(told.most_common()))
    for kind in ("together", "bootstrap", "force_primary", "join"):
        assert told[kind] > (HISTORIES or 1500) / 100, f"the nights hardly ever need {kind}: {told}"

"""How members work: ready, refusing, held back, giving or receiving data."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import command, look, wait
from nodes.domain.rates import paused_fraction, transfers
from nodes.domain.text import Text, say
from nodes.domain.verdict import Finding, Progress
from nodes.domain.view import DONOR, JOINED, JOINING, Member, View

PAUSED_LIMIT = 0.05  # part of a minute; the manual of Galera says "close to 0.0"
DONOR_QUEUE_LIMIT = 100


def not_ready(view: View) -> Iterator[Finding]:
    for node in view.primary:
        moving = node.local_state in (JOINING, DONOR, JOINED)
        if node.synced or moving:
            continue
        yield Finding(
            f"not_ready:{node.host}",
            "warning",
            "degraded",
            say(
                "%(host)s is in the cluster but not ready: %(state)s.",
                host=node.host,
                state=node.comment or "?",
            ),
            say("Users who work on this server get errors."),
            look(say("Look at %(host)s: `journalctl -u mariadb -n 50`", host=node.host), node.host),
            node.host,
        )


def refusing(view: View) -> Iterator[Finding]:
    """Synced, and yet set to refuse."""
    for node in view.primary:
        rejects = node.raw("wsrep_reject_queries") not in ("", "NONE")
        if not rejects and node.raw("read_only") != "ON":
            continue
        name = "wsrep_reject_queries" if rejects else "read_only"
        value = "NONE" if rejects else "OFF"
        yield Finding(
            f"refusing:{node.host}",
            "warning",
            "degraded",
            say("The database of %(host)s is set to refuse (%(name)s).", host=node.host, name=name),
            say("Users who work on this server cannot save anything."),
            command(
                f"mariadb -e 'SET GLOBAL {name}={value}'",
                node.host,
                say("Find out who set it and why; then take it back."),
            ),
            node.host,
        )


def flow_control(view: View) -> Iterator[Finding]:
    held = {node.host: _held(view, node) for node in view.primary}
    worst = max(held, key=lambda host: held[host], default="")
    if not worst or not held[worst]:
        return
    slow = max(view.primary, key=_queue)
    yield Finding(
        "flow_control",
        "warning",
        "flow_controlled",
        say(
            "Writes are held back: the database was paused for %(percent)s %% of the last minute.",
            percent=round(100 * held[worst]),
        ),
        say("A server that applies changes too slowly makes all others wait for it."),
        look(
            say(
                "Look at the load and the disk of %(host)s: its queue is the longest (%(queue)s).",
                host=slow.host,
                queue=round(_queue(slow)),
            ),
            slow.host,
        ),
        slow.host,
    )


def _held(view: View, node: Member) -> float:
    """Part of a minute that this server was paused; 0 when it is below the limit or unknown."""
    fraction = paused_fraction(view.samples(node.host)) or 0.0
    return fraction if fraction > PAUSED_LIMIT else 0.0


def donor_behind(view: View) -> Iterator[Finding]:
    for node in view.primary:
        if node.local_state != DONOR or _queue(node) <= DONOR_QUEUE_LIMIT:
            continue
        yield Finding(
            f"donor_behind:{node.host}",
            "warning",
            "flow_controlled",
            say(
                "%(host)s gives its data away and lags: %(queue)s changes wait in its queue.",
                host=node.host,
                queue=round(_queue(node)),
            ),
            say("When its queue is full, all servers wait for it."),
            wait(
                say(
                    "Wait until the transfer is over, or let fewer users work on %(host)s.",
                    host=node.host,
                )
            ),
            node.host,
        )


def _queue(node: Member) -> float:
    """Changes that wait to be applied; 0 when the server does not say a number."""
    told = node.raw("wsrep_local_recv_queue")
    return float(told) if told.isdecimal() else 0.0


def transferring(view: View) -> Iterator[Finding]:
    """Donor, joiner and catching up are no errors, but nothing may be restarted."""
    moving = [node for node in view.galera if node.local_state in (JOINING, DONOR, JOINED)]
    if not view.primary or not moving:
        return
    by_hand = [n for n in moving if n.local_state == DONOR and n.raw("wsrep_desync") == "ON"]
    if by_hand:
        yield _desynced(by_hand[0])
        return
    under_way = transfers(view)
    yield Finding(
        "transfer",
        "notice",
        "busy",
        transfer_words(moving[0], under_way[0] if under_way else None),
        say("With rsync the donor answers no writes until the transfer is over."),
        wait(say("Wait; restart nothing until it is over.")),
        moving[0].host,
    )


def transfer_words(first: Member, progress: Progress | None) -> Text:
    if progress is None:
        return say(
            "%(host)s is %(state)s; data is being transferred.",
            host=first.host,
            state=first.comment or str(first.local_state),
        )
    if progress.percent is None:
        return say("%(host)s receives data from the others.", host=progress.joiner)
    if progress.remaining_s is None:
        return say(
            "%(host)s receives data: %(percent)s %%.",
            host=progress.joiner,
            percent=progress.percent,
        )
    return say(
        "%(host)s receives data: %(percent)s %%, about %(minutes)s min left.",
        host=progress.joiner,
        percent=progress.percent,
        minutes=max(1, round(progress.remaining_s / 60)),
    )


def _desynced(node: Member) -> Finding:
    return Finding(
        f"desync:{node.host}",
        "notice",
        "busy",
        say("%(host)s was set aside by hand (wsrep_desync is ON).", host=node.host),
        say("It does not hold the others back, and may lag behind them."),
        command(
            "mariadb -e 'SET GLOBAL wsrep_desync=OFF'",
            node.host,
            say("When the work on %(host)s is over, let it take part again.", host=node.host),
        ),
        node.host,
    )


RULES = (
    not_ready,
    refusing,
    flow_control,
    donor_behind,
    transferring,
)

"""What is wrong with the database cluster. Rules yield findings; none depends on another."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import changes_data, command, look, procedure, start_database, wait
from nodes.domain.observation import Grastate
from nodes.domain.quorum import galera_tolerates
from nodes.domain.rates import paused_fraction, transfers
from nodes.domain.text import Text, say
from nodes.domain.verdict import Action, Finding, Progress
from nodes.domain.view import DONOR, JOINED, JOINING, Member, View, listed

PAUSED_LIMIT = 0.05  # part of a minute; the manual of Galera says "close to 0.0"
DONOR_QUEUE_LIMIT = 100


def split_brain(view: View) -> Iterator[Finding]:
    groups = view.primary_groups()
    if len(groups) < 2:
        return
    told = " | ".join(listed(hosts) for hosts in groups)
    yield Finding(
        "split_brain",
        "critical",
        "split_brain",
        say("Two database clusters run at the same time: %(groups)s.", groups=told),
        say("Users write to both; what is written to one is missing in the other."),
        look(
            say(
                "Stop the application on all servers and compare the data before anything else;"
                " both sides may have accepted changes."
            )
        ),
    )


def not_installed(view: View) -> Iterator[Finding]:
    """Certain only when every server of the list said that it is no member."""
    if view.galera and all(node.standalone for node in view.galera):
        yield Finding(
            "not_installed",
            "warning",
            "not_installed",
            say("Galera is not installed: every server has a database of its own."),
            say("Nothing is replicated yet."),
            procedure("install_galera", say("Install the cluster.")),
        )


def full_stop(view: View) -> Iterator[Finding]:
    if not view.galera or not all(node.stopped for node in view.galera):
        return
    if all(node.standalone for node in view.galera):
        return
    yield Finding(
        "full_stop",
        "critical",
        "full_stop",
        say("The database is stopped on all servers."),
        say(
            "Nobody can work. The server with the newest data must be started first; another"
            " one would throw away what was written last."
        ),
        procedure(
            "recover_galera",
            say("Recover Galera: the server with the newest data is started first."),
        ),
    )


def without_majority(view: View) -> Iterator[Finding]:
    if view.primary or not view.without_quorum:
        return
    hosts = listed(node.host for node in view.without_quorum)
    yield Finding(
        "non_primary",
        "critical",
        "non_primary",
        say("The database runs on %(hosts)s without a majority and takes no writes.", hosts=hosts),
        say("More than half of the servers were lost at once, so Galera refuses to go on alone."),
        _majority_again(view),
    )


def _majority_again(view: View) -> Action:
    silent = [node.host for node in view.galera if not node.known and not node.starting]
    if silent:
        return look(say("Find out what is with %(hosts)s first.", hosts=listed(silent)), silent[0])
    stopped = [node for node in view.galera if node.stopped]
    text = say("Start the database on the other servers; they find each other by themselves.")
    if stopped:
        return start_database(stopped[0], text)
    return procedure(
        "recover_galera", say("Recover Galera: let the members form one cluster again.")
    )


def not_known(view: View) -> Iterator[Finding]:
    """Nobody is known to be Primary, and not everybody is known to be anything else."""
    known = all(node.known or node.starting for node in view.galera)
    if view.primary or view.without_quorum or known:
        return
    silent = next(node for node in view.galera if not node.known and not node.starting)
    yield Finding(
        "galera_unknown",
        "critical",
        "unknown",
        say("The state of the database is not known. %(why)s", why=silent.reason),
        say("Nothing may be started or recovered while a server may be running unseen."),
        look(silent.fix or say("Look at the servers that did not answer."), silent.host),
        silent.host,
    )


def starting(view: View) -> Iterator[Finding]:
    """Nobody is Primary yet, but somebody is on the way."""
    coming = [node.host for node in view.galera if node.starting]
    if view.primary or view.without_quorum or not coming:
        return
    yield Finding(
        "galera_starting",
        "critical",
        "recovering",
        say(
            "The database is starting on %(hosts)s; no server takes writes yet.",
            hosts=listed(coming),
        ),
        say("Users wait until a majority has found each other."),
        wait(say("Wait a minute; if nothing changes, recover Galera.")),
    )


def missing_members(view: View) -> Iterator[Finding]:
    """One finding for each server that the living cluster lacks."""
    if not view.primary:
        return
    if len(view.primary_groups()) > 1:
        return
    for node in view.galera:
        if node.starting:
            yield from _coming(view, node)
        elif not node.member:
            yield from (_unseen(view, node) if _only_unseen(view, node) else _missing(view, node))


def _only_unseen(view: View, node: Member) -> bool:
    """We do not reach it, but the others count it as one of them."""
    return not node.known and view.size == len(view.galera)


def _unseen(view: View, node: Member) -> Iterator[Finding]:
    yield Finding(
        f"unseen:{node.host}",
        "warning",
        "degraded",
        say(
            "%(why)s The other servers still count %(host)s as a member.",
            why=node.reason,
            host=node.host,
        ),
        say("Whether it is well is not known; the database itself goes on."),
        look(node.fix or say("Look at %(host)s.", host=node.host), node.host),
        node.host,
    )


def _coming(view: View, node: Member) -> Iterator[Finding]:
    """Busy when the others count it already: they wait for it with a transfer."""
    counted = view.size == len(view.galera)
    progress = next((p for p in transfers(view) if p.joiner == node.host), None)
    yield Finding(
        f"coming:{node.host}",
        "notice" if counted else "warning",
        "busy" if counted else "recovering",
        _transfer(node, progress) if progress else node.reason,
        say("With rsync the donor answers no writes until the transfer is over."),
        wait(say("Wait until %(host)s is Synced; restart nothing meanwhile.", host=node.host)),
        node.host,
    )


def _missing(view: View, node: Member) -> Iterator[Finding]:
    present = sum(other.member for other in view.galera)
    yield Finding(
        f"member_missing:{node.host}",
        "warning",
        "degraded",
        say(
            "%(present)s of %(expected)s servers are in the database cluster. %(why)s",
            present=present,
            expected=len(view.galera),
            why=node.reason,
        ),
        _reserve(view),
        _bring_back(view, node),
        node.host,
    )


def _reserve(view: View) -> Text:
    spare = galera_tolerates(view.size)
    if spare:
        return say("%(spare)s more server may crash before writes stop.", spare=spare)
    return say(
        "If one more server crashes, the database takes no writes. A clean stop is different."
    )


def _bring_back(view: View, node: Member) -> Action:
    if node.standalone:
        return procedure(
            "install_galera", say("Install Galera on %(host)s.", host=node.host), node.host
        )
    if node.stopped:
        return start_database(
            node, say("Start the database of %(host)s.", host=node.host), _against_start(view, node)
        )
    if node.without_quorum:
        text = say("Look at the network between %(host)s and the others.", host=node.host)
        return look(text, node.host)
    return look(node.fix or say("Look at %(host)s.", host=node.host), node.host)


def _against_start(view: View, node: Member) -> Text | None:
    """Why this server must not be started now; None: nothing stands against it."""
    if isinstance(node.node.bootstrap_marker, str) and node.node.bootstrap_marker:
        return say(
            "A plain start of %(host)s would begin a second cluster: a bootstrap marker is left"
            " there (%(marker)s).",
            host=node.host,
            marker=node.node.bootstrap_marker,
        )
    moving = [other.host for other in view.galera if other.starting or other.local_state == JOINING]
    if moving:
        return say(
            "%(host)s is still receiving data; start one server after another.", host=moving[0]
        )
    if _foreign(view, node):
        return changes_data(node.host)
    return None


def _foreign(view: View, node: Member) -> bool:
    """Its files belong to another history than the living cluster's."""
    grastate = node.node.grastate
    if not isinstance(grastate, Grastate) or not grastate.uuid.strip("0-"):
        return False
    return bool(view.primary) and grastate.uuid != view.primary[0].uuid


def other_history(view: View) -> Iterator[Finding]:
    """A stopped server whose data has another origin: joining replaces all of it."""
    if len(view.primary_groups()) != 1:
        return
    for node in view.galera:
        if node.stopped and _foreign(view, node):
            yield Finding(
                f"wrong_uuid:{node.host}",
                "critical",
                "degraded",
                say(
                    "The data of %(host)s belongs to another cluster (other UUID).", host=node.host
                ),
                say("When it joins, its whole database is replaced by that of the others."),
                look(
                    say(
                        "Find out what is in the database of %(host)s and back it up; then start"
                        " it.",
                        host=node.host,
                    ),
                    node.host,
                ),
                node.host,
            )


def size(view: View) -> Iterator[Finding]:
    others = [node for node in view.galera if not node.member]
    if not view.primary or others or view.size == len(view.galera):
        return
    yield Finding(
        "size",
        "warning",
        "degraded",
        say(
            "The database cluster has %(size)s members, the settings name %(expected)s.",
            size=view.size,
            expected=len(view.galera),
        ),
        say("Either a server left a moment ago, or one is in the cluster that nobody named."),
        look(say("Compare the settings with what runs.")),
    )


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
        _transfer(moving[0], under_way[0] if under_way else None),
        say("With rsync the donor answers no writes until the transfer is over."),
        wait(say("Wait; restart nothing until it is over.")),
        moving[0].host,
    )


def _transfer(first: Member, progress: Progress | None) -> Text:
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


def marker(view: View) -> Iterator[Finding]:
    """Something would make the next plain start begin a second cluster."""
    for node in view.galera:
        left = node.node.bootstrap_marker
        if not isinstance(left, str) or not left:
            continue
        paths = " ".join(word for word in left.split() if word.startswith("/"))
        undo = f"rm -f {paths}" if paths else "systemctl unset-environment _WSREP_NEW_CLUSTER"
        yield Finding(
            f"marker:{node.host}",
            "warning",
            "degraded",
            say("A bootstrap marker is left on %(host)s: %(marker)s.", host=node.host, marker=left),
            say("The next plain start of its database would begin a second cluster."),
            command(undo, node.host, say("Remove the marker on %(host)s.", host=node.host)),
            node.host,
        )


def socket_unit(view: View) -> Iterator[Finding]:
    for node in view.galera:
        if node.unit("mariadb.socket") == "active":
            yield Finding(
                f"socket:{node.host}",
                "notice",
                "healthy",
                say("mariadb.socket is active on %(host)s.", host=node.host),
                say("It can start a database that was stopped on purpose, and holds its port."),
                command(
                    "systemctl disable --now mariadb.socket",
                    node.host,
                    say("Switch mariadb.socket off on %(host)s.", host=node.host),
                ),
                node.host,
            )


RULES = (
    split_brain,
    not_installed,
    full_stop,
    without_majority,
    not_known,
    starting,
    other_history,
    missing_members,
    size,
    not_ready,
    refusing,
    flow_control,
    donor_behind,
    marker,
    transferring,
    socket_unit,
)

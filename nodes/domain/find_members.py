"""What is wrong with single members of the database cluster, or keeps a server from being one."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import changes_data, command, look, procedure, start_database, wait
from nodes.domain.find_work import transfer_words
from nodes.domain.observation import Grastate
from nodes.domain.quorum import galera_tolerates
from nodes.domain.rates import transfers
from nodes.domain.text import Text, say
from nodes.domain.verdict import Action, Finding
from nodes.domain.view import JOINING, Member, View


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
        transfer_words(node, progress) if progress else node.reason,
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
    if foreign(view, node):
        return changes_data(node.host)
    return None


def foreign(view: View, node: Member) -> bool:
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
        if node.stopped and foreign(view, node):
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
    other_history,
    missing_members,
    size,
    marker,
    socket_unit,
)

"""Whether there is a database cluster, and one only. Rules yield findings, each by itself."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import look, procedure, start_database, wait
from nodes.domain.text import say
from nodes.domain.verdict import Action, Finding
from nodes.domain.view import View, listed


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


RULES = (
    split_brain,
    not_installed,
    full_stop,
    without_majority,
    not_known,
    starting,
)

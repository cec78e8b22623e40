"""The same recovery as commands for a person who would rather type them, in the manual's own words."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.domain.text import Text, say
from operations.domain.recovery_choice import Choice, Doubt
from operations.domain.recovery_evidence import Evidence, Life

_STATE = "/var/lib/mysql/grastate.dat"


@dataclass(frozen=True)
class Command:
    """One line for one node, and what it is for."""

    node: str
    line: str
    why: Text


def by_hand(evidence: Evidence, answer: Choice | Doubt) -> tuple[Command, ...]:
    """For a doubt about positions: how to read them. For any other refusal: nothing."""
    if isinstance(answer, Choice):
        return (*_first(answer), *_others(answer))
    if answer.code != "positions_unknown":
        return ()
    unread = evidence.living(Life.STARTING, Life.STOPPED)
    stop = say("“Stop the database server on all nodes.”")
    read = say("The position of the data is printed behind wsrep_start_position.")
    return (
        *(Command(node.host, "systemctl stop mariadb", stop) for node in unread),
        *(Command(node.host, "galera_recovery", read) for node in unread),
    )


def _first(choice: Choice) -> tuple[Command, ...]:
    match choice.kind:
        case "bootstrap":
            flag = f"sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' {_STATE}"
            why = say("Galera refuses to begin with 0; this server holds the highest position.")
            begin = say("Begins the cluster. Never type it on a second server.")
            return (
                Command(choice.host, flag, why),
                Command(choice.host, "galera_new_cluster", begin),
                _proof(choice.host),
            )
        case "force_primary":
            line = "mariadb -e \"SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'\""
            return (
                Command(choice.host, line, say("Tells the running component to be Primary.")),
                _proof(choice.host),
            )
    return ()


def _proof(host: str) -> Command:
    line = "mariadb -e \"SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_cluster_size', 'wsrep_local_state_comment', 'wsrep_last_committed')\""
    return Command(host, line, say("Must say Primary and Synced before anything else is started."))


def _others(choice: Choice) -> tuple[Command, ...]:
    if choice.kind == "together":
        why = say("On all of them within a minute; they find each other.")
        return tuple(Command(host, "systemctl start mariadb", why) for host in choice.starts)
    why = say("One at a time: the next only when this one is Synced.")
    aside = say("So that it joins, and does not form its old component again.")
    return tuple(
        command
        for host in choice.starts
        for command in (
            Command(host, "mv -f /var/lib/mysql/gvwstate.dat /root/", aside),
            Command(host, "systemctl reset-failed mariadb; systemctl start mariadb", why),
        )
    )

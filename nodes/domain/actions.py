"""Next actions, built in one place so that the same thing is always said the same way."""

from __future__ import annotations

from nodes.domain.text import Text, say
from nodes.domain.verdict import Action
from nodes.domain.view import Member


def procedure(
    name: str, text: Text, node: str = "", *, by_hand: str = "", against: Text | None = None
) -> Action:
    """A procedure of the panel; `against` says why it must not be started now."""
    return Action(
        "procedure",
        text,
        procedure=name,
        command=by_hand,
        node=node,
        allowed=against is None,
        why=against,
    )


def start_storage(host: str, text: Text, by_hand: str, why: Text | None = None) -> Action:
    """glusterd, the bricks that are missing, and the mount: whatever of them does not run."""
    return Action(
        "procedure", text, "start_node", command=by_hand, node=host, why=why, service="glusterd"
    )


def command(line: str, node: str, text: Text, why: Text | None = None) -> Action:
    """Something to type as root on `node`."""
    return Action("command", text, command=line, node=node, why=why)


def look(text: Text, node: str = "", why: Text | None = None) -> Action:
    return Action("look", text, node=node, why=why)


def wait(text: Text) -> Action:
    return Action("wait", text)


def start_database(node: Member, text: Text, against: Text | None = None) -> Action:
    """A plain start; systemd refuses one after several failures until it is told to forget them."""
    line = "systemctl start mariadb"
    if node.unit("mariadb") == "failed":
        line = f"systemctl reset-failed mariadb && {line}"
    return procedure("start_node", text, node.host, by_hand=line, against=against)


def changes_data(host: str) -> Text:
    return say(
        "The data of %(host)s has another origin than the cluster's and would be replaced as a"
        " whole.",
        host=host,
    )

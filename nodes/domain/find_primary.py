"""Whom the servers take for the primary: two, none, a stranger, half of them another one, a dead one.

`CLUSTER_PRIMARY_HOST` has no lease: every server compares the value in its own `.env` with its own
address, and whoever finds himself does dpiui2's background work (manual, chapter "Master server").
At most one of the first four is told: they are one trouble, and one procedure ends it.
"""

from __future__ import annotations

from collections.abc import Iterator

from nodes.domain.actions import look, procedure
from nodes.domain.observation import NodeFacts, Unknown
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.text import Text, say
from nodes.domain.verdict import Action, Finding
from nodes.domain.view import Member, View, listed

CHANGE = "change_primary"
_IDLE = say("Nobody polls the equipment or synchronises subscribers.")


def is_server(node: NodeFacts, name: str) -> bool:
    """Whether a value of CLUSTER_PRIMARY_HOST means this server, however it names it."""
    own = {node.host.lower()}
    if not isinstance(node.addresses, Unknown):
        own |= {address.lower() for address in node.addresses}
    if not isinstance(node.hostname, Unknown):
        own.add(node.hostname.lower())
    return bool(name) and name.lower().removesuffix(".") in own


def named_by(node: NodeFacts) -> str | None:
    """Whom its `.env` names, "" nobody; None: that is not known."""
    if isinstance(node.env, Unknown) or not node.env.present:
        return None
    return node.env.keys.get(PRIMARY_KEY) or ""


def takes_itself(node: NodeFacts) -> bool:
    """It is known to read its own address, so it does the background work."""
    return is_server(node, named_by(node) or "")


def which(view: View) -> Iterator[Finding]:
    """Two, none, a stranger or half of them: the worst one only."""
    named = {n.host: name for n in view.nodes if (name := named_by(n)) is not None}
    own = [node.host for node in view.nodes if takes_itself(node)]
    strange = {h: name for h, name in named.items() if name and not _known(view, name)}
    if len(own) > 1:
        yield _two(view, own)
    elif all(member.standalone for member in view.galera):
        return  # not installed yet: the settings are simply not written
    elif strange:
        yield _stranger(view, strange)
    elif not own and len(named) == len(view.nodes):
        yield _none(view, named)
    elif others := {h: name for h, name in named.items() if not _wanted(view, name)}:
        yield _half(view, named, others)


def _known(view: View, name: str) -> bool:
    return any(is_server(node, name) for node in view.nodes)


def _wanted(view: View, name: str) -> bool:
    return is_server(view.node(view.settings.cluster_primary_host), name)


def _two(view: View, own: list[str]) -> Finding:
    return Finding(
        "two_primaries",
        "critical",
        "degraded",
        say("Two servers take themselves for the primary: %(hosts)s.", hosts=listed(own)),
        say("Each polls the equipment and synchronises subscribers: everything is done twice."),
        _change(view),
    )


def _stranger(view: View, strange: dict[str, str]) -> Finding:
    host, name = next(iter(strange.items()))
    return Finding(
        "primary_stranger",
        "warning",
        "degraded",
        say(
            "%(hosts)s: CLUSTER_PRIMARY_HOST=%(name)s, which is no server of this cluster.",
            hosts=listed(h for h, each in strange.items() if each == name),
            name=name,
        ),
        _IDLE if host == view.settings.cluster_primary_host else _misled(),
        _change(view),
        host if len(strange) == 1 else "",
    )


def _none(view: View, named: dict[str, str]) -> Finding:
    return Finding(
        "no_primary",
        "warning",
        "degraded",
        say("No server is the primary by its own settings: %(told)s.", told=_told(named)),
        _IDLE,
        _change(view),
    )


def _half(view: View, named: dict[str, str], others: dict[str, str]) -> Finding:
    wanted = view.settings.cluster_primary_host
    if len(others) == len(named):
        what = say(
            "The primary is to be %(wanted)s, but no server was told: %(told)s.",
            wanted=wanted,
            told=_told(named),
        )
    else:
        what = say(
            "The change of the primary to %(wanted)s is half written: %(told)s.",
            wanted=wanted,
            told=_told(named),
        )
    node = next(iter(others)) if len(others) == 1 else ""
    return Finding(
        "primary_half_written", "warning", "degraded", what, _misled(), _change(view), node
    )


def _misled() -> Text:
    return say(
        "Whoever restarts dpiui2 there now may start a second primary, or stop the only one."
    )


def _told(named: dict[str, str]) -> Text:
    """`n1 names n2, n2 names nobody`, as one sentence that can be translated."""
    told: Text | None = None
    for host, name in named.items():
        one = say("%(host)s names %(name)s", host=host, name=name or say("nobody"))
        told = one if told is None else say("%(first)s, %(next)s", first=told, next=one)
    assert told is not None  # nobody asks about no servers
    return told


def _change(view: View) -> Action:
    """The one action that ends it; before an installation the settings are written as a whole."""
    wanted = view.settings.cluster_primary_host
    if all(member.standalone for member in view.galera):
        text = say(
            "Write the settings to all servers: only %(host)s is to be the primary.", host=wanted
        )
        return procedure("apply_settings", text)
    able = [member.host for member in view.primary if member.synced]
    host = wanted if wanted in able or not able else able[0]
    text = say(
        "Make %(host)s the primary: the old one is written first, and every server is read again.",
        host=host,
    )
    return procedure(CHANGE, text, host)


def primary_down(view: View) -> Iterator[Finding]:
    """The cluster lives, but the server that does dpiui2's background work is not in it."""
    host = view.settings.cluster_primary_host
    primary = next((m for m in view.galera if m.host == host), None)
    if primary is None or primary.member or primary.starting or not view.primary:
        return
    if len(view.primary_groups()) > 1 or primary.standalone:
        return
    others = [m.host for m in view.primary if m.synced]
    yield Finding(
        "primary_down",
        "warning",
        "degraded",
        say("The primary %(host)s is not in the cluster. %(why)s", host=host, why=primary.reason),
        say(
            "Users work on the others, but nobody polls the equipment or synchronises subscribers."
        ),
        _primary_back(primary, others),
        host,
    )


def _primary_back(primary: Member, others: list[str]) -> Action:
    host = primary.host
    if not others:
        return look(say("Bring %(host)s back.", host=host), host)
    text = say("Bring %(host)s back, or make %(other)s the primary.", host=host, other=others[0])
    why = None
    if primary.node.ssh is not True:
        why = say(
            "Before another server becomes the primary, %(host)s must be certainly off: it would"
            " go on as a second primary.",
            host=host,
        )
    return Action("procedure", text, procedure=CHANGE, node=others[0], why=why)


RULES = (
    which,
    primary_down,
)

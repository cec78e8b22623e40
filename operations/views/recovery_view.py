"""The evidence as a table for the page: words for every cell, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext, ngettext

from nodes.domain.text import Text
from operations.domain.recovery_choice import Choice, Doubt, Fate
from operations.domain.recovery_evidence import Evidence, Found, Life, NodeEvidence


@dataclass(frozen=True)
class Row:
    """One node. `tone` and `life` its database now; `read_at` when the position was read."""

    node: NodeEvidence
    crowned: bool
    primary: bool
    tone: str
    life: str
    position: str
    uuid: str
    file: str
    flag: str
    view: str
    read_at: datetime | None
    seen: str
    seen_at: datetime | None
    fate: Text | None
    replaced: bool


def rows(evidence: Evidence, answer: Choice | Doubt) -> list[Row]:
    fates = {f.host: f for f in answer.fates} if isinstance(answer, Choice) else {}
    chosen = answer.host if isinstance(answer, Choice) else ""
    return [
        _row(node, node.host == chosen, node.host == evidence.primary, fates.get(node.host))
        for node in evidence.nodes
    ]


def _row(node: NodeEvidence, crowned: bool, primary: bool, fate: Fate | None) -> Row:
    tone, life = _life(node)
    return Row(
        node=node,
        crowned=crowned,
        primary=primary,
        tone=tone,
        life=life,
        position=_position(node),
        uuid=node.holds.uuid if node.holds else "",
        file=_file(node),
        flag=_flag(node),
        view=_view(node),
        read_at=_moment(node.read_at),
        seen=str(node.seen.position.seqno) if node.seen else "",
        seen_at=_moment(node.seen.at) if node.seen else None,
        fate=fate.what if fate else None,
        replaced=bool(fate and fate.replaced),
    )


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _life(node: NodeEvidence) -> tuple[str, str]:
    return {
        Life.SILENT: ("unknown", gettext("Unknown")),
        Life.STOPPED: ("waiting", gettext("Stopped")),
        Life.STARTING: ("working", gettext("Starting")),
        Life.NON_PRIMARY: ("attention", gettext("No majority")),
        Life.PRIMARY: ("ok", gettext("Primary")),
        Life.STANDALONE: ("attention", gettext("On its own")),
    }[node.life]


def _position(node: NodeEvidence) -> str:
    if node.holds:
        return str(node.holds.seqno)
    return {
        Found.READ: gettext("not read yet"),
        Found.NOTHING: gettext("nothing"),
        Found.NOT_READ: gettext("not read yet"),
        Found.FAILED: gettext("could not be read"),
        Found.PREPARED: gettext("prepared transactions"),
    }[node.found]


def _file(node: NodeEvidence) -> str:
    if node.grastate is None:
        return gettext("unknown")
    if not node.grastate.present:
        return gettext("no file")
    return "-1" if node.grastate.seqno is None else str(node.grastate.seqno)


def _flag(node: NodeEvidence) -> str:
    if node.grastate is None or not node.grastate.present:
        return "—"
    flags = {True: "1", False: "0", None: gettext("no line")}
    return flags[node.grastate.safe_to_bootstrap]


def _view(node: NodeEvidence) -> str:
    if node.last_view is None:
        return "—"
    if node.last_view.empty:
        return gettext("empty")
    members = len(node.last_view.members)
    count = ngettext("%(count)s member", "%(count)s members", members) % {"count": members}
    return f"{node.last_view.view.split()[-1]} ({count})"


def title(choice: Choice) -> str:
    """The page's answer in one line."""
    names = {
        "together": gettext("Start all servers together"),
        "bootstrap": gettext("Begin from %(host)s, then the others join it"),
        "force_primary": gettext("%(host)s goes on, then the others join it"),
        "join": gettext("Start the others: they join %(host)s"),
    }
    return names[choice.kind] % {"host": choice.host}


def tone(doubt: Doubt) -> str:
    if doubt.code in ("node_unknown", "positions_unknown"):
        return "unknown"
    return "ok" if doubt.code == "nothing_to_do" else "attention"

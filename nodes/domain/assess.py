"""What the observation means: one state, one sentence, one next action. Pure, total, never raises.

Rules look at everything and yield findings; the worst finding makes the state. A server that did
not answer is unknown, which is neither well nor down; an answer that is too old counts as none.
The order of servers in the observation changes nothing: everything goes by that of the settings.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from nodes.domain import (
    find_files,
    find_galera,
    find_gluster,
    find_members,
    find_node,
    find_primary,
    find_settings,
    find_work,
)
from nodes.domain.actions import look
from nodes.domain.observation import ClusterFacts, NodeFacts, Unknown
from nodes.domain.parse_node import unreachable
from nodes.domain.peers import PeerSettings
from nodes.domain.quorum import galera_tolerates, gluster_tolerates
from nodes.domain.rates import transfers
from nodes.domain.text import Text, say
from nodes.domain.verdict import Finding, Verdict
from nodes.domain.view import View

STALE_AFTER_S = 15.0
# Among findings of one rank the first is told: a primary that is away before its brick.
_RULES = (
    *find_primary.RULES,
    *find_galera.RULES,
    *find_members.RULES,
    *find_work.RULES,
    *find_gluster.RULES[:2],
    *find_files.RULES[:2],
    *find_gluster.RULES[2:],
    *find_files.RULES[2:],
    *find_node.RULES[:1],
    *find_settings.RULES,
    *find_node.RULES[1:],
)


def assess(
    settings: PeerSettings,
    facts: ClusterFacts | None,
    now: float,
    stale_after_s: float = STALE_AFTER_S,
) -> Verdict:
    """`now` in seconds since the epoch. The worst thing that is certain is said first."""
    if facts is None or not facts.nodes:
        return Verdict(
            "unknown", say("The servers were not asked yet."), look(say("Ask the servers now."))
        )
    view = View(settings, facts, now)
    age_s = max(0.0, now - view.oldest)
    newest = max(node.taken_at for node in view.nodes)
    if now - newest > stale_after_s:
        return replace(_stale(_judge(view), now - newest), age_s=age_s)
    present = fresh(facts, now, stale_after_s)
    return replace(_judge(View(settings, present, now)), age_s=age_s)


def fresh(facts: ClusterFacts, now: float, stale_after_s: float = STALE_AFTER_S) -> ClusterFacts:
    """What may be taken for the present: of a server that is silent for too long, nothing."""
    return replace(facts, nodes=tuple(_fresh(n, now, stale_after_s) for n in facts.nodes))


def _fresh(node: NodeFacts, now: float, stale_after_s: float) -> NodeFacts:
    """The facts, or none of them when they are too old while others' are not."""
    age_s = now - node.taken_at
    if age_s <= stale_after_s or node.ssh is not True:
        return node
    why = say(
        "%(host)s has not answered for %(seconds)s seconds.", host=node.host, seconds=round(age_s)
    )
    fix = say("Look whether the server is up and whether it is overloaded.")
    return unreachable(node.host, node.taken_at, Unknown(why, fix=fix, code="stale"))


def _stale(verdict: Verdict, age_s: float) -> Verdict:
    """What was true a while ago is still told, but as what it was."""
    sentence = say(
        "Nothing newer than %(seconds)s seconds is known. Then: %(sentence)s",
        seconds=round(age_s),
        sentence=verdict.sentence,
    )
    action = look(say("Ask the servers now; if that fails, look whether the panel's watcher runs."))
    return replace(verdict, state="unknown", sentence=sentence, action=action, stale=True)


def _judge(view: View) -> Verdict:
    if not view.reached:
        return _nobody_answered(view)
    found = [finding for rule in _RULES for finding in rule(view)]
    found.sort(key=attrgetter("rank"))
    spare = _galera_spare(view), gluster_tolerates(view.volumes or ())
    worst = found[0] if found else None
    if worst is None or worst.state == "healthy":
        state, sentence, action = "healthy", _healthy(view, spare), None
    else:
        state, sentence, action = worst.state, worst.what, worst.action
    return Verdict(state, sentence, action, *spare, tuple(found), transfers(view))


def _galera_spare(view: View) -> int | None:
    """Crashes that the database survives; 0 when it is certain that it is not at work now."""
    if view.primary:
        return 0 if len(view.primary_groups()) > 1 else galera_tolerates(view.size)
    if view.galera and all(m.standalone for m in view.galera):
        return None
    stands = view.without_quorum or (view.galera and all(m.stopped for m in view.galera))
    return 0 if stands else None


def _nobody_answered(view: View) -> Verdict:
    why = view.nodes[0].ssh if view.nodes else None
    sentence = say("No server can be reached. %(why)s", why=getattr(why, "why", ""))
    fix = getattr(why, "fix", None) or say("Look at the network of the panel and of the servers.")
    finding = Finding(
        "nobody_answers",
        "critical",
        "unknown",
        sentence,
        say("Nothing is known: neither that it is well nor that it is down."),
        look(fix),
    )
    return Verdict("unknown", sentence, finding.action, findings=(finding,))


def _healthy(view: View, spare: tuple[int | None, int | None]) -> Text:
    known = [n for n in spare if n is not None]
    return say(
        "All %(count)s servers are in step; %(spare)s of them may crash without harm.",
        count=len(view.nodes),
        spare=min(known, default=0),
    )

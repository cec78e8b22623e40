"""What the observation means: one state, one sentence, one next action. Total; never raises.

The states and their meaning are those of the operators' manuals of Galera and GlusterFS: a member
is well when it is Primary, Synced, ready and of the same UUID as the others; two servers that are
Primary in different groups are a split brain; a server that did not answer is unknown, which is
neither well nor down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nodes.domain import health_storage
from nodes.domain.health_view import View, listed
from nodes.domain.observation import ClusterFacts
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say

STALE_AFTER_S = 15.0
JOINING, DONOR, JOINED, SYNCED = 1, 2, 3, 4


@dataclass(frozen=True)
class Verdict:
    """`tolerates`: how many more servers may crash before writes stop; `age_s`: of the oldest
    answer. None: not known."""

    state: str  # unknown not_installed full_stop non_primary split_brain degraded busy healthy
    sentence: Text
    action: Text | None = None
    tolerates: int | None = None
    age_s: float | None = None


def assess(settings: PeerSettings, facts: ClusterFacts | None, now: float) -> Verdict:
    """`now` in seconds since the epoch. The worst thing that is certain is said first."""
    if facts is None or not facts.nodes:
        return Verdict(
            "unknown", say("The servers were not asked yet."), say("Ask the servers now.")
        )
    age_s = max(0.0, now - min(node.taken_at for node in facts.nodes))
    view = View(settings, facts)
    verdict = next(found for rule in _RULES if (found := rule(view)))
    dated = replace(verdict, age_s=age_s)
    return _stale(dated, age_s) if age_s > STALE_AFTER_S else dated


def _stale(verdict: Verdict, age_s: float) -> Verdict:
    """What was true a while ago is still told, but as what it was."""
    sentence = say(
        "%(seconds)s seconds ago: %(sentence)s",
        seconds=round(age_s),
        sentence=verdict.sentence,
    )
    return replace(verdict, sentence=sentence)


def tolerates(size: int) -> int:
    """Crashes that a Primary component of this size survives, at equal weights: a majority stays."""
    return max(0, (size - 1) // 2)


def _nobody_answered(view: View) -> Verdict | None:
    if view.reached:
        return None
    why = view.nodes[0].ssh
    sentence = say("No server can be reached. %(why)s", why=getattr(why, "why", ""))
    return Verdict("unknown", sentence, getattr(why, "fix", None))


def _split_brain(view: View) -> Verdict | None:
    groups = view.primary_groups()
    if len(groups) < 2:
        return None
    told = " | ".join(listed(hosts) for hosts in groups)
    return Verdict(
        "split_brain",
        say("Two database clusters run at the same time: %(groups)s.", groups=told),
        say(
            "Stop the application on all servers and compare the data before anything else;"
            " both sides may have accepted changes."
        ),
        tolerates=0,
    )


def _not_installed(view: View) -> Verdict | None:
    """Certain only when every server of the list said that it is no member."""
    if not all(node.standalone for node in view.galera):
        return None
    return Verdict(
        "not_installed",
        say("Galera is not installed: every server has a database of its own."),
        say("Install the cluster."),
    )


def _full_stop(view: View) -> Verdict | None:
    if not all(node.stopped for node in view.galera):
        return None
    return Verdict(
        "full_stop",
        say("The database is stopped on all servers."),
        say("Recover Galera: the server with the newest data is started first."),
        tolerates=0,
    )


def _non_primary(view: View) -> Verdict | None:
    if view.primary or not view.without_quorum:
        return None
    hosts = listed(node.host for node in view.without_quorum)
    silent = [node.host for node in view.galera if not node.known]
    action = (
        say("Find out what is with %(hosts)s first.", hosts=listed(silent))
        if silent
        else say("Start the database on the other servers; they find each other by themselves.")
    )
    return Verdict(
        "non_primary",
        say("The database runs on %(hosts)s without a majority and takes no writes.", hosts=hosts),
        action,
        tolerates=0,
    )


def _unknown_galera(view: View) -> Verdict | None:
    """Nobody is known to be Primary, and not everybody is known to be anything else."""
    if view.primary:
        return None
    silent = [node for node in view.galera if not node.known] or list(view.galera)
    return Verdict(
        "unknown",
        say(
            "The state of the database is not known. %(why)s",
            why=silent[0].reason,
        ),
        silent[0].fix or say("Look at the servers that did not answer."),
    )


def _missing_members(view: View) -> Verdict | None:
    others = [node for node in view.galera if not node.member]
    if not others:
        return None
    spare = tolerates(view.size)
    first = others[0]
    sentence = say(
        "%(present)s of %(expected)s servers are in the database cluster. %(why)s",
        present=len(view.galera) - len(others),
        expected=len(view.galera),
        why=first.reason,
    )
    return Verdict("degraded", sentence, first.fix or _start(first.host, first.stopped), spare)


def _start(host: str, stopped: bool) -> Text:
    if stopped:
        return say("Start %(host)s.", host=host)
    return say("Look at %(host)s.", host=host)


def _size(view: View) -> Verdict | None:
    if view.size == len(view.galera):
        return None
    sentence = say(
        "The database cluster has %(size)s members, the settings name %(expected)s.",
        size=view.size,
        expected=len(view.galera),
    )
    action = say("Compare the settings with what runs.")
    return Verdict("degraded", sentence, action, tolerates(view.size))


def _busy(view: View) -> Verdict | None:
    moving = [node for node in view.galera if node.local_state in (JOINING, DONOR, JOINED)]
    if not moving:
        return None
    sentence = say(
        "%(host)s is %(state)s; data is being transferred.",
        host=moving[0].host,
        state=moving[0].comment,
    )
    action = say("Wait; restart nothing until it is over.")
    return Verdict("busy", sentence, action, tolerates(view.size))


def _not_ready(view: View) -> Verdict | None:
    bad = [node for node in view.galera if not node.synced]
    if not bad:
        return None
    sentence = say(
        "%(host)s is in the cluster but not ready: %(state)s.",
        host=bad[0].host,
        state=bad[0].comment or "?",
    )
    return Verdict("degraded", sentence, _start(bad[0].host, False), tolerates(view.size))


def _storage(view: View) -> Verdict | None:
    """The database is well; what is wrong with the files is said next."""
    found = health_storage.problem(view)
    if found is None:
        return None
    state, sentence, action = found
    return Verdict(state, sentence, action, tolerates(view.size))


def _settings(view: View) -> Verdict | None:
    found = view.primaries_differ()
    if found is None:
        return None
    action = say("Run “Write settings”; the difference is shown before anything is written.")
    return Verdict("degraded", found, action, tolerates(view.size))


def _healthy(view: View) -> Verdict:
    spare = tolerates(view.size)
    sentence = say(
        "All %(count)s servers are in step; %(spare)s of them may crash without harm.",
        count=view.size,
        spare=spare,
    )
    return Verdict("healthy", sentence, None, spare)


_RULES: tuple[Callable[[View], Verdict | None], ...] = (
    _nobody_answered,
    _split_brain,
    _not_installed,
    _full_stop,
    _non_primary,
    _unknown_galera,
    _missing_members,
    _size,
    _busy,
    _not_ready,
    _storage,
    _settings,
    _healthy,
)

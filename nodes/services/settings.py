"""Settings by revision: save, go back to an old one, take what a node has. No node is touched."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs, open_to_viewers
from nodes import history, selectors
from nodes.domain import live_lists, tally
from nodes.domain.observation import EnvFacts
from nodes.domain.peer_changes import changes, joined
from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY, PeerSettings
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import Cluster, SettingsRevision
from nodes.services import typed
from nodes.services.revisions import peers_of, revision_add

WHY_MAX = 500


@needs(Role.ADMINISTRATOR)
def settings_save(
    *,
    cluster: Cluster,
    by: User | None,
    based_on: int,
    galera_peer_hosts: Sequence[str] | str,
    cluster_fs_peer_hosts: Sequence[str] | str,
    cluster_primary_host: str,
    two_galera_acknowledged: bool = False,
    why: str = "",
    accepted: Collection[str] = (),
) -> SettingsRevision:
    """A new revision; the newest one when nothing changed. Only the panel's wish: no node is touched.

    `accepted`: ids of the consequences for a running cluster that were read and confirmed.
    Raises Refused: `settings_stale` when somebody saved since `based_on`, `primary_is_procedure`,
    `live_list` for each consequence that was not confirmed, or what is wrong with the values.
    """
    peers = peers_of(galera_peer_hosts, cluster_fs_peer_hosts, cluster_primary_host)
    newest = cluster.revision
    if newest.number != based_on:
        raise Refused(stale(newest, based_on))
    is_live = live_now(cluster)
    _refuse(typed.peer_problems(peers, two_galera_acknowledged, ordered=not is_live))
    _refuse(_too_long(why))
    if (newest.peers, newest.two_galera_acknowledged) == (peers, two_galera_acknowledged):
        return newest
    _refuse(_of_live(cluster, newest.peers, peers, is_live, accepted))
    return _append(newest, peers, two_galera_acknowledged, by, why.strip())


@needs(Role.ADMINISTRATOR)
def settings_revert(
    *, cluster: Cluster, by: User | None, number: int, based_on: int, accepted: Collection[str] = ()
) -> SettingsRevision:
    """The values of revision `number` as a new revision; the history only grows.

    Raises Refused `revision_unknown`, and as `settings_save`.
    """
    old = cluster.revisions.filter(number=number).first()
    if old is None:
        why = say("There is no revision %(number)s.", number=number)
        raise Refused(Refusal("revision_unknown", why, say("Choose one from the history.")))
    return settings_save(
        cluster=cluster,
        by=by,
        based_on=based_on,
        galera_peer_hosts=old.galera_peer_hosts,
        cluster_fs_peer_hosts=old.cluster_fs_peer_hosts,
        cluster_primary_host=old.cluster_primary_host,
        two_galera_acknowledged=old.two_galera_acknowledged,
        why=gettext("Back to revision %(number)s") % {"number": number},
        accepted=accepted,
    )


@needs(Role.ADMINISTRATOR)
def settings_take(
    *,
    cluster: Cluster,
    by: User | None,
    host: str,
    finding: str,
    based_on: int,
    accepted: Collection[str] = (),
) -> SettingsRevision:
    """What the `.env` of one node says, as a new revision. `finding`: the drift that was shown.

    Raises Refused `drift_gone` when the file, or the panel's wish, is another by now, and as
    `settings_save`.
    """
    env = _shown(cluster, host, finding)
    return settings_save(
        cluster=cluster,
        by=by,
        based_on=based_on,
        galera_peer_hosts=env.keys.get(GALERA_KEY) or "",
        cluster_fs_peer_hosts=env.keys.get(GLUSTER_KEY) or "",
        cluster_primary_host=env.keys.get(PRIMARY_KEY) or "",
        two_galera_acknowledged=cluster.revision.two_galera_acknowledged,
        why=gettext("Taken from the .env of %(host)s") % {"host": host},
        accepted=accepted,
    )


def _shown(cluster: Cluster, host: str, finding: str) -> EnvFacts:
    facts = selectors.latest_facts(cluster)
    files = selectors.env_difference(cluster, facts)
    node = tally.node_of(facts, host)
    there = any(file.host == host and file.finding == finding for file in files)
    if not finding or not there or node is None or not isinstance(node.env, EnvFacts):
        why = say("The .env of %(host)s is no longer as it was shown.", host=host[:253])
        fix = say("Look at the difference again.")
        raise Refused(Refusal("drift_gone", why, fix, {"node": host[:253]}))
    return node.env


@open_to_viewers
def live_now(cluster: Cluster) -> live_lists.Live:
    """What is installed, as far as the panel can tell now."""
    last = history.of().last_runs(cluster)
    succeeded = {name for name, run in last.items() if run.state == "succeeded"}
    facts = selectors.latest_facts(cluster)
    return live_lists.live(facts, succeeded, adopted=cluster.adopted_at is not None)


def _of_live(
    cluster: Cluster,
    before: PeerSettings,
    after: PeerSettings,
    is_live: live_lists.Live,
    accepted: Collection[str],
) -> list[Refusal]:
    if refusal := live_lists.primary_refusal(before, after, is_live):
        return [refusal]
    facts = selectors.latest_facts(cluster) if is_live else None
    found = live_lists.consequences(before, after, is_live, facts)
    return live_lists.unaccepted(found, accepted)


def _append(
    newest: SettingsRevision, peers: PeerSettings, acknowledged: bool, by: User | None, why: str
) -> SettingsRevision:
    cluster, number = newest.cluster, newest.number + 1
    detail = {"revision": number, "before": newest.peers.as_env(), "after": peers.as_env()}
    who = by.get_username() if by else "panel"
    try:
        with transaction.atomic():
            saved = revision_add(cluster, number, peers, acknowledged, by, why)
            detail |= {"why": why} if why else {}
            audit.record(who=who, action="settings_save", subject=cluster.name, detail=detail)
    except IntegrityError:  # somebody else saved this number in this very moment
        raise Refused(stale(cluster.revision, newest.number)) from None
    return saved


def stale(newest: SettingsRevision, based_on: int) -> Refusal:
    """Somebody else was faster: who, and what he changed."""
    before = newest.cluster.revisions.filter(number=based_on).first()
    what = joined(changes(before.peers, newest.peers)) if before else say("")
    why = say(
        "%(author)s saved revision %(newest)s of the settings since you opened revision %(based)s."
        " %(what)s",
        author=_authors(newest, based_on),
        newest=newest.number,
        based=based_on,
        what=what,
    )
    fix = say("Look at the new settings and make your change there.")
    evidence = {"newest": newest.number, "based_on": based_on, "settings": newest.peers.as_env()}
    return Refusal("settings_stale", why, fix, evidence)


def _authors(newest: SettingsRevision, based_on: int) -> str:
    later = newest.cluster.revisions.filter(number__gt=based_on, number__lte=newest.number)
    rows = later.select_related("author").order_by("number")
    names = [row.author.get_username() if row.author else "panel" for row in rows]
    return ", ".join(dict.fromkeys(names)) or "panel"


def _too_long(why: str) -> list[Refusal]:
    if len(why) <= WHY_MAX:
        return []
    said = say("The reason has more than %(limit)s characters.", limit=WHY_MAX)
    return [Refusal("why_too_long", said, say("Say it shorter."), field="why")]


def _refuse(refusals: Sequence[Refusal]) -> None:
    if refusals:
        raise Refused(*refusals)

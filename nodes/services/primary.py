"""The primary of the settings, and how dpiui2's background workers are stopped and started."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import Cluster, SettingsRevision
from nodes.services.clusters import who
from nodes.services.revisions import revision_add

COMMAND_MAX = 500


@needs(Role.OPERATOR)
def primary_set(*, cluster: Cluster, by: User | None, host: str, number: int) -> SettingsRevision:
    """Revision `number`: the newest settings with another primary; the lists stay as they are.

    Part of the caller's transaction: the start of a run that will write it. Raises IntegrityError
    when somebody else saved this number.
    """
    newest = cluster.revision
    peers = newest.peers
    changed = type(peers)(peers.galera_peer_hosts, peers.cluster_fs_peer_hosts, host)
    told = gettext("%(host)s was made the primary") % {"host": host}
    saved = revision_add(cluster, number, changed, newest.two_galera_acknowledged, by, told)
    detail = {"revision": number, "before": peers.as_env(), "after": changed.as_env()}
    audit.record(who=who(by), action="primary_set", subject=cluster.name, detail=detail)
    return saved


@needs(Role.ADMINISTRATOR)
def workers_save(*, cluster: Cluster, by: User | None, stop: str, start: str, check: str) -> None:
    """Shell commands for the background workers; "" and the step is left out.

    Raises Refused. Without the check nobody could tell that the other two did anything (law 8).
    """
    wanted = {"worker_stop": stop, "worker_start": start, "worker_check": check}
    wanted = {name: value.strip() for name, value in wanted.items()}
    if found := [*_too_long(wanted), *_incomplete(wanted)]:
        raise Refused(*found)
    before = {name: getattr(cluster, name) for name in wanted}
    for name, value in wanted.items():
        setattr(cluster, name, value)
    with transaction.atomic():
        cluster.save(update_fields=list(wanted))
        detail = {"before": before, "after": wanted}
        audit.record(who=who(by), action="workers_save", subject=cluster.name, detail=detail)


def _too_long(wanted: dict[str, str]) -> list[Refusal]:
    return [
        Refusal(
            "command_invalid",
            say("The command is longer than %(most)s characters, or has lines.", most=COMMAND_MAX),
            say("Put it into a script on the servers and name the script here."),
            field=name,
        )
        for name, value in wanted.items()
        if len(value) > COMMAND_MAX or not value.isprintable()
    ]


def _incomplete(wanted: dict[str, str]) -> list[Refusal]:
    if wanted["worker_check"] or not (wanted["worker_stop"] or wanted["worker_start"]):
        return []
    why = say("A command that tells whether the workers run is missing.")
    fix = say(
        "Enter one that exits with 0 while they run, for example `systemctl is-active NAME`: an"
        " exit code of the other commands alone proves nothing."
    )
    return [Refusal("check_missing", why, fix, field="worker_check")]

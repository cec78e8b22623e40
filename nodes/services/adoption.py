"""Taking a cluster that runs already into the panel: read, compared, trusted, and nothing changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from clusterpanel import audit
from clusterpanel.people.roles import Role
from clusterpanel.people.rules import needs
from nodes import selectors
from nodes.domain import tally
from nodes.domain.observation import ClusterFacts, EnvFacts, NodeFacts, Unknown
from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, PRIMARY_KEY, PeerSettings
from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import say
from nodes.models import DEFAULT_APP_DIR, Cluster
from nodes.services import typed
from nodes.services.clusters import sign_in_with, who
from nodes.services.observing import observe
from nodes.services.revisions import peers_of, revision_add

# Nobody answered there; whoever answers must be trusted before the cluster is managed.
_SILENT = frozenset({"ssh_unreachable", "ssh_lost", "late"})


@needs(Role.ADMINISTRATOR)
def adoption_begin(
    *,
    by: User | None,
    name: str,
    host: str,
    ssh_username: str = "root",
    ssh_port: int = 22,
    ssh_private_key: str = "",
    ssh_password: str = "",
    make_key: bool = False,
    app_dir: str = DEFAULT_APP_DIR,
) -> Cluster:
    """A cluster of one named host that is only read. Raises Refused with everything that is wrong.

    `make_key`: the panel makes the key that it will sign in with.
    """
    host = host.strip()
    cluster = Cluster(name=name.strip(), app_dir=app_dir.strip().rstrip("/"), adopting=True)
    both = sign_in_with(cluster, ssh_username, ssh_port, ssh_private_key, ssh_password, make_key)
    _refuse_what_is_wrong(cluster, peers := PeerSettings((host,), (host,), host), both)
    try:
        with transaction.atomic():
            cluster.save(force_insert=True)
            revision_add(cluster, 1, peers, False, by)
            _record(by, "adoption_begin", cluster, {"host": host, "app_dir": cluster.app_dir})
    except IntegrityError:  # somebody else used the name in this very moment
        raise Refused(typed.name_taken(cluster.name)) from None
    return cluster


def _refuse_what_is_wrong(cluster: Cluster, peers: PeerSettings, found: list[Refusal]) -> None:
    found = [
        *found,
        *typed.cluster_problems(cluster),
        *_host_problems(peers),
        *typed.no_secret(cluster, "", ""),
    ]
    if found:
        raise Refused(*found)


def _host_problems(peers: PeerSettings) -> list[Refusal]:
    """One host stands in all three places: one sentence about it is enough."""
    found = typed.running_peer_problems(peers)[:1]
    return [Refusal(r.code, r.why, r.fix, r.evidence, "host") for r in found]


@needs(Role.ADMINISTRATOR)
def adoption_read(*, cluster: Cluster, by: User | None, host: str) -> ClusterFacts:
    """Read the keys from the `.env` of `host` and take them as the settings; then look at all.

    Raises Refused: `not_adopting`, `env_unknown`, or what is wrong with the values there.
    """
    _must_be_adopting(cluster)
    env = _env_of(observe(cluster=cluster), host)
    peers = peers_of(
        env.keys.get(GALERA_KEY) or "",
        env.keys.get(GLUSTER_KEY) or "",
        env.keys.get(PRIMARY_KEY) or "",
    )
    if found := typed.running_peer_problems(peers):
        raise Refused(*found)
    why = gettext("Adopted: read from the .env of %(host)s") % {"host": host}
    with transaction.atomic():
        cluster.revisions.all().delete()  # until it is managed there is no history to keep
        revision_add(cluster, 1, peers, len(peers.galera_peer_hosts) == 2, by, why)
        _record(by, "adoption_read", cluster, {"host": host, "settings": peers.as_env()})
    return observe(cluster=cluster)


def _env_of(facts: ClusterFacts, host: str) -> EnvFacts:
    node = tally.node_of(facts, host)
    env = node.env if node else Unknown(say("It is no server of this cluster."))
    if isinstance(env, Unknown) or not env.present:
        reason = env.why if isinstance(env, Unknown) else say("There is no such file.")
        why = say("The .env of %(host)s could not be read: %(why)s", host=host[:253], why=reason)
        fix = say("Accept its host key, or correct the sign-in or the application directory.")
        raise Refused(Refusal("env_unknown", why, fix, {"node": host[:253]}))
    return env


@needs(Role.ADMINISTRATOR)
def adoption_finish(*, cluster: Cluster, by: User | None) -> None:
    """From now on it is managed like any other. Nothing is written to any server.

    Raises Refused: `not_adopting`, `adoption_unread`, `adoption_keys_missing`.
    """
    _must_be_adopting(cluster)
    if refusal := not_ready(cluster):
        raise Refused(refusal)
    facts = selectors.latest_facts(cluster)
    silent = [node.host for node in facts.nodes if node.ssh is not True] if facts else []
    now = timezone.now()
    with transaction.atomic():
        Cluster.objects.filter(pk=cluster.pk).update(adopting=False, adopted_at=now)
        detail = {"settings": cluster.revision.peers.as_env(), "silent": silent}
        _record(by, "adoption_finish", cluster, detail)
    cluster.refresh_from_db()


def not_ready(cluster: Cluster) -> Refusal | None:
    """What is still missing before it can be managed."""
    facts = selectors.latest_facts(cluster)
    if facts is None or not was_read(cluster):
        why = say("The settings of the cluster were not read yet.")
        fix = say("Accept the host key of the server you named, then read its settings.")
        return Refusal("adoption_unread", why, fix)
    pinned = set(cluster.host_keys.values_list("host", flat=True))
    open_ones = [n.host for n in facts.nodes if n.host not in pinned and not _silent(n)]
    if not open_ones:
        return None
    why = say("The host key was not accepted yet: %(hosts)s.", hosts=", ".join(open_ones))
    fix = say("Compare each fingerprint with the server's own console and accept it.")
    return Refusal("adoption_keys_missing", why, fix, {"nodes": open_ones})


def was_read(cluster: Cluster) -> bool:
    """Before it is read, a cluster that is being adopted has one host in all places, and no reason."""
    return bool(cluster.revision.why)


def _silent(node: NodeFacts) -> bool:
    return isinstance(node.ssh, Unknown) and node.ssh.code in _SILENT


@needs(Role.ADMINISTRATOR)
def adoption_drop(*, cluster: Cluster, by: User | None) -> None:
    """Forget it again: the sign-in, the keys and what was read. Raises Refused `not_adopting`."""
    _must_be_adopting(cluster)
    with transaction.atomic():
        _record(by, "adoption_drop", cluster, {})
        cluster.delete()


def _must_be_adopting(cluster: Cluster) -> None:
    if not cluster.adopting:
        why = say("%(name)s is managed already.", name=cluster.name)
        raise Refused(Refusal("not_adopting", why, say("Look at its dashboard.")))


def _record(by: User | None, action: str, cluster: Cluster, detail: dict[str, Any]) -> None:
    audit.record(who=who(by), action=action, subject=cluster.name, detail=detail)

"""What is wrong with what an admin typed: a refusal for each field at fault."""

from __future__ import annotations

import re

from nodes import credentials, resolve
from nodes.domain.peers import GALERA_KEY, GLUSTER_KEY, PeerSettings, is_host, problems
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.models import DEFAULT_APP_DIR, Cluster

_USERNAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")
_PATH = re.compile(r"(/[A-Za-z0-9_.-]+)+")


def cluster_problems(cluster: Cluster) -> list[Refusal]:
    """Of one that is not saved yet, its settings aside."""
    return [
        *name_problems(cluster.name),
        *access_problems(cluster.ssh_username, cluster.ssh_port, cluster.ssh_private_key),
        *path_problems(cluster.app_dir),
    ]


def peer_problems(
    peers: PeerSettings, acknowledged: bool, *, ordered: bool = True
) -> list[Refusal]:
    """The domain's rules, with names resolved, so that one server is not listed twice.

    `ordered` False: the cluster runs, and its primary need not be the first of the lists.
    """
    addresses = resolve.addresses_of(host for host in peers.hosts if is_host(host))
    found = problems(
        peers, addresses=addresses, two_galera_acknowledged=acknowledged, ordered=ordered
    )
    if found:
        return found
    return [
        _unresolved(key, host)
        for key, hosts in (
            (GALERA_KEY, peers.galera_peer_hosts),
            (GLUSTER_KEY, peers.cluster_fs_peer_hosts),
        )
        for host in hosts
        if host not in addresses
    ]


# What an installation needs; a cluster that runs already is as it is.
_OF_INSTALLING = frozenset({"gluster_too_small", "galera_single", "galera_two_hosts"})


def running_peer_problems(peers: PeerSettings) -> list[Refusal]:
    """What is wrong with the settings of a cluster that runs already, and was read from it."""
    found = peer_problems(peers, acknowledged=True, ordered=False)
    return [refusal for refusal in found if refusal.code not in _OF_INSTALLING]


def _unresolved(key: str, host: str) -> Refusal:
    why = say("“%(host)s” does not resolve on the panel's machine.", host=host)
    fix = say(
        "Correct the name, enter the server's address, or add the name to DNS or /etc/hosts here."
    )
    return Refusal("host_unresolved", why, fix, field=key.lower())


def name_problems(name: str) -> list[Refusal]:
    if not name or len(name) > 64:
        why = say("The cluster needs a name of at most 64 characters.")
        return [_field("name_invalid", "name", why, say("Enter a name, for example “Office”."))]
    return [name_taken(name)] if Cluster.objects.filter(name=name).exists() else []


def name_taken(name: str) -> Refusal:
    why = say("There is already a cluster with the name “%(name)s”.", name=name)
    return _field("name_taken", "name", why, say("Choose another name."))


def access_problems(username: str, port: int, key: str) -> list[Refusal]:
    found = []
    if not _USERNAME.fullmatch(username):
        why = say("“%(username)s” is not a user name.", username=username[:64])
        fix = say("Enter the user that the panel signs in as; root is the usual one.")
        found.append(_field("ssh_username_invalid", "ssh_username", why, fix))
    if not isinstance(port, int) or not 1 <= port <= 65535:
        why = say("The port is a number between 1 and 65535.")
        fix = say("Enter the port of the SSH server; it is 22 unless somebody changed it.")
        found.append(_field("ssh_port_invalid", "ssh_port", why, fix))
    if key and (problem := credentials.key_problem(key)):
        found.append(problem)
    return found


def no_secret(cluster: Cluster, key: str, password: str) -> list[Refusal]:
    if key or password or cluster.ssh_private_key or cluster.ssh_password:
        return []
    why = say("The panel has neither a private key nor a password to sign in with.")
    fix = say("Let the panel make a key, paste a private key, or enter the password.")
    return [_field("ssh_secret_missing", credentials.FIELD, why, fix)]


def two_keys(key: str, make_key: bool) -> list[Refusal]:
    if not (key and make_key):
        return []
    why = say("A private key was pasted, and the panel was asked to make one.")
    return [_field("ssh_key_two", credentials.FIELD, why, say("Do one of the two."))]


def path_problems(app_dir: str) -> list[Refusal]:
    if _PATH.fullmatch(app_dir) and ".." not in app_dir.split("/"):
        return []
    why = say("“%(path)s” is not the path of a directory.", path=app_dir[:255])
    fix = say(
        "Enter where dpiui2 is installed on the servers, usually %(path)s.", path=DEFAULT_APP_DIR
    )
    return [_field("app_dir_invalid", "app_dir", why, fix)]


def _field(code: str, field: str, why: Text, fix: Text) -> Refusal:
    return Refusal(code, why, fix, field=field)

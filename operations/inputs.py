"""What a step reads from its standard input: too large or too secret to be an argument.

Made at the moment the step begins, so it never lies in a plan, a journal or a broker. What is
written is what was shown: the values come from the step's own arguments.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

from nodes.domain.refusal import Refusal, Refused
from nodes.domain.text import Text, say
from nodes.env_file import EnvFileError, env_payload
from nodes.models import Cluster
from nodes.transport.base import Transport, script
from operations.domain.plan import Step
from operations.models import Run

ACCOUNT = "clusterpanel"
_HOSTS = ("localhost", "127.0.0.1")
_READ = 'exec cat -- "$(readlink -f -- "$1")"'


def provide(run: Run, step: Step, transport: Transport) -> bytes:
    """The bytes for `step.stdin`. Raises Refused when there is nothing safe to send."""
    return PROVIDERS[step.stdin](run, step, transport)


def env_file(run: Run, step: Step, transport: Transport) -> bytes:
    """The node's `.env` with the step's keys in it, as the writing script expects it."""
    path, *lines = step.argv[step.argv.index("clusterpanel") + 1 :]
    return env_content(transport, path, dict(line.split("=", 1) for line in lines))


def env_content(transport: Transport, path: str, values: Mapping[str, str]) -> bytes:
    """The file of this node with the keys in it. Raises Refused and TransportError."""
    output = transport.run(script(_READ, path))
    if output.exit_code != 0:
        why = say("%(path)s on %(node)s could not be read.", path=path, node=transport.target.host)
        raise Refused(_refusal("env_unreadable", why, output.stderr))
    try:
        return env_payload(output.stdout, values)
    except EnvFileError as error:
        raise Refused(Refusal(error.code, error.why, error.fix)) from error


def monitor_sql(run: Run, step: Step, transport: Transport) -> bytes:
    """Creates the account, or gives an existing one the panel's password; only a hash leaves.

    GRANT USAGE with a password does both on every MariaDB from 5.5 on, and Galera replicates it.
    """
    digest = native_password(_password(run.cluster))
    grants = (
        f"GRANT USAGE ON *.* TO '{ACCOUNT}'@'{host}' IDENTIFIED BY PASSWORD '{digest}';"
        for host in _HOSTS
    )
    return "\n".join(grants).encode() + b"\n"


def native_password(password: str) -> str:
    """MariaDB's mysql_native_password: `*` and the hex SHA-1 of the SHA-1."""
    once = hashlib.sha1(password.encode()).digest()
    return "*" + hashlib.sha1(once).hexdigest().upper()


def _password(cluster: Cluster) -> str:
    """The cluster's own; made at the first need. Of two makers one wins, both use the winner's."""
    Cluster.objects.filter(pk=cluster.pk, monitor_password="").update(
        monitor_password=secrets.token_urlsafe(24)
    )
    cluster.refresh_from_db(fields=["monitor_password"])
    return cluster.monitor_password


def _refusal(code: str, why: Text, said: bytes) -> Refusal:
    detail = said.decode(errors="replace").strip()[:300]
    return Refusal(code, why, say("Look at the file on that node."), {"said": detail})


Provider = Callable[[Run, Step, Transport], bytes]
PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {"env_file": env_file, "monitor_sql": monitor_sql}
)

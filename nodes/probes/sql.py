"""Reads wsrep status by MariaDB's own protocol, through the SSH connection that is there anyway.

Only port 22 has to be open. The account is the one that `create_monitor_account` made; it may do
nothing but show status.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import pymysql
from pymysql.connections import Connection

from nodes.transport.base import Target, Transport, TransportError

USER = "clusterpanel"
PORT = 3306
LIMIT_S = 3
_VARIABLES = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
    " ('wsrep_on','wsrep_desync','wsrep_reject_queries','read_only','wsrep_cluster_address')"
)
_STATUS = r"SHOW GLOBAL STATUS LIKE 'wsrep\_%'"


@dataclass
class _Open:
    transport: Transport
    password: str
    connection: Connection[Any]
    tunnel: ExitStack

    def close(self) -> None:
        self.connection._force_close()  # type: ignore[attr-defined]  # no goodbye to a dead peer
        self.tunnel.close()


_open: dict[Target, _Open] = {}
_lock = threading.Lock()


def wsrep_status(transport: Transport, target: Target, password: str) -> dict[str, str] | None:
    """Name (lower case) and value of variables and status; None when it could not be read.

    A kept connection that died is opened once more, since the server may have been restarted.
    """
    for _ in range(2):
        kept = _take(transport, target, password)
        try:
            current = kept or _connect(transport, password)
            values = _ask(current.connection)
        except (pymysql.Error, OSError, EOFError, TransportError):
            if kept is None:
                return None
            kept.close()
            continue
        _keep(target, current)
        return values
    return None


def _take(transport: Transport, target: Target, password: str) -> _Open | None:
    """The kept connection for this thread alone, if it still belongs to this transport."""
    with _lock:
        kept = _open.pop(target, None)
    if kept and (kept.transport is not transport or kept.password != password):
        kept.close()
        return None
    return kept


def _keep(target: Target, current: _Open) -> None:
    with _lock:
        older = _open.get(target)
        _open[target] = current
    if older:
        older.close()


def _connect(transport: Transport, password: str) -> _Open:
    with ExitStack() as stack:
        tunnel = stack.enter_context(transport.tunnel(PORT))
        connection: Connection[Any] = Connection(
            user=USER,
            password=password,
            connect_timeout=LIMIT_S,
            read_timeout=LIMIT_S,
            write_timeout=LIMIT_S,
            defer_connect=True,
        )
        connection.connect(sock=cast(Any, tunnel))
        return _Open(transport, password, connection, stack.pop_all())
    raise AssertionError("not reached")


def _ask(connection: Connection[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    with connection.cursor() as cursor:
        for question in (_VARIABLES, _STATUS):
            cursor.execute(question)
            found |= {str(name).lower(): str(value) for name, value in cursor.fetchall()}
    return found

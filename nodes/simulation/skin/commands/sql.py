"""`mariadb`, `mysql` and the dumps: the statements that the panel and the vendor's scripts use.

Whatever begins like a change is one transaction; other questions about data get an empty answer.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nodes.simulation import events, mariadb
from nodes.simulation.skin.commands import wsrep
from nodes.simulation.skin.commands.shell import Shell
from nodes.simulation.world import Node, Reply

_SYSTEM = {"information_schema": 79, "mysql": 31, "performance_schema": 81, "sys": 101}
_CHANGE = re.compile(r"(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|GRANT|TRUNCATE)\b", re.I)
_USER = re.compile(
    r"(?:CREATE USER (?:IF NOT EXISTS )?|GRANT \w+ ON \*\.\* TO )'?(\w+)'?@'?([\w.%-]+)'?", re.I
)
_LIKE = re.compile(r"LIKE\s+'([^']*)'", re.I)
_IN = re.compile(r"IN\s*\(([^)]*)\)", re.I)
_BLOCKED_S = 0.05
_VALUED = ("--connect-timeout", "--user", "--host", "--password", "--socket", "--port")


@dataclass
class Call:
    """How the client was called."""

    statements: list[str]
    headers: bool = True
    force: bool = False


def client(shell: Shell, argv: list[str]) -> int:
    if "--version" in argv or "-V" in argv:
        shell.out("mariadb  Ver 15.1 Distrib 10.11.19-MariaDB, for simulated\n")
        return 0
    call = _call(argv)
    server = shell.node().server
    if server is None or not server.ready:
        shell.err(mariadb.NO_SERVER + "\n")
        return 1
    for statement in call.statements:
        reply = _run(shell, statement, call.headers)
        if reply.exit_code:
            shell.err(f"--------------\n{statement}\n--------------\n\n{reply.stderr}")
            return reply.exit_code
        shell.out(reply.stdout)
    return 0


def _call(argv: list[str]) -> Call:
    call, words = Call([]), list(argv)
    text: str | None = None
    while words:
        word = words.pop(0)
        if word.startswith("--execute="):
            text = word.partition("=")[2]
        elif word == "--execute" or re.fullmatch(r"-[A-Za-z]*e", word):
            text = words.pop(0) if words else ""
        elif word in _VALUED and words:
            words.pop(0)
        if re.fullmatch(r"-[A-Za-z]*N[A-Za-z]*", word) or word == "--skip-column-names":
            call.headers = False
    call.statements = list(_split(sys.stdin.read() if text is None else text))
    return call


def _split(text: str) -> Iterable[str]:
    """Statements; a semicolon in quotes ends none."""
    pieces = re.findall(r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|[^;'"])+""", text)
    return (piece.strip() for piece in pieces if piece.strip())


def _run(shell: Shell, statement: str, headers: bool) -> Reply:
    plain = " ".join(statement.split())
    if "pc.bootstrap" in plain:
        return shell.happen(events.ForcePrimary(shell.host))
    if _CHANGE.match(plain):
        return _change(shell, plain)
    world = shell.world()
    node = world.nodes[shell.host]
    if re.match(r"SHOW (GLOBAL |SESSION )?VARIABLES", plain, re.I):
        return _table(("Variable_name", "Value"), _chosen(wsrep.variables(node), plain), headers)
    if re.match(r"SHOW (GLOBAL |SESSION )?STATUS", plain, re.I):
        return _table(
            ("Variable_name", "Value"), _chosen(wsrep.status(world, node), plain), headers
        )
    return _question(node, plain, headers)


def _chosen(values: Mapping[str, str], plain: str) -> list[tuple[str, str]]:
    if listed := _IN.search(plain):
        names = re.findall(r"'([^']*)'", listed[1])
        return [(name, value) for name, value in values.items() if name in names]
    if like := _LIKE.search(plain):
        text = re.escape(like[1].replace("\\_", "_")).replace("%", ".*")
        return [(n, v) for n, v in values.items() if re.fullmatch(text, n, re.I)]
    return list(values.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], headers: bool) -> Reply:
    lines = ["\t".join(row) for row in ([head] if headers else [])] + ["\t".join(r) for r in rows]
    return Reply(0, "".join(f"{line}\n" for line in lines))


def _change(shell: Shell, plain: str) -> Reply:
    """Hangs, as a client does, while the group is not agreed or the donor is blocked."""
    user = _USER.match(plain)
    event: events.Event = events.Write(shell.host)
    if user:
        event = events.AddAccount(shell.host, f"{user[1]}@{user[2]}")
    while (reply := shell.happen(event)).exit_code == mariadb.BLOCKED:
        time.sleep(_BLOCKED_S)
    return reply


def _question(node: Node, plain: str, headers: bool) -> Reply:
    tables = _SYSTEM | dict(node.disk.tables)
    if re.match(r"SHOW DATABASES", plain, re.I):
        return _table(("Database",), [(name,) for name in sorted(tables)], headers)
    if "information_schema.schemata" in plain:
        rows = [(name, str(count)) for name, count in sorted(tables.items())]
        return _table(("schema_name", "COUNT(t.table_name)"), rows, headers)
    if "data_length" in plain:
        return _table(("size",), [(str(2000 + len(node.disk.rows)),)], headers)
    if re.search(r"\bFROM\b", plain, re.I):
        if refused := mariadb.answers_sql(node):
            return replace(refused, exit_code=1)
        return _data(node, plain, headers)
    if found := re.match(r"SELECT (\w+)$", plain, re.I):
        return _table((found[1],), [(found[1],)], headers)
    return Reply()


def _data(node: Node, plain: str, headers: bool) -> Reply:
    if "mysql.user" in plain:
        asked = re.search(r"User\s*=\s*'(\w+)'", plain, re.I)
        pairs = [account.split("@", 1) for account in sorted(node.disk.accounts)]
        hosts = [(host,) for user, host in pairs if not asked or user == asked[1]]
        return _table(("Host",), hosts, headers)
    if re.search(r"COUNT\s*\(", plain, re.I):
        return _table(("COUNT(*)",), [(str(len(node.disk.rows)),)], headers)
    return Reply()


def dump(shell: Shell, argv: list[str]) -> int:
    """`mariadb-dump --all-databases`."""
    node = shell.node()
    if node.server is None or not node.server.ready:
        shell.err(f"mariadb-dump: Got error: {mariadb.NO_SERVER.removeprefix('ERROR ')}\n")
        return 2
    if mariadb.answers_sql(node):
        shell.err("mariadb-dump: Couldn't execute: WSREP has not yet prepared node (1047)\n")
        return 2
    shell.out("-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for simulated\n--\n")
    for name, count in sorted(node.disk.tables.items()):
        shell.out(f"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `{name}`;\n-- {count} tables\n")
    for row in sorted(node.disk.rows, key=lambda row: (row.uuid, row.seqno, row.mark)):
        shell.out(f"INSERT INTO `rows` VALUES ('{row.uuid}',{row.seqno},{row.mark});\n")
    shell.out(f"-- Dump completed on {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    return 0

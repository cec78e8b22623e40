"""What is wrong with single servers, and whom they take for the primary."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from nodes.domain.actions import command, look
from nodes.domain.numbers import used_percent
from nodes.domain.observation import NodeFacts, PageFacts, Unknown
from nodes.domain.text import Text, say
from nodes.domain.verdict import Finding
from nodes.domain.view import View

CLOCK_LIMIT_S = 1.0
DISK_WARNING_PCT, DISK_CRITICAL_PCT = 90, 97


def silent(view: View) -> Iterator[Finding]:
    """Servers of the storage alone; one of the database list is told with its database."""
    database = set(view.settings.galera_peer_hosts)
    for node in view.storage:
        if isinstance(node.ssh, Unknown) and node.host not in database:
            yield Finding(
                f"silent:{node.host}",
                "warning",
                "degraded",
                say("%(why)s", why=node.ssh.why),
                say("Nothing about this server is known."),
                look(node.ssh.fix or say("Look at %(host)s.", host=node.host), node.host),
                node.host,
            )


def clocks(view: View) -> Iterator[Finding]:
    """Against the middle of all servers: the panel's own clock may be the wrong one."""
    told = {n.host: n.clock_offset_s for n in view.nodes if isinstance(n.clock_offset_s, float)}
    if len(told) < 2:
        return
    middle = median(sorted(told.values()))
    for host, offset in told.items():
        off = offset - middle
        if abs(off) <= CLOCK_LIMIT_S + _clock_error_s(view.node(host)):
            continue
        yield Finding(
            f"clock:{host}",
            "warning",
            "degraded",
            say("The clock of %(host)s is %(off)s s off.", host=host, off=f"{off:+.1f}"),
            say("Healing decides by time, and records of the servers cannot be compared."),
            command(
                "chronyc makestep || timedatectl set-ntp true",
                host,
                say("Set the clock of %(host)s.", host=host),
            ),
            host,
        )


def _clock_error_s(node: NodeFacts) -> float:
    """How far the reading may be wrong: a server under load answers late."""
    return float(node.extra.get("clock_error_s", 0.0))


def disks(view: View) -> Iterator[Finding]:
    for node in view.nodes:
        for path, used in sorted(used_percent(node).items()):
            if used < DISK_WARNING_PCT:
                continue
            yield Finding(
                f"disk:{node.host}:{path}",
                "critical" if used >= DISK_CRITICAL_PCT else "warning",
                "degraded",
                say(
                    "%(path)s of %(host)s is %(used)s %% full.",
                    path=path,
                    host=node.host,
                    used=used,
                ),
                say("A full disk stops the database there, and healing with it."),
                look(
                    say("Make room: `du -xh --max-depth=2 %(path)s | sort -h | tail`", path=path),
                    node.host,
                ),
                node.host,
            )


def pages(view: View) -> Iterator[Finding]:
    for node in view.nodes:
        if isinstance(node.page, PageFacts) and not node.page.answers:
            yield Finding(
                f"page:{node.host}",
                "warning",
                "degraded",
                _page_words(node.host, node.page),
                say("Users who work on this server do not reach dpiui2."),
                look(say("Look at the web server of %(host)s.", host=node.host), node.host),
                node.host,
            )


def _page_words(host: str, page: PageFacts) -> Text:
    if page.code:
        return say("dpiui2 on %(host)s answers with HTTP %(code)s.", host=host, code=page.code)
    return say("dpiui2 does not answer on %(host)s: %(why)s", host=host, why=page.why or "—")


def versions(view: View) -> Iterator[Finding]:
    for name in ("mariadb", "gluster", "dpiui2"):
        found = {
            node.host: node.versions[name]
            for node in view.nodes
            if not isinstance(node.versions, Unknown) and node.versions.get(name)
        }
        if len(set(found.values())) > 1:
            told = ", ".join(f"{host} {version}" for host, version in found.items())
            yield Finding(
                f"versions:{name}",
                "notice",
                "healthy",
                say(
                    "The servers have different versions of %(name)s: %(told)s.",
                    name=name,
                    told=told,
                ),
                say("Fine during an upgrade, not for long."),
                look(say("Upgrade the others, one server after another.")),
            )


RULES = (
    silent,
    disks,
    clocks,
    pages,
    versions,
)

"""What is wrong with single servers, and whom they take for the primary."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from nodes.domain.actions import command, look, procedure
from nodes.domain.numbers import used_percent
from nodes.domain.observation import NodeFacts, PageFacts, Unknown
from nodes.domain.peers import PRIMARY_KEY
from nodes.domain.text import Text, say
from nodes.domain.verdict import Action, Finding
from nodes.domain.view import Member, View, listed

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


def _named(view: View) -> dict[str, str | None]:
    """Server → whom its `.env` calls the primary; servers whose file is not known are missing."""
    return {
        node.host: node.env.keys.get(PRIMARY_KEY)
        for node in view.nodes
        if not isinstance(node.env, Unknown) and node.env.present
    }


def two_primaries(view: View) -> Iterator[Finding]:
    """Several servers read their own address: each does the background work."""
    named = _named(view)
    own = [host for host, name in named.items() if name == host]
    if len(own) < 2:
        return
    yield Finding(
        "two_primaries",
        "critical",
        "degraded",
        say("Two servers take themselves for the primary: %(hosts)s.", hosts=listed(own)),
        say("Each polls the equipment and synchronises subscribers: everything is done twice."),
        procedure(
            "apply_settings",
            say(
                "Write the settings to all servers: only %(host)s is to be the primary.",
                host=view.settings.cluster_primary_host,
            ),
        ),
    )


def no_primary(view: View) -> Iterator[Finding]:
    """Every file is known, and no server reads its own address."""
    named = _named(view)
    if len(named) < len(view.nodes) or any(name == host for host, name in named.items()):
        return
    if any(name == view.settings.cluster_primary_host for name in named.values()):
        return
    yield Finding(
        "no_primary",
        "warning",
        "degraded",
        say("No server is the primary by its own settings."),
        say("Nobody polls the equipment or synchronises subscribers."),
        procedure(
            "apply_settings",
            say("Run “Write settings”; the difference is shown before anything is written."),
        ),
    )


def primary_down(view: View) -> Iterator[Finding]:
    """The cluster lives, but the server that does dpiui2's background work is not in it."""
    host = view.settings.cluster_primary_host
    primary = next((m for m in view.galera if m.host == host), None)
    if primary is None or primary.member or primary.starting or not view.primary:
        return
    if len(view.primary_groups()) > 1 or primary.standalone:
        return
    others = [m.host for m in view.primary if m.synced]
    yield Finding(
        "primary_down",
        "warning",
        "degraded",
        say("The primary %(host)s is not in the cluster. %(why)s", host=host, why=primary.reason),
        say(
            "Users work on the others, but nobody polls the equipment or synchronises subscribers."
        ),
        _primary_back(primary, others),
        host,
    )


def _primary_back(primary: Member, others: list[str]) -> Action:
    host = primary.host
    if not others:
        return look(say("Bring %(host)s back.", host=host), host)
    text = say("Bring %(host)s back, or make %(other)s the primary.", host=host, other=others[0])
    why = None
    if primary.node.ssh is not True:
        why = say(
            "Before another server becomes the primary, %(host)s must be certainly off: it would"
            " go on as a second primary.",
            host=host,
        )
    return Action("procedure", text, procedure="change_primary", node=others[0], why=why)


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
    two_primaries,
    no_primary,
    primary_down,
    silent,
    disks,
    clocks,
    pages,
    versions,
)

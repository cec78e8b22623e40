"""The judges about what lies between the servers: ports, names, clocks, firewalls."""

from __future__ import annotations

from statistics import median

from nodes.domain.checks import CheckAnswer, CheckFacts, Evidence, PortTry
from nodes.domain.observation import Unknown
from nodes.domain.text import Text, say

TIMED_OUT = (124, 137)
CLOCK_LIMIT_S = 1.0
_BLOCKED_WORDS = ("no route", "unreachable", "prohibited", "timed out", "not permitted")


def _unknown(fact: Unknown) -> CheckAnswer:
    return CheckAnswer("unknown", fact.why, fact.fix)


def ports(seen: Evidence) -> CheckAnswer:
    """Refused is reachable: the packets came back, only nobody listens yet.

    Refused although the target says that it listens there is a firewall that rejects.
    """
    asked = seen.asked
    tries = asked if isinstance(asked, Unknown) else asked.ports
    if isinstance(tries, Unknown):
        return _unknown(tries)
    expected = len({t.port for t in tries}) * (len(seen.settings.hosts) - 1)
    if not tries or len(tries) < expected:
        return CheckAnswer("unknown", say("Not every port was tried."))
    blocked = [attempt for attempt in tries if _is_blocked(attempt, seen)]
    if blocked:
        return _blocked(blocked)
    unclear = [t for t in tries if t.code and "refused" not in t.said.lower()]
    if unclear:
        return _unclear(unclear[0])
    return CheckAnswer(
        "ok", say("All %(count)s connections reached their server.", count=len(tries))
    )


def _is_blocked(attempt: PortTry, seen: Evidence) -> bool:
    said = attempt.said.lower()
    if attempt.code == 0:
        return False
    if attempt.code in TIMED_OUT or any(word in said for word in _BLOCKED_WORDS):
        return True
    return "refused" in said and attempt.port in _listening(seen, attempt.host)


def _listening(seen: Evidence, host: str) -> frozenset[int]:
    target = seen.checks.get(host)
    known = isinstance(target, CheckFacts) and not isinstance(target.listening, Unknown)
    return target.listening if known else frozenset()  # type: ignore[union-attr, return-value]


def _blocked(blocked: list[PortTry]) -> CheckAnswer:
    blocked = sorted(blocked, key=lambda t: (t.host, t.port))
    told = ", ".join(f"{t.host}:{t.port}" for t in blocked)
    first = blocked[0]
    numbers = sorted({t.port for t in blocked if t.host == first.host})
    firewalld = " ".join(f"--add-port={_range(port)}/tcp" for port in numbers)
    ufw = " && ".join(f"ufw allow {_range(port).replace('-', ':')}/tcp" for port in numbers)
    fix = say(
        "On %(host)s: `firewall-cmd --permanent %(firewalld)s && firewall-cmd --reload`"
        " or, with ufw, `%(ufw)s`",
        host=first.host,
        firewalld=firewalld,
        ufw=ufw,
    )
    return CheckAnswer("failed", say("Not reachable: %(told)s.", told=told), fix)


def _range(port: int) -> str:
    """Since GlusterFS 10 a brick takes any free port of this range."""
    return "49152-60999" if port == 49152 else str(port)


def _unclear(attempt: PortTry) -> CheckAnswer:
    return CheckAnswer(
        "unknown",
        say(
            "%(host)s:%(port)s answered in a way that was not understood: %(said)s",
            host=attempt.host,
            port=attempt.port,
            said=attempt.said or attempt.code,
        ),
    )


def names(seen: Evidence) -> CheckAnswer:
    """Every host must mean the same address everywhere. Its own name may be a loopback address
    on a server itself: Debian's installer writes that, and it is only warned about."""
    asked = seen.asked
    own = asked if isinstance(asked, Unknown) else asked.names
    if isinstance(own, Unknown):
        return _unknown(own)
    absent = [host for host in seen.settings.hosts if not own.get(host)]
    if absent:
        why = say("%(hosts)s does not resolve on this server.", hosts=", ".join(absent))
        return CheckAnswer("failed", why, _hosts_line(absent[0]))
    loopback = [h for h in seen.settings.hosts if own[h].startswith(("127.", "::1"))]
    for host in seen.settings.hosts:
        elsewhere = _addresses_elsewhere(seen, host) - {own[host]}
        if elsewhere and host not in loopback:
            return _names_differ(host, own[host], elsewhere)
    if loopback:
        why = say("%(host)s is a loopback address on this server.", host=loopback[0])
        return CheckAnswer("warning", why, _hosts_line(loopback[0]))
    return CheckAnswer("ok", say("Every host has the same address on every server."))


def _addresses_elsewhere(seen: Evidence, host: str) -> set[str]:
    """What the other servers take `host` for; a loopback address is no answer."""
    others = [
        c.names for h, c in seen.checks.items() if h != seen.host and isinstance(c, CheckFacts)
    ]
    found = {names.get(host, "") for names in others if not isinstance(names, Unknown)}
    return {address for address in found if address and not address.startswith(("127.", "::1"))}


def _names_differ(host: str, own: str, real: set[str]) -> CheckAnswer:
    why = say(
        "%(host)s is %(own)s here, but %(others)s elsewhere.",
        host=host,
        own=own,
        others=", ".join(sorted(real)),
    )
    return CheckAnswer("failed", why, _hosts_line(host))


def _hosts_line(host: str) -> Text:
    return say(
        "Write its address into /etc/hosts on this server: `echo ADDRESS %(host)s >> /etc/hosts`",
        host=host,
    )


def clock(seen: Evidence) -> CheckAnswer:
    """Against the median of the servers, so that one wrong clock is one wrong row."""
    own = seen.node.clock_offset_s
    if isinstance(own, Unknown):
        return _unknown(own)
    offsets = [n.clock_offset_s for n in seen.facts.nodes]
    known = [offset for offset in offsets if not isinstance(offset, Unknown)]
    away = own - median(known)
    if abs(away) > CLOCK_LIMIT_S:
        why = say("The clock is %(seconds)s s away from the others.", seconds=f"{away:+.1f}")
        return CheckAnswer("failed", why, say("`timedatectl set-ntp true`"))
    if len(known) < 2 <= len(offsets):
        return CheckAnswer("unknown", say("No other server told its time."))
    return CheckAnswer(
        "ok", say("The clock is %(seconds)s s away from the others.", seconds=f"{away:+.1f}")
    )


def firewall_selinux(seen: Evidence) -> CheckAnswer:
    asked = seen.asked
    fact = asked if isinstance(asked, Unknown) else asked.firewall
    if isinstance(fact, Unknown):
        return _unknown(fact)
    told = ", ".join(f"{name}: {state}" for name, state in fact.items())
    if fact.get("selinux") == "enforcing":
        why = say("SELinux enforces its rules (%(told)s).", told=told)
        fix = say("If a step is denied, this shows it: `ausearch -m avc -ts recent`")
        return CheckAnswer("warning", why, fix)
    if "active" in (fact.get("firewalld"), fact.get("ufw")):
        why = say("A firewall is on (%(told)s).", told=told)
        return CheckAnswer("warning", why, say("See the column “Ports” for what it lets through."))
    return CheckAnswer("ok", say("Neither is in the way (%(told)s).", told=told))

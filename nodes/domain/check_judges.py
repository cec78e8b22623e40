"""Pure judges: evidence in, answer out. A failure says what to type; unknown is never OK."""

from __future__ import annotations

from collections.abc import Callable

from nodes.domain.check_network import clock, firewall_selinux, names, ports
from nodes.domain.checks import CheckAnswer, Evidence
from nodes.domain.observation import Unknown
from nodes.domain.text import Text, say

GIB = 1024**3
MIB = 1024**2
DISK_FAIL, DISK_WARN = 1 * GIB, 5 * GIB
MEMORY_FAIL, MEMORY_WARN = 256 * MIB, 512 * MIB
KEY_CODES = ("host_key_unknown", "host_key_changed")
LEAST_DPIUI2 = (2, 25, 9)

Judge = Callable[[Evidence], CheckAnswer]


def ok(detail: Text) -> CheckAnswer:
    return CheckAnswer("ok", detail)


def failed(detail: Text, fix: Text) -> CheckAnswer:
    return CheckAnswer("failed", detail, fix)


def unknown(fact: Unknown) -> CheckAnswer:
    return CheckAnswer("unknown", fact.why, fact.fix)


def ssh(seen: Evidence) -> CheckAnswer:
    fact = seen.node.ssh
    if isinstance(fact, Unknown):
        answered = fact.code in KEY_CODES or not fact.code
        return unknown(fact) if answered else CheckAnswer("failed", fact.why, fact.fix)
    return ok(say("The panel signed in."))


def host_key(seen: Evidence) -> CheckAnswer:
    fact = seen.node.ssh
    if isinstance(fact, Unknown) and fact.code in KEY_CODES:
        return CheckAnswer("failed", fact.why, fact.fix)
    if not seen.key_pinned:
        return failed(
            say("No host key was accepted for %(host)s.", host=seen.host),
            say(
                "Scan the host keys, compare the fingerprint with the server's console, accept it."
            ),
        )
    if isinstance(fact, Unknown):
        return unknown(fact)
    return ok(say("The server showed the key that was accepted."))


def root(seen: Evidence) -> CheckAnswer:
    fact = seen.node.is_root
    if isinstance(fact, Unknown):
        return unknown(fact)
    if fact:
        return ok(say("The panel is root there."))
    fix = say(
        "Let the panel sign in as root (in sshd_config, `PermitRootLogin prohibit-password`), or as"
        " another user who may use sudo without a password."
    )
    return failed(say("The panel is not root there."), fix)


def scripts(seen: Evidence) -> CheckAnswer:
    fact = seen.node.scripts
    if isinstance(fact, Unknown):
        return unknown(fact)
    absent = sorted(name for name, readable in fact.items() if not readable)
    if not absent:
        return ok(say("Both scripts are there and readable."))
    folder = f"{seen.app_dir}/backend/app_bash"
    return failed(
        say("%(names)s cannot be read in %(folder)s.", names=", ".join(absent), folder=folder),
        say("Install or update dpiui2 on %(host)s, or correct its directory.", host=seen.host),
    )


def env_file(seen: Evidence) -> CheckAnswer:
    fact = seen.node.env
    if isinstance(fact, Unknown):
        return CheckAnswer("failed" if not fact.raw and fact.fix else "unknown", fact.why, fact.fix)
    if fact.present:
        return ok(say("The file is there and readable."))
    path = f"{seen.app_dir}/backend/.env"
    return failed(
        say("%(path)s is missing.", path=path),
        say("Install dpiui2 on %(host)s, or correct its directory.", host=seen.host),
    )


def settings_equal(seen: Evidence) -> CheckAnswer:
    fact = seen.node.env
    if isinstance(fact, Unknown):
        return unknown(fact)
    wanted = seen.settings.as_env()
    other = sorted(key for key, value in wanted.items() if fact.keys.get(key) != value)
    if not other:
        return ok(say("The three keys are as the panel wants them."))
    return CheckAnswer(
        "warning",
        say("These keys differ from the panel's settings: %(keys)s.", keys=", ".join(other)),
        say("Run “Write settings”; the difference is shown before anything is written."),
    )


def disk(seen: Evidence) -> CheckAnswer:
    free = seen.node.disk_free
    if isinstance(free, Unknown):
        return unknown(free)
    if not free:
        return CheckAnswer("unknown", say("No file system answered."))
    path = min(free, key=lambda name: free[name])
    detail = say("%(free)s GiB free in %(path)s.", free=f"{free[path] / GIB:.1f}", path=path)
    fix = say("Make room there; what is large: `du -xh %(path)s | sort -h | tail`", path=path)
    if free[path] < DISK_FAIL:
        return failed(detail, fix)
    return CheckAnswer("warning", detail, fix) if free[path] < DISK_WARN else ok(detail)


def memory(seen: Evidence) -> CheckAnswer:
    fact = seen.node.memory
    if isinstance(fact, Unknown):
        return unknown(fact)
    available = fact["available"]
    detail = say("%(free)s MiB of memory available.", free=available // MIB)
    fix = say("Give the server more memory, or see what takes it: `ps aux --sort=-rss | head`")
    if available < MEMORY_FAIL:
        return failed(detail, fix)
    return CheckAnswer("warning", detail, fix) if available < MEMORY_WARN else ok(detail)


def versions(seen: Evidence) -> CheckAnswer:
    own = seen.node.versions
    if isinstance(own, Unknown):
        return unknown(own)
    silent = [n.host for n in seen.facts.nodes if isinstance(n.versions, Unknown)]
    for name in ("mariadb", "gluster"):
        others = {
            n.host: n.versions.get(name, "")
            for n in seen.facts.nodes
            if not isinstance(n.versions, Unknown)
        }
        if len(set(others.values())) > 1:
            return _versions_differ(name, others)
    if silent:
        return CheckAnswer(
            "unknown",
            say("Not every server said its versions: %(hosts)s.", hosts=", ".join(silent)),
        )
    return ok(
        say(
            "MariaDB %(mariadb)s, GlusterFS %(gluster)s on all servers.",
            mariadb=own.get("mariadb") or "–",
            gluster=own.get("gluster") or "–",
        )
    )


def _versions_differ(name: str, found: dict[str, str]) -> CheckAnswer:
    told = ", ".join(f"{host} {version or '–'}" for host, version in found.items())
    return failed(
        say("%(name)s differs: %(told)s.", name=name, told=told),
        say("Bring all servers to the same version: `dnf upgrade` or `apt-get upgrade`."),
    )


def socket(seen: Evidence) -> CheckAnswer:
    fact = seen.node.units
    if isinstance(fact, Unknown):
        return unknown(fact)
    state = fact.get("mariadb.socket", "not-found")
    enabled = seen.node.extra.get("enabled", {}).get("mariadb.socket", "")
    if state != "active" and enabled != "enabled":
        return ok(say("mariadb.socket is not in the way."))
    return failed(
        say("mariadb.socket is %(state)s.", state=state if state == "active" else enabled),
        say("`systemctl disable --now mariadb.socket`"),
    )


def no_other_job(seen: Evidence) -> CheckAnswer:
    asked = seen.asked
    fact = asked if isinstance(asked, Unknown) else asked.jobs
    if isinstance(fact, Unknown):
        return unknown(fact)
    if not fact:
        return ok(say("Nothing else works on this server."))
    lock = {
        line.split()[1]: " ".join(line.split()[2:]) for line in fact if line.startswith("lock ")
    }
    if lock:
        why = say(
            "Run %(run)s of panel %(panel)s holds this server.",
            run=lock.get("run", "?"),
            panel=lock.get("panel", "?"),
        )
        return failed(why, say("Wait until that run has ended, or ask who started it."))
    told = ", ".join(fact)
    return failed(
        say("There is work in progress: %(told)s.", told=told),
        say("Wait until it has ended: `ps aux | grep app_bash`"),
    )


def bootstrap_marker(seen: Evidence) -> CheckAnswer:
    fact = seen.node.bootstrap_marker
    if isinstance(fact, Unknown):
        return unknown(fact)
    if not fact:
        return ok(say("No marker is left."))
    return failed(
        say("A marker is left: %(marker)s.", marker=fact),
        say(
            "`systemctl unset-environment _WSREP_NEW_CLUSTER; rm -f /run/*wsrep-new-cluster"
            " /run/*/wsrep-new-cluster`"
        ),
    )


def dpiui2_version(seen: Evidence) -> CheckAnswer:
    fact = seen.node.versions
    if isinstance(fact, Unknown):
        return unknown(fact)
    if "dpiui2" not in fact:
        return CheckAnswer("unknown", say("There is no rpm here to ask for the version of dpiui2."))
    text = fact["dpiui2"]
    if not text:
        return CheckAnswer("unknown", say("rpm does not know a package dpiui2."))
    numbers = tuple(int(part) for part in text.split("."))
    if numbers >= LEAST_DPIUI2:
        return ok(say("dpiui2 %(version)s.", version=text))
    return failed(
        say("dpiui2 %(version)s is older than 2.25.9.", version=text), say("`dnf update dpiui2`")
    )


JUDGES: dict[str, Judge] = {
    "ssh": ssh,
    "host_key": host_key,
    "root": root,
    "scripts": scripts,
    "env_file": env_file,
    "settings_equal": settings_equal,
    "ports": ports,
    "names": names,
    "clock": clock,
    "disk": disk,
    "memory": memory,
    "versions": versions,
    "socket": socket,
    "firewall_selinux": firewall_selinux,
    "no_other_job": no_other_job,
    "bootstrap_marker": bootstrap_marker,
    "dpiui2_version": dpiui2_version,
}


def judge(check_id: str, seen: Evidence) -> CheckAnswer:
    return JUDGES[check_id](seen)

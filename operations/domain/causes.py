"""The likely cause of a failed step, from its exit code and its last lines. Pure.

Rules are tried in order, the most telling first. A rule may only name what its words prove; when
none fits, nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nodes.domain.text import Text, say


@dataclass(frozen=True)
class Cause:
    """What most likely happened, and what a person does about it."""

    cause: Text
    fix: Text


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    cause: Text
    fix: Text
    exit_code: int | None = None


def _rule(pattern: str, cause: Text, fix: Text, exit_code: int | None = None) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), cause, fix, exit_code)


_RULES = (
    _rule(
        r"The brick \S+ does not run|self-heal daemon of \S+ does not run",
        say("A brick stayed down: its server started it too early, or its disk was not there yet."),
        say(
            "Choose “Start the bricks that are down” on that server's card (gluster volume start"
            " … force touches nothing that runs), then go on with the run."
        ),
    ),
    _rule(
        r"do not all have the panel's settings|does not read its settings",
        say("The settings were changed on a server by hand, or while it was away."),
        say(
            "Look at the difference on the settings page. “Write ours” applies the panel's: then go on"
            " with the run. “Take theirs” ends it as well: then this run is not needed any more."
        ),
    ),
    _rule(
        r"names \S+ the primary, not",
        say("The servers do not agree who is the primary."),
        say("“Write ours” on the settings page, or change the primary; then go on with the run."),
    ),
    _rule(
        r"is in use: stop what uses it",
        say("Something still works in the storage directory."),
        say("Stop dpiui2's web server there, or what the last line names, then retry this step."),
    ),
    _rule(
        r"must be run as root|permission denied \(you must be root\)|EUID",
        say("The script was not run as root."),
        say("Give the panel root's SSH access to this node, then go on with the run."),
    ),
    _rule(
        r"no space left|disk quota exceeded|disk full",
        say("The disk is full."),
        say("Free some space on this node (look with: df -h), then go on with the run."),
    ),
    _rule(
        r"may not be safe to bootstrap",
        say("Galera refuses to start a cluster here: this node was not the last one to leave it."),
        say("Do not force it. Find the most advanced node first: see Recovery."),
    ),
    _rule(
        r"address already in use|bind on tcp/ip port",
        say("The database port is taken, often by mariadb.socket."),
        say("Run: systemctl disable --now mariadb.socket, then go on with the run."),
    ),
    _rule(
        r"failed to reach primary view|failed to open gcomm|connection timed out.*gcomm|gcomm.*110",
        say("The node found no cluster to join: the others did not answer on the Galera ports."),
        say("Open 4567, 4568 and 4444 between the nodes and see that the primary is Synced."),
    ),
    _rule(
        r"WSREP_SST|sst (failed|script)|state transfer .*failed|sst_in_progress",
        say("The transfer of the database to this node failed."),
        say(
            "Look at free space here and at port 4444 between the nodes; the donor's journal says"
            " more: journalctl -u mariadb"
        ),
    ),
    _rule(
        r"access denied",
        say("The database refused the sign-in."),
        say("See that root of this node may connect to MariaDB without a password: mariadb -e ''"),
    ),
    _rule(
        r"can't connect to (local )?(mysql|mariadb|server)|the database does not answer",
        say("The database on this node does not run or does not answer."),
        say("Look at: systemctl status mariadb"),
    ),
    _rule(
        r"already part of a volume|is already a part of|brick.*already",
        say("The brick directory was part of a volume before."),
        say("Use an empty directory, or clear the old brick by hand if its files are not needed."),
    ),
    _rule(
        r"volume .*already exists|already exist",
        say("What was to be created exists already."),
        say("Plan the procedure again: what is done already is left out."),
    ),
    _rule(
        r"not in cluster|peer rejected|not in ('|\")?peer in cluster|probe returned with|cannot add",
        say("A peer is not connected."),
        say("See that glusterd runs there and that port 24007 is open between all nodes."),
    ),
    _rule(
        r"another transaction is in progress|locking failed",
        say("Another gluster command holds the lock of the pool."),
        say("Wait a few minutes and go on with the run."),
    ),
    _rule(
        r"transport endpoint is not connected|mount failed|cannot be mounted",
        say("The GlusterFS mount did not come up."),
        say("See that the volume is started and its bricks are online: gluster volume status"),
    ),
    _rule(
        r"galera provider .*not installed|libgalera_smm",
        say("The Galera library is not installed."),
        say("Install galera-4 (Debian) or galera (RPM) on this node."),
    ),
    _rule(
        r"was changed meanwhile",
        say("Somebody changed the file between the plan and the write."),
        say("Look at the difference on the settings page and plan again."),
        4,
    ),
    _rule(
        r"connection timed out|no route to host|connection refused|network is unreachable",
        say("Another host did not answer."),
        say("See that the nodes reach each other (the checks say which ports do not answer)."),
    ),
    _rule(
        r"job for \S+ failed|start request repeated too quickly",
        say("A service did not start."),
        say("Look at: systemctl status and journalctl -xe on this node."),
    ),
    _rule(
        r"not found|no such file",
        say("The script, or a program it needs, is missing on this node."),
        say("Install dpiui2 2.25.9 or newer here, or correct the application directory."),
        127,
    ),
)

_BY_CODE = {
    126: Cause(
        say("The script cannot be executed."), say("Look at its mode and at the mount options.")
    ),
    127: Cause(
        say("The script, or a program it needs, is missing on this node."),
        say("Install dpiui2 2.25.9 or newer here, or correct the application directory."),
    ),
    137: Cause(
        say("The process was killed, often because memory ran out."),
        say("Look at: journalctl -k | grep -i oom"),
    ),
    143: Cause(
        say("The process was told to stop from outside."),
        say("Find out who stopped it, then go on with the run."),
    ),
}

_UNPROVEN = Cause(
    say("The script ended well, but its effect did not appear in time."),
    say("Look at the node: the sentence says what is missing. Then go on with the run."),
)


def likely_cause(exit_code: int | None, last_lines: Sequence[str]) -> Cause | None:
    """The first rule that fits; later lines count as much as earlier ones. None: nobody knows."""
    text = "\n".join(last_lines)
    for rule in _RULES:
        if rule.exit_code in (None, exit_code) and rule.pattern.search(text):
            return Cause(rule.cause, rule.fix)
    if exit_code == 0:
        return _UNPROVEN
    return _BY_CODE.get(exit_code) if exit_code is not None else None


def remedy(cause: Cause | None, node: str) -> Text:
    """What to do; where no rule fits, the way every admin would go."""
    if cause is not None:
        return cause.fix
    return say(
        "No known cause fits. Read the last lines, put right on %(node)s what they name, then retry"
        " this step.",
        node=node,
    )

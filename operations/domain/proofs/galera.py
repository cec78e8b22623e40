"""A node is in the cluster when its own SQL says so, and the primary's says the same UUID."""

from __future__ import annotations

from nodes.domain.text import Text, say
from operations.domain.proofs.base import (
    Answer,
    Args,
    Holds,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
    first_line,
    heard,
)

CLIENT = """
client=$(command -v mariadb || command -v mysql) || { echo "no mariadb client" >&2; exit 127; }
"""
ASK_STATUS = r"""
"$client" --connect-timeout=5 -NBe "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready',
    'wsrep_cluster_status', 'wsrep_cluster_size', 'wsrep_cluster_state_uuid', 'wsrep_local_state',
    'wsrep_local_state_comment')"
"""
_STATUS = CLIENT + "exec " + ASK_STATUS.lstrip()
_ACCOUNTS = (
    CLIENT
    + r"""
exec "$client" --connect-timeout=5 -NBe "SELECT Host FROM mysql.user WHERE User = 'clusterpanel'"
"""
)


def _member_sentence(args: Args) -> Text:
    return say(
        "%(node)s is Synced in a Primary component of at least %(size)s nodes, with the UUID of"
        " %(primary)s",
        node=args[0],
        size=args[1],
        primary=args[2],
    )


def _member_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return tuple(Probe(host, _STATUS, ()) for host in dict.fromkeys((args[0], args[2])))


def _member_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the node, the least cluster size, the primary."""
    node, size, primary = args
    status: dict[str, dict[str, str]] = {}
    for host in dict.fromkeys((node, primary)):
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            return answer
        if answer.exit_code != 0:
            return NotYet(
                say("%(node)s: no answer from SQL: %(why)s.", node=host, why=first_line(answer))
            )
        status[host] = _status(answer)
    if fault := _fault(node, int(size), primary, status[node], status[primary]):
        return NotYet(fault)
    return _member(node, status[node])


def _status(answer: Answer) -> dict[str, str]:
    lines = answer.stdout.decode(errors="replace").splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def _fault(
    node: str, least: int, primary: str, own: dict[str, str], first: dict[str, str]
) -> Text | None:
    """The first thing that is not as it must be."""
    return not_synced(node, own) or _too_few(node, least, own) or _apart(node, primary, own, first)


def not_synced(node: str, own: dict[str, str]) -> Text | None:
    component = own.get("wsrep_cluster_status", "")
    if component != "Primary":
        return say(
            "%(node)s: wsrep_cluster_status is %(found)s, expected Primary.",
            node=node,
            found=component or "—",
        )
    if own.get("wsrep_local_state") != "4" or own.get("wsrep_ready") != "ON":
        return say(
            "%(node)s is %(found)s, expected Synced.",
            node=node,
            found=own.get("wsrep_local_state_comment") or "—",
        )
    return None


def _too_few(node: str, least: int, own: dict[str, str]) -> Text | None:
    size = own.get("wsrep_cluster_size", "")
    if size.isdigit() and int(size) >= least:
        return None
    return say(
        "%(node)s: wsrep_cluster_size is %(found)s, expected at least %(least)s.",
        node=node,
        found=size or "—",
        least=least,
    )


def _apart(node: str, primary: str, own: dict[str, str], first: dict[str, str]) -> Text | None:
    uuid, expected = (status.get("wsrep_cluster_state_uuid", "") for status in (own, first))
    if uuid and uuid == expected:
        return None
    return say(
        "%(node)s has cluster UUID %(found)s, but the primary %(primary)s has %(expected)s.",
        node=node,
        found=uuid or "—",
        primary=primary,
        expected=expected or "—",
    )


def _member(node: str, own: dict[str, str]) -> Holds:
    evidence = {
        "node": node,
        "size": int(own["wsrep_cluster_size"]),
        "uuid": own["wsrep_cluster_state_uuid"],
        "state": own.get("wsrep_local_state_comment", ""),
    }
    if own["wsrep_cluster_size"] == "1":
        return Holds(evidence, say("%(node)s is Synced in a Primary component of one.", node=node))
    sentence = say(
        "%(node)s is Synced in a Primary component of %(size)s nodes.",
        node=node,
        size=own["wsrep_cluster_size"],
    )
    return Holds(evidence, sentence)


def _account_sentence(args: Args) -> Text:
    return say("the account clusterpanel exists on %(nodes)s", nodes=", ".join(args))


def _account_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return tuple(Probe(host, _ACCOUNTS, ()) for host in args)


def _account_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: every Galera node."""
    for host in args:
        answer = heard(outputs, host)
        if isinstance(answer, NotYet):
            return answer
        if answer.exit_code != 0:
            return NotYet(
                say("%(node)s: no answer from SQL: %(why)s.", node=host, why=first_line(answer))
            )
        found = set(answer.stdout.decode(errors="replace").split())
        if missing := sorted({"localhost", "127.0.0.1"} - found):
            return NotYet(
                say(
                    "%(node)s has no account clusterpanel@%(host)s yet.",
                    node=host,
                    host=missing[0],
                )
            )
    return Holds({"nodes": list(args)}, say("The account is on %(nodes)s.", nodes=", ".join(args)))


GALERA_MEMBER = ProofKind(_member_sentence, _member_probes, _member_judge)
MONITOR_ACCOUNT = ProofKind(_account_sentence, _account_probes, _account_judge)

"""What stopping a cluster in order leaves on each server, and that it was taken back."""

from __future__ import annotations

from nodes.domain.text import Text, say
from operations.domain.power_scripts import NOTE
from operations.domain.proofs.base import (
    Args,
    Holds,
    Never,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
    heard,
    pairs,
)

_STOPPED = f"""
export LC_ALL=C
echo "unit=$(systemctl is-active mariadb)"
echo "processes=$(cat /proc/[0-9]*/comm 2> /dev/null | grep -c -x -E 'mariadbd|mysqld')"
read -r line < {NOTE} && for word in $line; do echo "$word"; done
exit 0
"""
_GIVEN_BACK = f"""
[ -e {NOTE} ] && echo "note=there"
exit 0
"""


def _stopped_sentence(args: Args) -> Text:
    return say(
        "mariadb is inactive on %(node)s with a position, noted as number %(place)s of the order",
        node=args[0],
        place=args[2],
    )


def _stopped_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _STOPPED, ()),)


def _stopped_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server, the run, its place in the order."""
    host, run, place = args
    answer = heard(outputs, host)
    if isinstance(answer, NotYet):
        return answer
    told = pairs(answer)
    if told.get("unit") not in ("inactive", "failed") or told.get("processes") != "0":
        return NotYet(
            say("%(node)s: mariadb is %(unit)s.", node=host, unit=told.get("unit") or "?")
        )
    if (told.get("run"), told.get("place"), told.get("state")) != (run, place, "stopped"):
        return NotYet(say("The order of the stop is not noted on %(node)s.", node=host))
    if not told.get("seqno", "").isdecimal():
        why = say("%(node)s wrote no position when it stopped: it was not in step.", node=host)
        return Never(why)
    evidence = {"node": host, "uuid": told.get("uuid", ""), "seqno": int(told["seqno"])}
    sentence = say("%(node)s is stopped at %(seqno)s.", node=host, seqno=told["seqno"])
    return Holds({**evidence, "place": int(place)}, sentence)


def _given_back_sentence(args: Args) -> Text:
    return say("nothing that the stop had put off is left off on %(node)s", node=args[0])


def _given_back_probes(args: Args, node: str, hosts: tuple[str, ...]) -> tuple[Probe, ...]:
    return (Probe(args[0], _GIVEN_BACK, ()),)


def _given_back_judge(args: Args, outputs: Outputs) -> Verdict:
    """Arguments: the server."""
    answer = heard(outputs, args[0])
    if isinstance(answer, NotYet):
        return answer
    if answer.exit_code != 0 or "note" in pairs(answer):
        return NotYet(say("The note of the stop is still on %(node)s.", node=args[0]))
    return Holds({"node": args[0]}, say("%(node)s is as it was before the stop.", node=args[0]))


STOPPED_IN_ORDER = ProofKind(_stopped_sentence, _stopped_probes, _stopped_judge)
GIVEN_BACK = ProofKind(_given_back_sentence, _given_back_probes, _given_back_judge)

"""What a stopped database left on its disk: one small script per Galera server, all at once.

Nothing is written and nothing is started; it may be asked at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from nodes.domain import traces as parse
from nodes.domain.observation import Unknown
from nodes.domain.parse_sections import read, sections
from nodes.domain.text import say
from nodes.domain.traces import DATADIR, KEPT, MARK_OF_DATA, Traces
from nodes.probes.script import MARK, PRELUDE
from nodes.transport.base import Target, Transport, TransportError, script

TIMEOUT_S = 10.0
NOT_KNOWN: Mapping[str, str] = MappingProxyType({})

# Argument: the data directory if it is known.
TRACES = (
    PRELUDE
    + "datadir=$1\n"
    + DATADIR
    + MARK_OF_DATA
    + rf"""
view() {{ if [ -e "$datadir/gvwstate.dat" ]; then cat "$datadir/gvwstate.dat"; else echo absent; fi; }}
kept() {{ if [ -e {KEPT} ]; then cat {KEPT}; else echo absent; fi; }}
data() {{ for file in ibdata1 grastate.dat; do [ ! -e "$datadir/$file" ] || echo "$file"; done; }}
part mark mark
part view view
part kept kept
part data data
"""
)

Connect = Callable[[Target], Transport]


def look(
    connect: Connect, targets: Sequence[Target], datadirs: Mapping[str, str] = NOT_KNOWN
) -> Mapping[str, Traces | Unknown]:
    """By host; a node that does not answer is Unknown. Takes at most TIMEOUT_S seconds or so.

    `datadirs`: where the data lies, by host, as far as it is known.
    """
    with ThreadPoolExecutor(max(1, len(targets)), "traces") as pool:
        found = pool.map(lambda t: _ask(connect, t, datadirs.get(t.host, "")), targets)
        return {target.host: answer for target, answer in zip(targets, found, strict=True)}


def _ask(connect: Connect, target: Target, datadir: str) -> Traces | Unknown:
    try:
        output = connect(target).run(script(TRACES, datadir, timeout_s=TIMEOUT_S))
    except TransportError as error:
        return Unknown(error.why, fix=error.fix, code=error.code)
    return of_text(output.text)


def of_text(text: str) -> Traces | Unknown:
    parts = sections(text, MARK)
    mark = read(parts, "mark", parse.mark)
    view = read(parts, "view", parse.last_view)
    kept = read(parts, "kept", parse.kept)
    for each in (mark, view):
        if isinstance(each, Unknown):
            return each
    if "data" not in parts:
        return Unknown(say("The answer ended too early."))
    assert isinstance(mark, str)
    assert not isinstance(view, Unknown)
    nothing = not parts["data"].lines
    return Traces(mark, view, None if isinstance(kept, Unknown) else kept, nothing)

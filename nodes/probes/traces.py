"""What a stopped database left on its disk: one small script per Galera server, all at once.

Nothing is written and nothing is started; it may be asked at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from nodes.domain import traces as parse
from nodes.domain.observation import Unknown
from nodes.domain.parse_sections import read, sections
from nodes.domain.text import say
from nodes.domain.traces import Traces
from nodes.probes.script import MARK, PRELUDE
from nodes.transport.base import Target, Transport, TransportError, script

TIMEOUT_S = 10.0
KEPT = "/var/lib/clusterpanel/recovery/position"

# Where the data lies. $datadir may be set before. The name of a function must not look like a path.
DATADIR = r"""
if [ -z "$datadir" ]; then
    datadir=/var/lib/mysql
    if command -v my_print_defaults >/dev/null 2>&1; then
        own=$(my_print_defaults --mysqld 2>/dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
        [ -z "$own" ] || datadir=${own%/}
    fi
fi
"""

# Another mark: the server was started since, or booted, or somebody changed its state files. Every
# start of mysqld writes to ib_logfile0 (InnoDB's redo log), whatever comes of it.
MARK_OF_DATA = r"""
mark() {
    (
        cd "$datadir" 2>/dev/null || exit 0
        cat /proc/sys/kernel/random/boot_id grastate.dat gvwstate.dat 2>/dev/null
        for file in ibdata1 ib_logfile0 grastate.dat gvwstate.dat sst_in_progress; do
            stat -c '%n %s %y' "$file" 2>/dev/null
        done
    ) | sha256sum | cut -d ' ' -f 1
}
"""

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


def look(connect: Connect, targets: Sequence[Target]) -> Mapping[str, Traces | Unknown]:
    """By host; a node that does not answer is Unknown. Takes at most TIMEOUT_S seconds or so."""
    with ThreadPoolExecutor(max(1, len(targets)), "traces") as pool:
        found = pool.map(lambda target: _ask(connect, target), targets)
        return {target.host: answer for target, answer in zip(targets, found, strict=True)}


def _ask(connect: Connect, target: Target) -> Traces | Unknown:
    try:
        output = connect(target).run(script(TRACES, "", timeout_s=TIMEOUT_S))
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

"""Requests of every kind, made by schemathesis from the API's own description.

What fits the description and what does not, in equal parts. Names that the panel knows are put in
often: a request with an invented id is only ever told that there is no such thing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema

from nodes.samples import METRICS
from nodes.transport.keys import fingerprint
from operations.domain.planners import PLANNERS
from tests.api.premises import KEY, Premises
from tests.fakes.recorded import HOSTS
from tests.people.doors import API, BODIES

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
HOSTILE = (
    "",
    " ",
    "-x",
    "--",
    "..",
    "/",
    "a/../../etc/passwd",
    "a\0b",
    "a\nb",
    "\r",
    "'",
    '"',
    "`id`",
    "$(id)",
    "; id",
    "%(name)s",
    "%s",
    "{host}",
    "{0.__class__}",
    "<script>alert(1)</script>",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\ufffe",
    "é" * 300,
    "9" * 400,
    "x" * 70_000,
    "0",
    "NaN",
    "1e400",
    "null",
)
ODD: tuple[Any, ...] = (
    *HOSTILE,
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    -0.0,
    1.5,
    [],
    {},
    [[]],
    {"a": None},
    [None],
)


# By place: written out, these would make every report of hypothesis unreadable.
_ODD = st.integers(0, len(ODD) - 1).map(ODD.__getitem__)
# Only JSON can carry half a character.
_SENDABLE = _ODD.filter(lambda value: value != "\ud800")
Values = Mapping[str, st.SearchStrategy[Any]]


def operations_of(schema: BaseSchema) -> dict[str, APIOperation]:
    """By method and path."""
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return {operation.label: operation for operation in found}


def requests(
    operations: Sequence[APIOperation], premises: Premises, doors: Sequence[str]
) -> st.SearchStrategy[tuple[str, Case]]:
    """A door and a request for one of these operations that goes through it."""
    made = [(op.label, op.as_strategy(generation_mode=mode)) for op in operations for mode in MODES]
    known, bodies = _known(premises), _bodies(premises)

    @st.composite
    def request(draw: Callable[..., Any]) -> Case:
        label, strategy = made[draw(st.integers(0, len(made) - 1))]
        case: Case = draw(strategy)
        if label in bodies and draw(st.booleans()):
            case.body = copy.deepcopy(bodies[label][draw(st.integers(0, len(bodies[label]) - 1))])
        for part, odd in (
            (case.path_parameters, _SENDABLE),
            (case.query, _SENDABLE),
            (case.body, _ODD),
        ):
            if isinstance(part, dict):
                _meddle(draw, part, known, odd)
        return case

    return st.tuples(st.sampled_from(doors), request())


def _meddle(
    draw: Callable[..., Any], part: dict[str, Any], known: Values, odd: st.SearchStrategy[Any]
) -> None:
    """Some values become one that is known, some an odd one; the others stay as they were made."""
    for name, value in list(part.items()):
        fate = draw(st.integers(0, 9))
        if isinstance(value, dict) and name not in known:
            _meddle(draw, value, known, odd)
        elif name in known and fate < 4:
            part[name] = draw(known[name])
        elif fate == 4:
            part[name] = draw(odd)


def _known(premises: Premises) -> dict[str, st.SearchStrategy[Any]]:
    lists = [list(HOSTS), list(reversed(HOSTS)), [HOSTS[0]], ["node1", "node2", "node3"]]
    ids = [cluster.pk for cluster in premises.clusters]
    steps = [step.key for step in premises.failed.plan.steps]
    words: dict[str, Sequence[Any]] = {
        "cluster_id": ids,
        "cluster": ids,
        "run_id": [run.pk for run in premises.runs],
        "step": steps,
        "host": HOSTS,
        "hosts": [",".join(HOSTS), HOSTS[0], ",", HOSTS[1] + ","],
        "galera_peer_hosts": lists,
        "cluster_fs_peer_hosts": lists,
        "cluster_primary_host": HOSTS,
        "app_dir": ["/app", "/var/www/html/dpiui2/"],
        "metric": sorted(METRICS),
        "revision": [1, 2, 3],
        "number": [1, 2, 3],
        "procedure": sorted(PLANNERS),
        "plan_hash": sorted(premises.hashes.values()),
        "sha256": [fingerprint(KEY)],
        "kind": ["database", "storage"],
        "check": ["ssh", "root"],
        "finding": [premises.drift],
        "page_url": ["https://{host}/", ""],
    }
    found = {name: st.sampled_from(values) for name, values in words.items()}
    return found | {"params": _params(), "confirmations": _confirmations()}


def _params() -> st.SearchStrategy[dict[str, Any]]:
    names = ("node", "nodes", "service", "stages", "primary", "accept", "copy", "stop", "force")
    words = ("mariadb", "glusterd", "host", "yes", "all", "database", "/backups/a.gz")
    values = [*HOSTS, list(HOSTS), [HOSTS[1]], *words]
    value = st.sampled_from(values) | _ODD
    return st.dictionaries(st.sampled_from((*names, "kind", "path")), value, max_size=3)


def _confirmations() -> st.SearchStrategy[dict[str, Any]]:
    """Answers to the gates of the plans that were shown: right, odd, and right with something odd."""
    waiver = st.fixed_dictionaries(
        {},
        optional={
            "typed": st.just("Office") | _ODD,
            "reason": st.just("for a reason") | _ODD,
            "password": _ODD,
        },
    )
    answer = st.fixed_dictionaries(
        {},
        optional={
            "accept": st.just(True) | _ODD,
            "typed": st.just("Office") | _ODD,
            "backup": st.just(1) | _ODD,
            "waiver": waiver | _ODD,
        },
    )
    gates = st.sampled_from(("servers", "primary-pauses", "full-stop"))
    return st.dictionaries(gates, answer | _ODD, max_size=3)


def _bodies(premises: Premises) -> dict[str, Sequence[dict[str, Any]]]:
    """From what knocks at every door, and a start of each plan that was shown."""
    found: dict[str, Sequence[dict[str, Any]]] = {
        f"{method} /api/v1{path}": [{"revision": 2, **body} if "revision" in body else dict(body)]
        for path, body in BODIES.items()
        for method in API[path]
    }
    accept = {"accept": True}
    every = {"servers": accept, "primary-pauses": accept, "full-stop": {"typed": "Office"}}
    gates = {"rolling_restart": ("servers", "primary-pauses"), "stop_cluster": ("full-stop",)}
    found["POST /api/v1/clusters/{cluster_id}/runs"] = [
        {
            "procedure": procedure,
            "plan_hash": shown,
            "params": {},
            "confirmations": {gate: every[gate] for gate in gates.get(procedure, ())},
        }
        for procedure, shown in premises.hashes.items()
    ]
    return found

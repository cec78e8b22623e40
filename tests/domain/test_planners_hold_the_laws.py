"""Over random observations: a plan that keeps every law, or a refusal; never anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.domain.observation import EnvFacts, GaleraFacts, GlusterVolume, MountFacts, NodeFacts
from nodes.domain.refusal import Refusal
from operations.domain.invariants import check_plan
from operations.domain.plan import Plan
from operations.domain.planners import PLANNERS
from operations.domain.situation import Situation
from tests.builders import (
    HOSTS,
    NO_ANSWER,
    UUID,
    friends,
    gluster_units,
    mounted,
    node,
    peers,
    silent,
    situation,
    synced,
    volume,
)
from tests.domain.worlds import after

OTHER_UUID = "f" * 36
INSTALLERS = ("apply_settings", "install_galera", "install_glusterfs")


def galera() -> st.SearchStrategy[Any]:
    running = st.builds(
        GaleraFacts,
        wsrep_on=st.just(True),
        cluster_status=st.sampled_from(["Primary", "non-Primary", "Disconnected", ""]),
        cluster_size=st.integers(0, 3),
        cluster_uuid=st.sampled_from([UUID, OTHER_UUID, ""]),
        local_state=st.integers(0, 4),
        local_state_comment=st.just("?"),
        ready=st.booleans(),
    )
    return st.one_of(st.just(GaleraFacts(False)), running, st.just(NO_ANSWER))


def healed() -> GlusterVolume:
    """A volume of which nothing waits for healing, and that is known."""
    made = volume()
    bricks = tuple(replace(b, heal_pending=0, split_brain=0) for b in made.bricks)
    return replace(made, bricks=bricks)


def facts(host: str) -> st.SearchStrategy[NodeFacts]:
    wanted = peers().as_env()
    fields = {
        "is_root": st.sampled_from([True, True, True, False, NO_ANSWER]),
        "units": st.sampled_from([gluster_units(), {"glusterd": "inactive"}, {}, NO_ANSWER]),
        "mysqld_running": st.sampled_from([True, False, NO_ANSWER]),
        "databases": st.sampled_from([{"dpiui2": 12}, {}, NO_ANSWER]),
        "galera": galera(),
        "env": st.sampled_from(
            [EnvFacts(True, "", wanted), EnvFacts(True), EnvFacts(False), NO_ANSWER]
        ),
        "scripts": st.sampled_from(
            [{"galera_setup.sh": True, "glusterfs_setup.sh": True}, {}, NO_ANSWER]
        ),
        "gluster_peers": st.sampled_from([(), friends(host), friends(host)[:1], NO_ANSWER]),
        "gluster_volumes": st.sampled_from(
            [
                (),
                (volume(),),
                (healed(),),
                (volume(replica=2),),
                (volume(started=False),),
                NO_ANSWER,
            ]
        ),
        "mount": st.sampled_from(
            [MountFacts(False), mounted(), MountFacts(True, "fuse.glusterfs"), NO_ANSWER]
        ),
    }
    changed = st.fixed_dictionaries({}, optional=fields).map(lambda c: node(host, **c))
    return st.one_of(changed, changed, changed, st.just(silent(host)))


def running(host: str) -> st.SearchStrategy[NodeFacts]:
    """A member that is well, or lacks one or two things."""
    fields = {
        "galera": galera(),
        "units": st.sampled_from([{"glusterd": "inactive", "mariadb": "active"}, {}, NO_ANSWER]),
        "mysqld_running": st.sampled_from([True, False, NO_ANSWER]),
        "gluster_peers": st.sampled_from([friends(host)[:1], NO_ANSWER]),
        "gluster_volumes": st.sampled_from([(), (volume(),), NO_ANSWER]),
        "mount": st.sampled_from([MountFacts(False), NO_ANSWER]),
        "bootstrap_marker": st.sampled_from(["/run/wsrep-new-cluster", NO_ANSWER]),
    }
    well = node(
        host,
        galera=synced(),
        gluster_peers=friends(host),
        gluster_volumes=(healed(),),
        mount=mounted(),
        units=gluster_units(),
        bootstrap_marker="",
    )
    bent = st.fixed_dictionaries({}, optional=fields).map(lambda c: replace(well, **c))
    return st.one_of(st.just(well), st.just(well), st.just(well), bent, st.just(silent(host)))


def everywhere() -> st.SearchStrategy[Situation]:
    members = st.tuples(*(running(host) for host in HOSTS)).map(lambda nodes: situation(*nodes))
    return st.one_of(situations(), members)


def situations() -> st.SearchStrategy[Situation]:
    return st.tuples(*(facts(host) for host in HOSTS)).map(lambda nodes: situation(*nodes))


PARAMS = st.dictionaries(
    st.sampled_from(
        ["nodes", "stages", "force", "kind", "node", "service", "path", "primary", "else"]
    ),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.sampled_from([*HOSTS, "mount", "host", "glusterd", "/x", ""]),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    max_size=3,
)


@settings(max_examples=400, deadline=None)
@given(everywhere(), st.sampled_from(sorted(PLANNERS)), PARAMS)
def test_any_observation_gives_a_lawful_plan_or_a_refusal(
    where: Situation, procedure: str, params: dict[str, Any]
) -> None:
    answer = PLANNERS[procedure](replace(where, params=params))
    if isinstance(answer, Refusal):
        assert answer.code
        assert str(answer.why)
        assert str(answer.fix)
    else:
        check_plan(answer, where.hosts)
        assert Plan.from_json(answer.to_json()) == answer


@settings(max_examples=400, deadline=None)
@given(situations(), st.sampled_from(INSTALLERS), st.data())
def test_a_crash_after_any_step_is_planned_on(
    where: Situation, procedure: str, data: st.DataObject
) -> None:
    plan = PLANNERS[procedure](where)
    if isinstance(plan, Refusal):
        return
    done = data.draw(st.integers(1, len(plan.steps)))
    again = PLANNERS[procedure](after(where, plan.steps[:done]))
    rest = again.steps if isinstance(again, Plan) else ()
    assert [step.key for step in rest] == [step.key for step in plan.steps[done:]]


@settings(max_examples=400, deadline=None)
@given(situations())
def test_the_script_never_runs_on_the_primary_while_galera_lives(where: Situation) -> None:
    plan = PLANNERS["install_galera"](where)
    alive = [
        n.host for n in where.facts.nodes if isinstance(n.galera, GaleraFacts) and n.galera.wsrep_on
    ]
    if isinstance(plan, Plan) and HOSTS[0] in plan.nodes:
        assert not alive
    if isinstance(plan, Plan):
        assert plan.nodes[0] == HOSTS[0] or HOSTS[0] in alive

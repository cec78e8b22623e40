"""The steps of a recovery: begin, join, storage, and what proves each of them."""

from __future__ import annotations

from nodes.domain.observation import Unknown
from nodes.domain.text import Text, say
from operations.domain import recovery_scripts as scripts
from operations.domain.plan import NO_GUARD, RUN_TOKEN, Guard, Proof, Stage, Step
from operations.domain.planners.common import step_key
from operations.domain.planners.power_steps import datadir
from operations.domain.planners.start_cluster import mount_stages, storage_stages, whole_stage
from operations.domain.power import view_of
from operations.domain.recovery_choice import Choice
from operations.domain.recovery_evidence import Evidence, Life
from operations.domain.situation import Situation

BEGIN_S = 900  # TimeoutStartSec of MariaDB's own unit
TOGETHER_S = 180  # they find each other within seconds, or not at all
COPIES = "/var/lib/clusterpanel/recovery"


def together(situation: Situation, choice: Choice) -> tuple[Stage, ...]:
    """Started one after the other without waiting, since none can be Primary before the last."""
    hosts = [host for host in situation.hosts if host in choice.starts]
    title = say("Start every database; they look for each other")
    starts = tuple(_step(situation, "start", host, *_start(host)) for host in hosts)
    members = situation.settings.galera_peer_hosts
    size = str(len(members))
    formed = tuple(
        _step(
            situation,
            "member",
            host,
            say("Wait until %(host)s is in the cluster again", host=host),
            scripts.TOGETHER,
            proof=Proof("member_back", (host, size, "")),
            proof_s=TOGETHER_S,
        )
        for host in situation.hosts
        if host in members
    )
    why = say("With the component they remember (gvwstate.dat) no bootstrap is needed.")
    return (
        Stage("start", title, choice.rule, starts),
        Stage("formed", say("They form their component again"), why, formed),
    )


def _start(host: str) -> tuple[Text, str, Proof]:
    title = say("Start MariaDB on %(host)s; it looks for the others", host=host)
    return title, scripts.TOGETHER, Proof("database_starts", (host,))


def copy(situation: Situation, choice: Choice) -> Stage:
    path = f"{COPIES}/copy-{RUN_TOKEN}"
    title = say("Copy the data of %(host)s to %(path)s", host=choice.host, path=path)
    step = _step(
        situation,
        "copy",
        choice.host,
        title,
        scripts.COPY,
        Proof("data_copied", (choice.host, path)),
        path,
        proof_s=7200,
    )
    why = say(
        "Whatever happens afterwards: this is the data as it was. Remove it when all is well."
    )
    return Stage("copy", say("Keep a copy first"), why, (step,))


def bootstrap(situation: Situation, evidence: Evidence, choice: Choice) -> Stage:
    assert choice.position is not None
    host, position = choice.host, choice.position
    title = say("Begin the cluster from %(host)s, at %(at)s", host=host, at=position)
    where = (position.uuid, str(position.seqno))
    step = _step(
        situation,
        "bootstrap",
        host,
        title,
        scripts.BOOTSTRAP,
        Proof("cluster_begun", (host, *where)),
        *where,
        evidence.node(host).mark,
        proof_s=BEGIN_S,
        guard=_guard(evidence, host),
    )
    return Stage("bootstrap", say("The first server"), choice.rule, (step,))


def force_primary(situation: Situation, evidence: Evidence, choice: Choice) -> Stage:
    assert choice.position is not None
    host, position = choice.host, choice.position
    step = Step(
        key=step_key(situation, "primary", host),
        node=host,
        title=say("Tell the database of %(host)s, which runs, to be Primary", host=host),
        argv=("sh", "-c", scripts.FORCE_PRIMARY, "clusterpanel"),
        proof=Proof("cluster_begun", (host, position.uuid, str(position.seqno))),
        proof_timeout_s=120,
        guard=_guard(evidence, host),
    )
    return Stage("primary", say("The component that still runs"), choice.rule, (step,))


def _guard(evidence: Evidence, host: str) -> Guard:
    """The marks of every stopped node as they are shown with the plan."""
    marks = tuple(f"{node.host}={node.mark}" for node in evidence.living(Life.STOPPED))
    return Guard("nothing_started", (host, *marks))


def join(situation: Situation, host: str, size: int, uuid: str) -> Stage:
    """A stage of its own for each: the next joins only when this one is Synced."""
    step = _step(
        situation,
        "join",
        host,
        say("Start MariaDB on %(host)s; it joins the cluster", host=host),
        scripts.JOIN,
        Proof("member_back", (host, str(size), uuid)),
        guard=Guard("one_primary", (host, uuid)),
    )
    why = say("One at a time: a joiner may need all data from another, and must not be disturbed.")
    number = situation.settings.hosts.index(host) + 1
    return Stage(f"join-{number}", say("%(host)s joins", host=host), why, (step,))


def storage(situation: Situation) -> tuple[Stage, ...]:
    """GlusterFS, its mounts, and both layers whole: where it is in use and every server answers."""
    view = view_of(situation)
    if not storage_used(situation) or len(view.reached) < len(view.nodes):
        return ()
    found = (*storage_stages(situation, view), *mount_stages(situation, view))
    return (*found, *whole_stage(situation))


def storage_used(situation: Situation) -> bool:
    """A glusterd that was never used is known to have no volume; one that is stopped cannot tell."""
    told = [node.gluster_volumes for node in view_of(situation).storage]
    return any(isinstance(volumes, Unknown) or volumes for volumes in told)


def _step(
    situation: Situation,
    name: str,
    host: str,
    title: Text,
    script: str,
    proof: Proof,
    *args: str,
    proof_s: int = 0,
    guard: Guard = NO_GUARD,
) -> Step:
    return Step(
        key=step_key(situation, name, host),
        node=host,
        title=title,
        argv=("sh", "-c", script, "clusterpanel", datadir(situation, host), *args),
        proof=proof,
        proof_timeout_s=proof_s or situation.patience_s,
        guard=guard,
    )

"""The steps of stopping and starting, as several planners need them."""

from __future__ import annotations

from dataclasses import replace

from nodes.domain.consequences import consequences_of_stopping
from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.domain.view import View
from operations.domain import power_scripts as scripts
from operations.domain.plan import RUN_TOKEN, Gate, Guard, Proof, Step
from operations.domain.planners.common import not_root, step_key, unknown
from operations.domain.power import DATABASE, HOST, STORAGE, Target, view_of
from operations.domain.situation import Situation

SHELL = ("sh", "-c")


def _step(
    situation: Situation, name: str, host: str, title: Text, script: str, *args: str, proof: Proof
) -> Step:
    return Step(
        key=step_key(situation, name, host),
        node=host,
        title=title,
        argv=(*SHELL, script, "clusterpanel", *args),
        proof=proof,
        proof_timeout_s=situation.patience_s,
    )


def guarded(step: Step, guard: Guard) -> Step:
    return replace(step, guard=guard)


def restart(situation: Situation, one: Target, guard: Guard) -> tuple[Step, ...]:
    """Restart, back in the layers it serves, and whole: the last one is proven on every server."""
    first = {DATABASE: _restart_database, STORAGE: _restart_storage, HOST: _reboot}[one.service]
    steps = [guarded(first(situation, one.host), guard)]
    if one.service == HOST:
        steps.append(services(situation, one.host))
    if one.host in situation.settings.cluster_fs_peer_hosts and one.storage:
        steps.append(whole(situation, one.host))
    return tuple(steps)


def _restart_database(situation: Situation, host: str) -> Step:
    title = say("Restart MariaDB on %(host)s", host=host)
    proof = member_back(situation, host)
    return _step(situation, "restart", host, title, scripts.RESTART_DATABASE, proof=proof)


def _restart_storage(situation: Situation, host: str) -> Step:
    title = say("Restart glusterd on %(host)s", host=host)
    proof = storage_back(situation, host)
    return _step(situation, "restart", host, title, scripts.RESTART_STORAGE, proof=proof)


def _reboot(situation: Situation, host: str) -> Step:
    title = say("Restart the server %(host)s", host=host)
    key = step_key(situation, "restart", host)
    proof = Proof("rebooted", (host, key, RUN_TOKEN))
    return _step(situation, "restart", host, title, scripts.REBOOT, RUN_TOKEN, key, proof=proof)


def services(situation: Situation, host: str) -> Step:
    """What a boot should have started, started if it did not."""
    galera = host in situation.settings.galera_peer_hosts
    storage = situation.storage if host in situation.settings.cluster_fs_peer_hosts else ""
    title = say("Bring the services of %(host)s back", host=host)
    proof = member_back(situation, host) if galera else storage_back(situation, host)
    words = (storage, "database" if galera else "")
    return _step(situation, "services", host, title, scripts.START_SERVICES, *words, proof=proof)


def whole(situation: Situation, host: str) -> Step:
    """A database that is left out on purpose now is not waited for."""
    members = all(member.member for member in view_of(situation).galera)
    return wholly(situation, host, situation.settings.galera_peer_hosts if members else ())


def wholly(situation: Situation, host: str, galera: tuple[str, ...]) -> Step:
    args = (situation.storage, str(len(galera)), *galera, *_by(situation, host))
    title = say("Wait until nothing waits for healing and both layers are whole")
    proof = Proof("cluster_whole", args)
    return replace(_step(situation, "whole", host, title, scripts.HEAL, proof=proof), moment=True)


def _by(situation: Situation, host: str) -> tuple[str, ...]:
    """The GlusterFS servers, the one that was restarted asked first: its view is the newest."""
    hosts = situation.settings.cluster_fs_peer_hosts
    first = (host,) if host in hosts else ()
    return (*first, *(other for other in hosts if other != host))


def member_back(situation: Situation, host: str, size: int = 0, uuid: str = "") -> Proof:
    """As many members as there are now and this server; the same cluster as now."""
    view = view_of(situation)
    others = len([m for m in view.primary if m.host != host])
    found = uuid or next((m.uuid for m in view.primary), "")
    return Proof("member_back", (host, str(size or others + 1), found))


def storage_back(situation: Situation, host: str) -> Proof:
    view = view_of(situation)
    volumes = view.volumes or ()
    mine = [b.name for v in volumes if v.started for b in v.bricks if view.owner(b) == host]
    return Proof("storage_back", (host, situation.storage, *mine))


def stop_database(situation: Situation, host: str) -> Step:
    title = say("Stop MariaDB on %(host)s", host=host)
    proof = Proof("database_stopped", (host,))
    return _step(situation, "stop-database", host, title, scripts.STOP_DATABASE, proof=proof)


def stop_storage(situation: Situation, host: str) -> Step:
    title = say("Unmount the storage and stop GlusterFS on %(host)s", host=host)
    path = situation.storage
    proof = Proof("storage_stopped", (host, path))
    return _step(situation, "stop-storage", host, title, scripts.STOP_STORAGE, path, proof=proof)


def start_database(situation: Situation, host: str, size: int = 0, uuid: str = "") -> Step:
    title = say("Start MariaDB on %(host)s; it joins the cluster", host=host)
    proof = member_back(situation, host, size, uuid)
    script, where = scripts.JOIN_DATABASE, datadir(situation, host)
    step = _step(situation, "database", host, title, script, where, proof=proof)
    return guarded(step, Guard("may_join", (host,)))


def start_storage(situation: Situation, host: str) -> Step:
    title = say("Start GlusterFS on %(host)s, its bricks and the mount", host=host)
    path, proof = situation.storage, storage_back(situation, host)
    return _step(situation, "storage", host, title, scripts.START_STORAGE, path, proof=proof)


def give_back(situation: Situation, host: str) -> Step:
    title = say("Let %(host)s do its background work again", host=host)
    proof = Proof("given_back", (host,))
    return _step(situation, "work", host, title, scripts.GIVE_BACK, proof=proof)


def remount(situation: Situation, host: str) -> Step:
    title = say("Mount the storage of %(host)s again", host=host)
    path = situation.storage
    proof = Proof("mounted", (host, path))
    return _step(situation, "mount", host, title, scripts.REMOUNT, path, proof=proof)


def pause_of_primary(situation: Situation, one: Target) -> tuple[Gate, ...]:
    """The primary's background work stops while its database or the server is away."""
    if one.host != situation.primary or not one.database:
        return ()
    why = say(
        "%(host)s is the primary: dpiui2's background work (equipment, subscribers, tariffs) pauses"
        " until it is back.",
        host=one.host,
    )
    return (Gate("primary-pauses", "accept", one.host, why),)


def no_reserve(view: View, one: Target) -> tuple[Gate, ...]:
    """One member alone goes on, and its crash would stop everything."""
    staying = [member.host for member in view.primary if member.host != one.host]
    leaves = any(member.host == one.host for member in view.primary)
    if not one.database or not leaves or len(staying) != 1 or len(view.galera) < 3:
        return ()
    why = say(
        "Only %(left)s is left of the database cluster meanwhile: if it crashes, the database stops"
        " for all users.",
        left=staying[0],
    )
    return (Gate("no-reserve", "accept", staying[0], why),)


def ready(situation: Situation, host: str) -> Refusal | None:
    """The server answers, and the panel is root there."""
    node = view_of(situation).node(host)
    return unknown(node, "ssh") or not_root(node)


def datadir(situation: Situation, host: str) -> str:
    node = view_of(situation).node(host)
    return str(node.extra.get("datadir") or "/var/lib/mysql")


def effects(one: Target, situation: Situation) -> tuple[Text, ...]:
    """What the users notice, with the arithmetic, for a person to read before the click."""
    if one.service == STORAGE:
        return ()
    told = consequences_of_stopping((one.host,), situation.settings, situation.facts)
    return told.sentences

"""What `SHOW GLOBAL STATUS LIKE 'wsrep_%'` and `SHOW GLOBAL VARIABLES` say of a server."""

from __future__ import annotations

from nodes.simulation.membership import alive
from nodes.simulation.world import NULL_UUID, Node, Server, Stage, View, World

NOTHING = "18446744073709551615"  # 2**64 - 1: how the server prints "no number"
_ALONE = {
    "wsrep_applier_thread_count": "0",
    "wsrep_cluster_capabilities": "",
    "wsrep_cluster_conf_id": NOTHING,
    "wsrep_cluster_size": "0",
    "wsrep_cluster_state_uuid": "",
    "wsrep_cluster_status": "Disconnected",
    "wsrep_connected": "OFF",
    "wsrep_local_bf_aborts": "0",
    "wsrep_local_index": NOTHING,
    "wsrep_provider_capabilities": "",
    "wsrep_provider_name": "",
    "wsrep_provider_vendor": "",
    "wsrep_provider_version": "",
    "wsrep_ready": "OFF",
    "wsrep_rollbacker_thread_count": "0",
    "wsrep_thread_count": "0",
}
_QUIET = (
    *("wsrep_local_recv_queue", "wsrep_local_send_queue", "wsrep_flow_control_paused_ns"),
    *("wsrep_flow_control_sent", "wsrep_flow_control_recv", "wsrep_local_cert_failures"),
    *("wsrep_local_bf_aborts", "wsrep_desync_count", "wsrep_replicated_bytes"),
    *("wsrep_received_bytes", "wsrep_open_transactions"),
)
_FIXED = {
    "wsrep_connected": "ON",
    "wsrep_evs_state": "OPERATIONAL",
    "wsrep_flow_control_active": "false",
    "wsrep_flow_control_paused": "0",
    "wsrep_local_cached_downto": "1",
    "wsrep_provider_name": "Galera",
    "wsrep_provider_vendor": "simulated",
    "wsrep_provider_version": "26.4.20(simulated)",
}
_STATES = {Stage.SYNCED: ("4", "Synced"), Stage.DONOR: ("2", "Donor/Desynced")}


def variables(node: Node) -> dict[str, str]:
    server = node.server
    on = server is not None and server.stage is not Stage.ALONE
    peers = ",".join(node.disk.peers)
    return {
        "read_only": "OFF",
        "wsrep_cluster_address": f"gcomm://{peers}" if on else "",
        "wsrep_desync": "OFF",
        "wsrep_on": "ON" if on else "OFF",
        "wsrep_reject_queries": "NONE",
    }


def status(world: World, node: Node) -> dict[str, str]:
    """Of a server that answers SQL; in the order of the names, as the server prints it."""
    server = node.server
    if server is None or server.stage is Stage.ALONE or server.view is None:
        return _ALONE
    found = {**dict.fromkeys(_QUIET, "0"), **_FIXED, **_of_view(world, node, server, server.view)}
    return dict(sorted(found.items()))


def _of_view(world: World, node: Node, server: Server, view: View) -> dict[str, str]:
    state, comment = _STATES.get(server.stage, ("1", "Joining: receiving State Transfer"))
    if not view.primary:
        state, comment = "0", "Initialized"
    uuid, size = node.disk.position.uuid, str(len(view.members))
    return {
        "wsrep_cluster_conf_id": str(view.conf) if view.primary else NOTHING,
        "wsrep_cluster_size": size,
        "wsrep_cluster_state_uuid": uuid if uuid != NULL_UUID else "",
        "wsrep_cluster_status": "Primary" if view.primary else "non-Primary",
        "wsrep_cluster_weight": size if view.primary else "0",
        "wsrep_gcomm_uuid": server.member,
        "wsrep_incoming_addresses": _incoming(world, view),
        "wsrep_last_committed": str(node.disk.position.seqno),
        "wsrep_local_index": str(sorted(view.members).index(server.member)),
        "wsrep_local_state": state,
        "wsrep_local_state_comment": comment,
        "wsrep_local_state_uuid": uuid,
        "wsrep_ready": "ON" if view.primary and server.stage in _STATES else "OFF",
    }


def _incoming(world: World, view: View) -> str:
    hosts = {s.member: host for host, s in alive(world).items()}
    names = []
    for member in sorted(view.members):
        node = world.nodes.get(hosts.get(member, ""))
        known = node is not None and node.server is not None and node.server.ready
        names.append(f"{node.address}:0" if node is not None and known else "unspecified")
    return ",".join(names)

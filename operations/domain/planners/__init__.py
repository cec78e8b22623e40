"""One planner for each procedure: pure, `(Situation) -> Plan | Refusal`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nodes.domain.refusal import Refusal
from operations.domain.plan import Plan
from operations.domain.planners import (
    apply_settings,
    backup_database,
    backup_storage,
    change_primary,
    create_monitor_account,
    install_galera,
    install_glusterfs,
    recover_galera,
    remount_storage,
    restart_node,
    rolling_restart,
    start_cluster,
    start_node,
    stop_cluster,
    stop_node,
    survey_galera,
    verify_backup,
)
from operations.domain.situation import Situation

Planner = Callable[[Situation], Plan | Refusal]

PLANNERS: Mapping[str, Planner] = MappingProxyType(
    {
        "apply_settings": apply_settings.plan,
        "backup_database": backup_database.plan,
        "backup_storage": backup_storage.plan,
        "verify_backup": verify_backup.plan,
        "install_galera": install_galera.plan,
        "install_glusterfs": install_glusterfs.plan,
        "change_primary": change_primary.plan,
        "create_monitor_account": create_monitor_account.plan,
        "restart_node": restart_node.plan,
        "stop_node": stop_node.plan,
        "start_node": start_node.plan,
        "remount_storage": remount_storage.plan,
        "rolling_restart": rolling_restart.plan,
        "stop_cluster": stop_cluster.plan,
        "start_cluster": start_cluster.plan,
        "survey_galera": survey_galera.plan,
        "recover_galera": recover_galera.plan,
    }
)
# They look at what lies on the disks of stopped databases as well.
TRACED = frozenset({"survey_galera", "recover_galera"})
# Nothing in their plans depends on what glusterd says.
DATABASES_ONLY = frozenset({"survey_galera"})

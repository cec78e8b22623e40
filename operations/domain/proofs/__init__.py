"""Every proof that a step may name. The runtime asks the probes; the judgement is here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from operations.domain.proofs.backups import ARCHIVE_READABLE, DUMP_READABLE
from operations.domain.proofs.base import (
    Answer,
    Holds,
    Never,
    NotYet,
    Outputs,
    Probe,
    ProofKind,
    Verdict,
)
from operations.domain.proofs.coming_back import (
    DATABASE_STOPPED,
    MEMBER_BACK,
    MOUNTED,
    REBOOTED,
    STORAGE_BACK,
    STORAGE_STOPPED,
)
from operations.domain.proofs.consistent import PRIMARY_CONSISTENT
from operations.domain.proofs.galera import GALERA_MEMBER, MONITOR_ACCOUNT
from operations.domain.proofs.gluster import GLUSTERD_ACTIVE, PEERS_CONNECTED, VOLUME_WELL
from operations.domain.proofs.mount import STORAGE_SHARED
from operations.domain.proofs.orders import GIVEN_BACK, STOPPED_IN_ORDER
from operations.domain.proofs.primary import (
    PRIMARY_ABLE,
    PRIMARY_AGREED,
    WORKERS_RUNNING,
    WORKERS_STOPPED,
)
from operations.domain.proofs.recovery import (
    CLUSTER_BEGUN,
    DATA_COPIED,
    DATABASE_STARTS,
    POSITION_KEPT,
)
from operations.domain.proofs.settings import ENV_EQUALS, SETTINGS_IN_EFFECT
from operations.domain.proofs.whole import CLUSTER_WHOLE

PROOFS: Mapping[str, ProofKind] = MappingProxyType(
    {
        "env_equals": ENV_EQUALS,
        "settings_in_effect": SETTINGS_IN_EFFECT,
        "dump_readable": DUMP_READABLE,
        "archive_readable": ARCHIVE_READABLE,
        "galera_member": GALERA_MEMBER,
        "monitor_account": MONITOR_ACCOUNT,
        "glusterd_active": GLUSTERD_ACTIVE,
        "peers_connected": PEERS_CONNECTED,
        "volume_well": VOLUME_WELL,
        "storage_shared": STORAGE_SHARED,
        "rebooted": REBOOTED,
        "member_back": MEMBER_BACK,
        "database_stopped": DATABASE_STOPPED,
        "storage_back": STORAGE_BACK,
        "storage_stopped": STORAGE_STOPPED,
        "mounted": MOUNTED,
        "cluster_whole": CLUSTER_WHOLE,
        "stopped_in_order": STOPPED_IN_ORDER,
        "given_back": GIVEN_BACK,
        "primary_able": PRIMARY_ABLE,
        "primary_agreed": PRIMARY_AGREED,
        "primary_consistent": PRIMARY_CONSISTENT,
        "workers_stopped": WORKERS_STOPPED,
        "workers_running": WORKERS_RUNNING,
        "position_kept": POSITION_KEPT,
        "cluster_begun": CLUSTER_BEGUN,
        "database_starts": DATABASE_STARTS,
        "data_copied": DATA_COPIED,
    }
)

__all__ = [
    "PROOFS",
    "Answer",
    "Holds",
    "Never",
    "NotYet",
    "Outputs",
    "Probe",
    "ProofKind",
    "Verdict",
]

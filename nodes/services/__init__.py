"""Everything an admin can do to what exists and ask about it: one function each."""

from nodes.services.checks import checks_run
from nodes.services.clusters import (
    access_save,
    cluster_create,
    page_url_save,
    settings_save,
    target_for,
)
from nodes.services.host_keys import (
    ScannedKey,
    console_command,
    host_key_trust,
    host_keys_scan,
)
from nodes.services.observing import observe, observe_gluster_if_idle, observe_if_idle

__all__ = [
    "ScannedKey",
    "access_save",
    "checks_run",
    "cluster_create",
    "console_command",
    "host_key_trust",
    "host_keys_scan",
    "observe",
    "observe_gluster_if_idle",
    "observe_if_idle",
    "page_url_save",
    "settings_save",
    "target_for",
]

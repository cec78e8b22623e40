"""Everything an admin can do to what exists and ask about it: one function each."""

from nodes.services.acknowledging import (
    NOTE_MAX,
    acknowledgement_take_back,
    finding_acknowledge,
)
from nodes.services.asking import RawAnswer, RawAnswers, raw_answers
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
from nodes.services.tracing import traces_now

__all__ = [
    "NOTE_MAX",
    "RawAnswer",
    "RawAnswers",
    "ScannedKey",
    "access_save",
    "acknowledgement_take_back",
    "checks_run",
    "cluster_create",
    "console_command",
    "finding_acknowledge",
    "host_key_trust",
    "host_keys_scan",
    "observe",
    "observe_gluster_if_idle",
    "observe_if_idle",
    "page_url_save",
    "raw_answers",
    "settings_save",
    "target_for",
    "traces_now",
]

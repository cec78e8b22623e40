"""Everything an admin can do to what exists and ask about it: one function each."""

from nodes.services.access import access_save
from nodes.services.acknowledging import (
    NOTE_MAX,
    acknowledgement_take_back,
    finding_acknowledge,
)
from nodes.services.adoption import (
    adoption_begin,
    adoption_drop,
    adoption_finish,
    adoption_read,
)
from nodes.services.asking import RawAnswer, RawAnswers, raw_answers
from nodes.services.checks import checks_run
from nodes.services.clusters import (
    apply_command_save,
    cluster_create,
    page_url_save,
    target_for,
)
from nodes.services.host_keys import (
    ScannedKey,
    console_command,
    host_key_trust,
    host_keys_scan,
)
from nodes.services.looking import Look, host_look
from nodes.services.observing import observe, observe_gluster_if_idle, observe_if_idle
from nodes.services.primary import primary_set, workers_save
from nodes.services.settings import live_now, settings_revert, settings_save, settings_take
from nodes.services.ssh_keys import (
    Keys,
    NotOpened,
    Tried,
    ssh_key_drop,
    ssh_key_make,
    ssh_key_try,
    ssh_key_use,
    ssh_keys_shown,
)
from nodes.services.tracing import traces_now

__all__ = [
    "NOTE_MAX",
    "Keys",
    "Look",
    "NotOpened",
    "RawAnswer",
    "RawAnswers",
    "ScannedKey",
    "Tried",
    "access_save",
    "acknowledgement_take_back",
    "adoption_begin",
    "adoption_drop",
    "adoption_finish",
    "adoption_read",
    "apply_command_save",
    "checks_run",
    "cluster_create",
    "console_command",
    "finding_acknowledge",
    "host_key_trust",
    "host_keys_scan",
    "host_look",
    "live_now",
    "observe",
    "observe_gluster_if_idle",
    "observe_if_idle",
    "page_url_save",
    "primary_set",
    "raw_answers",
    "settings_revert",
    "settings_save",
    "settings_take",
    "ssh_key_drop",
    "ssh_key_make",
    "ssh_key_try",
    "ssh_key_use",
    "ssh_keys_shown",
    "target_for",
    "traces_now",
    "workers_save",
]

"""Every address of the panel, and the least role that each method needs there.

A new address fails `test_every_door` until it stands here.
"""

from __future__ import annotations

ANYBODY, SIGNED_IN, OPERATOR, ADMINISTRATOR = "anybody", "viewer", "operator", "administrator"

METHODS = ("GET", "POST", "PUT", "DELETE")
Rules = dict[str, str]
_SEEN: Rules = {"GET": SIGNED_IN}

# By the name of the address.
PAGES: dict[str, Rules] = {
    "healthz": {"GET": ANYBODY},
    "readyz": {"GET": ANYBODY},
    "login": {
        "GET": ANYBODY,
        "POST": ANYBODY,
        "PUT": ANYBODY,
    },  # Django's own view takes PUT as well
    "sign-in-code": {"GET": ANYBODY, "POST": ANYBODY},
    "oidc": {"GET": ANYBODY},
    "oidc-back": {"GET": ANYBODY},  # 403 with a sentence: nobody of this browser is at the provider
    "logout": {"POST": ANYBODY},
    "password-set": dict.fromkeys(METHODS, ANYBODY),  # without a good link nothing but a sentence
    "set_language": dict.fromkeys(METHODS, SIGNED_IN),  # changes nothing but by POST
    "account": _SEEN,
    "account-password": {"POST": SIGNED_IN},
    "account-sign-out": {"POST": SIGNED_IN},
    "session-end": {"POST": SIGNED_IN},  # one of his own: test_sessions
    "account-factor": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account-factor-drop": {"POST": SIGNED_IN},
    "token-create": {"POST": SIGNED_IN},
    "token-revoke": {"POST": ADMINISTRATOR},  # of somebody else; one's own: test_tokens
    "people": {"GET": ADMINISTRATOR, "POST": ADMINISTRATOR},
    "person": {"GET": ADMINISTRATOR},
    "person-act": {"POST": ADMINISTRATOR},
    "audit": {"GET": ADMINISTRATOR},
    "audit-export": {"POST": ADMINISTRATOR},
    "metrics": _SEEN,
    "home": _SEEN,
    "overview": _SEEN,
    "cluster-new": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "adopt-new": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "adopt": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "look-new": _SEEN,  # asks a server for administrators only
    "look": _SEEN,
    "difference": _SEEN,
    "settings-take": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "settings-revert": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "forget-settings": {"POST": OPERATOR},
    "apply-command": {"POST": ADMINISTRATOR},
    "operations": _SEEN,
    "recovery": _SEEN,
    "primary": _SEEN,
    "workers": {"POST": ADMINISTRATOR},
    "fences": _SEEN,
    "dashboard": _SEEN,
    "history": _SEEN,
    "dashboard-events": _SEEN,
    "node": _SEEN,
    "node-menu": _SEEN,
    "node-raw": {"POST": OPERATOR},
    "acknowledge": {"GET": SIGNED_IN, "POST": OPERATOR},
    "strip": _SEEN,
    "observe": {"POST": SIGNED_IN},  # asks the servers now instead of in two seconds
    "settings": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "page-url": {"POST": ADMINISTRATOR},
    "install": _SEEN,
    "host-keys": _SEEN,
    "host-key-trust": {"POST": ADMINISTRATOR},
    "ssh-key": {"POST": OPERATOR},  # to try one; making and using one: test_ssh_keys
    "checks-run": {"POST": OPERATOR},
    "wizard": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "stepper": _SEEN,
    "plan": {"GET": SIGNED_IN, "POST": OPERATOR},
    "runs": _SEEN,
    "dock": _SEEN,
    "run": _SEEN,
    "run-head": _SEEN,
    "run-cancel": {"GET": SIGNED_IN, "POST": OPERATOR},
    "run-resume": {"POST": OPERATOR},
    "run-check": {"POST": OPERATOR},
    "run-events": _SEEN,
    "run-log": _SEEN,
    "run-log-text": _SEEN,
    "run-search": _SEEN,
    "run-first-error": _SEEN,
}

# By the path as the API's own description has it.
API: dict[str, Rules] = {
    "/clusters": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "/clusters/{cluster_id}": _SEEN,
    "/clusters/adopt": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/adoption/read": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/adoption/finish": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/adoption": {"GET": SIGNED_IN, "DELETE": ADMINISTRATOR},
    "/clusters/{cluster_id}/work": _SEEN,
    "/clusters/{cluster_id}/settings/revert": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/settings/take": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/settings/waiting": _SEEN,
    "/clusters/{cluster_id}/apply-command": {"PUT": ADMINISTRATOR},
    "/clusters/{cluster_id}/workers": {"PUT": ADMINISTRATOR},
    "/clusters/{cluster_id}/fences": _SEEN,
    "/clusters/{cluster_id}/status": _SEEN,
    "/clusters/{cluster_id}/settings": {"GET": SIGNED_IN, "PUT": ADMINISTRATOR},
    "/clusters/{cluster_id}/page-url": {"PUT": ADMINISTRATOR},
    "/clusters/{cluster_id}/history": _SEEN,
    "/clusters/{cluster_id}/consequences": _SEEN,
    "/clusters/{cluster_id}/settings/drift": _SEEN,
    "/clusters/{cluster_id}/settings/history": _SEEN,
    "/clusters/{cluster_id}/host-keys/scan": {"POST": SIGNED_IN},
    "/clusters/{cluster_id}/host-keys/trust": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/ssh-keys": {"GET": SIGNED_IN, "POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/ssh-keys/try": {"POST": OPERATOR},
    "/clusters/{cluster_id}/ssh-keys/use": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/ssh-keys/drop": {"POST": ADMINISTRATOR},
    "/clusters/{cluster_id}/checks": {"GET": SIGNED_IN, "POST": OPERATOR},
    "/clusters/{cluster_id}/plans": {"POST": SIGNED_IN},  # to see what would be done
    "/clusters/{cluster_id}/runs": {"POST": OPERATOR},
    "/clusters/{cluster_id}/backups": _SEEN,
    "/runs": _SEEN,
    "/runs/{run_id}": _SEEN,
    "/runs/{run_id}/log": _SEEN,
    "/runs/{run_id}/log.txt": _SEEN,
    "/runs/{run_id}/events": _SEEN,  # not in the description: it is a stream
    "/runs/{run_id}/cancel": {"POST": OPERATOR},
    "/runs/{run_id}/resume": {"POST": OPERATOR},
    "/runs/{run_id}/steps/{step}/check": {"POST": OPERATOR},
    "/audit": {"GET": ADMINISTRATOR},
    "/audit/verification": {"GET": ADMINISTRATOR},
    # Ninja answers every method with the description.
    "/openapi.json": dict.fromkeys(METHODS, ANYBODY),
}
# What a form or a body must hold so that the request reaches the service.
FORMS: dict[str, dict[str, str]] = {
    "host-key-trust": {"host": "10.0.0.11", "compared": "1"},
    "adopt-new": {
        "name": "New",
        "host": "10.0.0.1",
        "ssh_username": "root",
        "ssh_port": "22",
        "app_dir": "/app",
    },
    "adopt": {"action": "finish"},
    "ssh-key": {"action": "try", "sha256": "x"},
    "settings-take": {"host": "10.0.0.11", "revision": "1", "based_on": "1"},
    "settings-revert": {"revision": "1", "based_on": "1"},
}
BODIES: dict[str, dict[str, object]] = {
    "/clusters": {
        "name": "New",
        "galera_peer_hosts": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "cluster_fs_peer_hosts": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "cluster_primary_host": "10.0.0.1",
    },
    "/clusters/{cluster_id}/settings": {
        "galera_peer_hosts": [],
        "cluster_fs_peer_hosts": [],
        "cluster_primary_host": "",
        "revision": 1,
    },
    "/clusters/{cluster_id}/page-url": {"page_url": ""},
    "/clusters/adopt": {"host": "10.0.0.1", "name": "New"},
    "/clusters/{cluster_id}/adoption/read": {"host": "10.0.0.11"},
    "/clusters/{cluster_id}/settings/revert": {"number": 1, "revision": 1},
    "/clusters/{cluster_id}/settings/take": {"host": "10.0.0.11", "revision": 1, "finding": "x"},
    "/clusters/{cluster_id}/apply-command": {"apply_command": ""},
    "/clusters/{cluster_id}/workers": {"stop": "", "start": "", "check": ""},
    "/clusters/{cluster_id}/host-keys/trust": {"host": "10.0.0.11", "sha256": "x"},
    "/clusters/{cluster_id}/ssh-keys/try": {"sha256": "x"},
    "/clusters/{cluster_id}/ssh-keys/use": {"sha256": "x"},
    "/clusters/{cluster_id}/ssh-keys/drop": {"sha256": "x"},
    "/clusters/{cluster_id}/plans": {"procedure": "backup_database"},
    "/clusters/{cluster_id}/runs": {"procedure": "backup_database", "plan_hash": "x"},
}
QUERIES = {
    "settings-take": "?host=10.0.0.11&finding=x",
    "/clusters/{cluster_id}/history": "?metric=load1&since=0",
    "/clusters/{cluster_id}/consequences": "?hosts=10.0.0.11",
}

"""How to send a value through each field that reaches a server: a request that is right but for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.api.premises import Premises
from tests.fakes.recorded import HOSTS

_SSH = {"username": "root", "port": 22, "password": "a secret"}
_TYPED = {"ssh_username": "root", "ssh_port": "22", "ssh_password": "a secret"}
_LISTS = {"galera_peer_hosts": list(HOSTS), "cluster_fs_peer_hosts": list(HOSTS)}
_PEERS = {**_LISTS, "cluster_primary_host": HOSTS[0]}
_API = "/api/v1/clusters"


@dataclass(frozen=True)
class Sender:
    """`place`: the names that lead to the field in what is sent, `{v}` in an address.

    `named`: how a refusal calls the field, when otherwise than the last name of `place`.
    """

    method: str
    address: str
    place: tuple[str, ...] = ()
    rest: dict[str, Any] = field(default_factory=dict)
    named: str = ""
    many: bool = False  # the field is a list of such values

    @property
    def called(self) -> str:
        return self.named or self.place[-1]

    @property
    def is_api(self) -> bool:
        return self.address.startswith("/api/")

    def content(self, value: str) -> dict[str, Any]:
        """All that is sent, with `value` in the field."""
        found: Any = [HOSTS[0], value, HOSTS[2]] if self.many else value
        for name in reversed(self.place):
            found = {name: found}
        return _merged(self.rest, found if self.place else {})


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return one | {
        name: _merged(one[name], value) if isinstance(value, dict) and name in one else value
        for name, value in other.items()
    }


def senders(there: Premises) -> dict[str, Sender]:
    return {**_plain(there), **_one_of(there), **_others(there)}


def _plain(there: Premises) -> dict[str, Sender]:
    new = {"name": "New", "ssh": _SSH, **_PEERS}
    adoption = {"name": "New", "host": HOSTS[0], "ssh": _SSH}
    site = f"{_API}/{there.site.pk}"
    save = {"revision": 2, **_PEERS}
    adopt = {"name": "New", "host": HOSTS[0], "app_dir": "/app", **_TYPED}
    pages, settings = f"/clusters/{there.site.pk}", {"based_on": "2", "name": "Office", **_LISTS}
    access = f"{pages}/install/access/"
    found = {
        "body:Access.username": Sender("POST", _API, ("ssh", "username"), new, "ssh_username"),
        "body:Access.port": Sender("POST", _API, ("ssh", "port"), new, "ssh.port"),
        "body:NewCluster.app_dir": Sender("POST", _API, ("app_dir",), new),
        "body:Adoption.host": Sender("POST", f"{_API}/adopt", ("host",), adoption),
        "body:Adoption.app_dir": Sender("POST", f"{_API}/adopt", ("app_dir",), adoption),
        "form:AccessForm.ssh_username": Sender("POST", access, ("ssh_username",), _TYPED),
        "form:AccessForm.ssh_port": Sender("POST", access, ("ssh_port",), _TYPED),
        "page:nodes/views/settings_page.py:host": Sender(
            "GET", f"{pages}/settings/look/", ("host",)
        ),
        "page:clusterpanel/people/views/people.py:name": Sender(
            "POST", "/people/", ("name",), {"role": "viewer"}
        ),
    }
    for name in ("host", "app_dir", "ssh_username", "ssh_port"):
        found[f"form:AdoptForm.{name}"] = Sender("POST", "/clusters/adopt/", (name,), adopt)
    for name in _PEERS:
        many = name in _LISTS
        found[f"body:NewCluster.{name}"] = Sender("POST", _API, (name,), new, many=many)
        found[f"body:NewSettings.{name}"] = Sender(
            "PUT", f"{site}/settings", (name,), save, many=many
        )
        found[f"form:SettingsForm.{name}"] = Sender(
            "POST", f"{pages}/settings/", (name,), settings, many=many
        )
    for name in _LISTS:
        found[f"form:NodesForm.{name}"] = Sender(
            "POST", "/clusters/new/", (name,), {"name": "New", **_LISTS}, many=True
        )
    return found


def _one_of(there: Premises) -> dict[str, Sender]:
    site, pages = f"{_API}/{there.site.pk}", f"/clusters/{there.site.pk}"
    start = {"plan_hash": "x", "procedure": "backup_database"}
    take = {"host": HOSTS[2], "finding": there.drift, "revision": 2}
    found = {
        "address:host": Sender("POST", f"{pages}/nodes/{{v}}/raw/"),
        "address:procedure": Sender("GET", f"{pages}/plan/{{v}}/"),
        "body:Accepted.procedure": Sender("POST", f"{site}/runs", ("procedure",), start),
        "body:Asked.procedure": Sender("POST", f"{site}/plans", ("procedure",)),
        "body:Read.host": Sender("POST", f"{_API}/{there.adopting.pk}/adoption/read", ("host",)),
        "body:Take.host": Sender("POST", f"{site}/settings/take", ("host",), take),
        "body:Trust.host": Sender("POST", f"{site}/host-keys/trust", ("host",), {"sha256": "x"}),
        "body:Which.host": Sender("POST", f"{site}/checks", ("host",)),
        "body:Which.check": Sender("POST", f"{site}/checks", ("check",)),
        "page:nodes/views/adopt.py:host": Sender(
            "POST", f"/clusters/{there.adopting.pk}/adopt/", ("host",), {"action": "read"}
        ),
        "page:nodes/views/steps/access.py:host": Sender(
            "POST", f"{pages}/install/access/trust/", ("host",), {"compared": "1"}
        ),
        "page:nodes/views/steps/checks.py:…": Sender(
            "POST", f"{pages}/install/checks/run/", ("host",)
        ),
        "page:operations/views/plan.py:…": Sender("GET", f"{pages}/plan/restart_node/", ("node",)),
    }
    for name, procedure in _PROCEDURES.items():
        asked = {"procedure": procedure, "params": _PARAMS.get(name, {})}
        found[f"params:{name}"] = Sender("POST", f"{site}/plans", ("params", name), asked)
    return found


_PROCEDURES = {
    "accept": "recover_galera",
    "copy": "recover_galera",
    "force": "apply_settings",
    "kind": "verify_backup",
    "node": "restart_node",
    "nodes": "rolling_restart",
    "path": "verify_backup",
    "primary": "change_primary",
    "service": "restart_node",
    "stages": "install_glusterfs",
    "stop": "survey_galera",
}
_PARAMS: dict[str, dict[str, str]] = {
    "kind": {"node": HOSTS[0], "path": "/a.gz"},
    "path": {"node": HOSTS[0], "kind": "database"},
    "service": {"node": HOSTS[1]},
}


def _others(there: Premises) -> dict[str, Sender]:
    site, pages = f"{_API}/{there.site.pk}", f"/clusters/{there.site.pk}"
    words = {"stop": "stop it", "start": "start it", "check": "look"}
    typed = {f"worker_{name}": value for name, value in words.items()}
    found = {
        f"body:Workers.{name}": Sender(
            "PUT", f"{site}/workers", (name,), words, named=f"worker_{name}"
        )
        for name in words
    }
    return found | {
        "body:Page.page_url": Sender("PUT", f"{site}/page-url", ("page_url",)),
        "page:nodes/views/settings_page.py:page_url": Sender(
            "POST", f"{pages}/settings/page-url/", ("page_url",)
        ),
        "body:Apply.apply_command": Sender("PUT", f"{site}/apply-command", ("apply_command",)),
        "page:nodes/views/settings_page.py:apply_command": Sender(
            "POST", f"{pages}/settings/apply-command/", ("apply_command",)
        ),
        "page:operations/views/primary.py:…": Sender(
            "POST", f"{pages}/primary/workers/", ("worker_stop",), typed
        ),
    }

"""What the pages ask a person for. The rules are the domain's; forms only read what was typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.models import Cluster


class HostListWidget(forms.Widget):
    """Several inputs of one name, in the order of the page."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if isinstance(data, QueryDict) else list(data.get(name, []))


class HostListField(forms.Field):
    """An ordered list of hosts. Empty rows are no entries; a pasted "a, b c" becomes three."""

    widget = HostListWidget

    def clean(self, value: Any) -> list[str]:
        return [host for row in value or [] for host in row.replace(",", " ").split()]


class NodesForm(forms.Form):
    """Step 1 of the wizard. The first Galera host is the primary: the manual's rule."""

    name = forms.CharField(required=False, max_length=64)
    galera_peer_hosts = HostListField(required=False)
    same_hosts = forms.BooleanField(required=False)
    cluster_fs_peer_hosts = HostListField(required=False)
    two_galera_acknowledged = forms.BooleanField(required=False)
    based_on = forms.IntegerField(required=False)

    def settings(self) -> dict[str, Any]:
        """The keyword arguments that `cluster_create` and `settings_save` have in common."""
        galera = self.cleaned_data["galera_peer_hosts"]
        same = self.cleaned_data["same_hosts"]
        return {
            "galera_peer_hosts": galera,
            "cluster_fs_peer_hosts": galera if same else self.cleaned_data["cluster_fs_peer_hosts"],
            "cluster_primary_host": galera[0] if galera else "",
            "two_galera_acknowledged": self.cleaned_data["two_galera_acknowledged"],
        }


class SettingsForm(NodesForm):
    """The settings page: the same lists, the primary as a choice, a reason, and what was confirmed.

    Nothing chosen: the primary is the first Galera host, as in the wizard.
    """

    cluster_primary_host = forms.CharField(required=False, max_length=253)
    why = forms.CharField(required=False, max_length=1000)

    def settings(self) -> dict[str, Any]:
        chosen = self.cleaned_data["cluster_primary_host"]
        given = super().settings()
        return {
            **given,
            "cluster_primary_host": chosen or given["cluster_primary_host"],
            "why": self.cleaned_data["why"],
        }


class AccessForm(forms.Form):
    """Step 2. Secrets go in and never come out: an empty one means "keep what is stored"."""

    ssh_username = forms.CharField(
        max_length=64, error_messages={"required": _("Enter the user that the panel signs in as.")}
    )
    ssh_port = forms.IntegerField(
        min_value=1,
        max_value=65535,
        error_messages={
            "required": _("Enter the port of the SSH server; it is 22 unless somebody changed it."),
            "invalid": _("The port is a number between 1 and 65535."),
            "min_value": _("The port is a number between 1 and 65535."),
            "max_value": _("The port is a number between 1 and 65535."),
        },
    )
    ssh_private_key = forms.CharField(required=False, strip=False, max_length=20_000)
    ssh_password = forms.CharField(required=False, strip=False, max_length=1_000)

    def access(self) -> dict[str, Any]:
        """The keyword arguments of `access_save`; a key needs its last line feed, and no others."""
        key = self.cleaned_data["ssh_private_key"].replace("\r\n", "\n").strip()
        return {**self.cleaned_data, "ssh_private_key": f"{key}\n" if key else ""}


class AdoptForm(AccessForm):
    """One host of a cluster that runs, and how to sign in there."""

    name = forms.CharField(required=False, max_length=64)
    host = forms.CharField(required=False, max_length=253)
    app_dir = forms.CharField(required=False, max_length=255)

    def given(self) -> dict[str, Any]:
        """The keyword arguments of `adoption_begin`."""
        return self.access()


def nodes_initial(cluster: Cluster | None) -> dict[str, Any]:
    """What step 1 shows before anything is typed: three empty rows, or the newest revision."""
    if cluster is None:
        return {"galera_peer_hosts": ["", "", ""], "same_hosts": True}
    revision = cluster.revision
    return {
        "name": cluster.name,
        "galera_peer_hosts": revision.galera_peer_hosts,
        "cluster_fs_peer_hosts": revision.cluster_fs_peer_hosts,
        "same_hosts": revision.galera_peer_hosts == revision.cluster_fs_peer_hosts,
        "two_galera_acknowledged": revision.two_galera_acknowledged,
        "cluster_primary_host": revision.cluster_primary_host,
        "based_on": revision.number,
    }


def by_field(
    refusals: Iterable[Refusal], form: forms.Form | None = None
) -> dict[str, list[Refusal]]:
    """Refusals beside the field they are about; "" holds those about no single field."""
    found: dict[str, list[Refusal]] = {}
    for refusal in (*_of_form(form), *refusals):
        found.setdefault(refusal.field if _is_field(form, refusal.field) else "", []).append(
            refusal
        )
    return found


def _is_field(form: forms.Form | None, name: str) -> bool:
    return form is None or name in form.fields


def _of_form(form: forms.Form | None) -> list[Refusal]:
    if form is None or not form.is_bound:
        return []
    return [
        Refusal("invalid", Text(str(sentence)), say(""), field=name)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]

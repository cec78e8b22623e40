"""What the frame around every page needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clusterpanel.people.roles import Role
from clusterpanel.people.views.oidc import again_url
from nodes.models import Cluster

LAST = "cluster"  # in the session: the cluster this person looked at last


def frame(request: HttpRequest) -> dict[str, Any]:
    """`cluster`: the one the page is about, else the last one; a view's own `cluster` wins."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    role: Role = getattr(
        request, "panel_role", Role.VIEWER
    )  # an address that leads nowhere has none
    return {
        "cluster": _cluster(request),  # most pages have looked theirs up and never ask
        # Asked only where a page wants the password once more.
        "again_url": lambda: again_url(request),
        "provider": settings.OIDC,
        "may": {"operate": role.may_as(Role.OPERATOR), "administer": role is Role.ADMINISTRATOR},
    }


def _cluster(request: HttpRequest) -> Any:
    """A cluster or None, looked up when it is asked for."""
    match = request.resolver_match
    asked = match.kwargs.get("cluster_id") if match else None
    if asked is not None and asked != request.session.get(
        LAST
    ):  # a session is not written for nothing
        request.session[LAST] = asked
    last = asked if asked is not None else request.session.get(LAST)
    return SimpleLazyObject(lambda: _found(last))


def _found(last: int | None) -> Cluster | None:
    found = Cluster.objects.filter(pk=last).first() if last is not None else None
    return found or Cluster.objects.order_by("created_at").first()

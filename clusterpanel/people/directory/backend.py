"""Name and password, asked from LDAP: for whoever has no account of the panel's own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from clusterpanel.people.directory import ldap
from clusterpanel.people.directory.configured import Ldap
from clusterpanel.people.models import Identity
from clusterpanel.people.services.arrivals import Arrival, person_admit
from clusterpanel.people.services.persons import NAME

ISSUER = "ldap"  # one directory: its subjects are its own


class LdapBackend(ModelBackend):
    """After Django's own backend: a local name is never asked from LDAP, nor is its password sent
    there. Raises Refused when LDAP is away or gives no role; that is no wrong password."""

    @sensitive_variables("password")
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        config: Ldap | None = settings.LDAP
        login = _login(username or "") if config else None
        if config is None or login is None or not password:
            return None
        if request is not None:
            request.asked_ldap = True  # type: ignore[attr-defined]  # for the audit
        found = ldap.ask(config, login, password)
        if found is None:
            return None
        role = config.grants.role(found.groups, ldap.same_group)
        arrival = Arrival(Identity.LDAP, config.name, ISSUER, found.subject, found.name, role)
        user = person_admit(arrival=arrival)
        user.came_by = Identity.LDAP  # type: ignore[attr-defined]
        return user

    def get_user(self, user_id: int) -> User | None:
        """A session by LDAP ends when LDAP is not used any more."""
        return super().get_user(user_id) if settings.LDAP else None


def _login(name: str) -> str | None:
    """The name to ask LDAP about; None for a local one, and for what is no name at all."""
    if not NAME.fullmatch(name):
        return None
    known = get_user_model().objects.filter(username__iexact=name).select_related("identity")
    if not known:
        return name
    ours = [user.identity for user in known if hasattr(user, "identity")]
    if len(ours) != len(known) or ours[0].way != Identity.LDAP:
        return None
    return str(ours[0].login)

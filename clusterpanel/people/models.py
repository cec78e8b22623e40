"""What the panel knows of a person beside name and password."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.db import models

from clusterpanel.fields import EncryptedTextField
from clusterpanel.people.roles import Role


class Person(models.Model):
    """A user without a row here is a viewer; Django's superuser is an administrator.

    `epoch` grows with "sign out everywhere": a session of an older one is over.
    `second_factor` is the TOTP secret (base32); it counts once `factor_since` is set.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="person"
    )
    role = models.CharField(
        max_length=16, choices=[(str(r), str(r)) for r in Role], default=Role.VIEWER
    )
    epoch = models.PositiveIntegerField(default=0)
    second_factor = EncryptedTextField(blank=True, default="")
    factor_since = models.DateTimeField(null=True)
    # The time step of the newest code that was accepted: a code opens once.
    factor_step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class RecoveryCode(models.Model):
    """Opens once in place of a code of the second factor; only its hash is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"recovery code of {self.person.user}"


class Identity(models.Model):
    """Who a person is at a directory. Issuer and subject are matched and nothing else: names and
    mail addresses change hands, and may be chosen by their owner.

    `login` is the name that the directory knows; the panel's own may differ. `admitted` is False
    since a sign-in that no group gave a role to; tokens open nothing then.
    """

    LDAP, OIDC = "ldap", "oidc"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identity"
    )
    way = models.CharField(max_length=8, choices=[(LDAP, "LDAP"), (OIDC, "OpenID Connect")])
    issuer = models.TextField()
    subject = models.TextField()
    # Of issuer and subject: to the letter, also in a database that takes "A" for "a".
    digest = models.CharField(max_length=64, unique=True)
    login = models.CharField(max_length=150)
    admitted = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.user} by {self.way}"

    @staticmethod
    def digest_of(issuer: str, subject: str) -> str:
        return hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()

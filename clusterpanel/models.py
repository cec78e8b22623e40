"""What belongs to the whole panel: the audit and the tokens of the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from clusterpanel.people.roles import Role


class OnlyAdded(models.QuerySet["AuditEntry"]):
    """Nothing in the product changes or removes an entry; `audit.verify` finds who did it elsewhere."""

    def update(self, **_: Any) -> int:
        raise TypeError("The audit is only ever added to.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("The audit is only ever added to.")


class AuditEntry(models.Model):
    """One line of the append-only, hash-chained audit (law 14).

    `previous` is unique, so the chain cannot fork: of two writers that read the same end, the
    database refuses one.
    """

    at = models.DateTimeField()
    who = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True, default="")
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    objects = OnlyAdded.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.who} {self.action}"

    def save(self, **options: Any) -> None:
        super().save(**{**options, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The audit is only ever added to.")


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is kept.

    It may what its role and its owner's role both allow, on `cluster` or, when that is null, on all
    of them, until `expires_at`. `overrides`: its owner gave his password for it to go on without a
    backup, or the console made it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=60, blank=True, default="")
    role = models.CharField(max_length=16, default=Role.ADMINISTRATOR)
    cluster = models.ForeignKey("nodes.Cluster", null=True, on_delete=models.CASCADE)
    overrides = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"token “{self.name}” of {self.user}"

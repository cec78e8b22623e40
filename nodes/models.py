"""What exists: clusters, their settings by revision, pinned host keys, and what was seen."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from clusterpanel.fields import EncryptedTextField
from nodes.domain.peers import PeerSettings

DEFAULT_APP_DIR = "/var/www/html/dpiui2"


class Cluster(models.Model):
    """One dpiui2 cluster and how the panel reaches its servers."""

    name = models.CharField(max_length=64, unique=True)
    app_dir = models.CharField(max_length=255, default=DEFAULT_APP_DIR)
    ssh_username = models.CharField(max_length=64, default="root")
    ssh_port = models.PositiveIntegerField(default=22)
    ssh_private_key = EncryptedTextField(blank=True, default="")
    ssh_password = EncryptedTextField(blank=True, default="")
    # A second private key, not in use: a new one that waits to be proven, or the one before it.
    ssh_other_key = EncryptedTextField(blank=True, default="")
    ssh_other_until = models.DateTimeField(null=True)  # until then it was in use; null: never yet
    monitor_password = EncryptedTextField(blank=True, default="")
    # dpiui2's own page on a server, for example "https://{host}/"; "" is not asked.
    page_url = models.CharField(max_length=255, blank=True, default="")
    # dpiui2's background workers, as root on a server: a shell command each, "" not configured.
    worker_stop = models.CharField(max_length=500, blank=True, default="")
    worker_start = models.CharField(max_length=500, blank=True, default="")
    worker_check = models.CharField(max_length=500, blank=True, default="")
    # Makes dpiui2 on a server read its .env again; "": nothing is run. It runs as root there.
    apply_command = models.CharField(max_length=1000, blank=True, default="")
    # An existing cluster that was named and is not managed yet: it is read, nothing is planned.
    adopting = models.BooleanField(default=False)
    adopted_at = models.DateTimeField(null=True)  # it was running before the panel knew it
    sweep_until = models.DateTimeField(null=True)  # somebody asks the servers right now
    gluster_until = models.DateTimeField(null=True)  # somebody asks glusterd right now
    created_at = models.DateTimeField(auto_now_add=True)

    _held: SettingsRevision | None = None

    def __str__(self) -> str:
        return self.name

    def hold_revision(self) -> None:
        """For one drawing of a page: the settings are read now, and not again from this object."""
        self._held = self._newest_revision()

    @property
    def revision(self) -> SettingsRevision:
        """The settings the panel wants now: the newest revision."""
        return self._held or self._newest_revision()

    def _newest_revision(self) -> SettingsRevision:
        newest = self.revisions.order_by("-number").first()
        assert newest is not None  # a cluster is created together with revision 1
        return newest


class SettingsRevision(models.Model):
    """The three keys as somebody saved them once; never changed afterwards."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    galera_peer_hosts = models.JSONField()
    cluster_fs_peer_hosts = models.JSONField()
    cluster_primary_host = models.CharField(max_length=253)
    two_galera_acknowledged = models.BooleanField(default=False)
    why = models.TextField(blank=True, default="")  # what the author says it is for
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "number"], name="one_revision_per_number")
        ]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.cluster} revision {self.number}"

    @property
    def peers(self) -> PeerSettings:
        return PeerSettings(
            tuple(self.galera_peer_hosts),
            tuple(self.cluster_fs_peer_hosts),
            self.cluster_primary_host,
        )


class HostKey(models.Model):
    """A host key that a person compared and accepted (law 12)."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="host_keys")
    host = models.CharField(max_length=253)
    type = models.CharField(max_length=64)
    base64 = models.TextField()
    sha256 = models.CharField(max_length=64)  # "SHA256:…" as ssh-keygen prints it
    trusted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    trusted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "host"], name="one_pinned_key_per_host")
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.sha256}"


class Observation(models.Model):
    """The newest answers of one node as JSON: `facts` is `NodeFacts`; `gluster` what glusterd said,
    on a beat of its own, null: it was never asked; `position` where it was when it was last seen
    Synced in a Primary component (`nodes.domain.observation.SeenPosition`), null: never."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="observations")
    host = models.CharField(max_length=253)
    taken_at = models.DateTimeField()
    facts = models.JSONField()
    gluster = models.JSONField(null=True)
    position = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "host"], name="one_newest_per_host")
        ]

    def __str__(self) -> str:
        return f"{self.host} at {self.taken_at:%F %T}"


class NodeSample(models.Model):
    """A node's numbers in one slice of time: `nodes.domain.observation.Sample`; null is not known.

    `level` 0 is as it was seen; on higher levels a row stands for a longer slice and holds the worst
    value in it. `at` is the slice's beginning in seconds since the epoch: small, and the same on all
    databases.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="samples")
    host = models.CharField(max_length=253)
    level = models.PositiveSmallIntegerField()
    at = models.BigIntegerField()
    cluster_size = models.PositiveSmallIntegerField(null=True)
    paused_ns = models.BigIntegerField(null=True)
    recv_queue = models.FloatField(null=True)
    heal_pending = models.IntegerField(null=True)
    disk_used_pct = models.FloatField(null=True)
    load1 = models.FloatField(null=True)
    memory_used_pct = models.FloatField(null=True)
    transfer_bytes = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "host", "level", "at"], name="one_sample_per_slice"
            )
        ]
        indexes = [models.Index(fields=["level", "at"], name="samples_by_age")]

    def __str__(self) -> str:
        return f"{self.host} at {self.at}"


class Acknowledgement(models.Model):
    """Somebody knows of a finding and said so. `ended_at`: the finding was seen to be gone, or the
    acknowledgement was taken back; the same finding later is a new one."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="acknowledgements")
    finding = models.CharField(max_length=500)  # nodes.domain.verdict.Finding.id
    node = models.CharField(max_length=253, blank=True, default="")  # "" the whole cluster
    note = models.TextField(blank=True, default="")
    who = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "finding"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_acknowledgement_per_finding",
            )
        ]

    def __str__(self) -> str:
        return f"{self.finding} by {self.who}"


class CheckResult(models.Model):
    """One cell of the table node × check: the newest answer."""

    class State(models.TextChoices):
        OK = "ok"
        WARNING = "warning"
        FAILED = "failed"
        UNKNOWN = "unknown"

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="checks")
    host = models.CharField(max_length=253)
    check_id = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices)
    detail = models.JSONField()  # Text
    fix = models.JSONField(null=True)  # Text, or null when there is nothing to fix
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "host", "check_id"], name="one_result_per_cell"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.check_id}: {self.state}"

"""The likely cause of a failed step: named when the words prove it, else not at all."""

from __future__ import annotations

import pytest

from operations.domain.causes import likely_cause


@pytest.mark.parametrize(
    ("code", "line", "cause"),
    [
        (1, "ERROR: galera_setup.sh must be run as root", "not run as root"),
        (1, "gzip: stdout: No space left on device", "disk is full"),
        (1, "It may not be safe to bootstrap the cluster from this node.", "refuses to start"),
        (1, "[ERROR] Bind on TCP/IP port. Got error: 98: Address already in use", "port is taken"),
        (
            1,
            "WSREP: failed to open gcomm backend connection: 110: failed to reach primary view",
            "found no cluster",
        ),
        (1, "WSREP_SST: [ERROR] rsync returned code 255", "transfer of the database"),
        (1, "ERROR 1045 (28000): Access denied for user 'root'@'localhost'", "refused the sign-in"),
        (1, "ERROR 2002 (HY000): Can't connect to local server through socket", "does not run"),
        (
            1,
            "volume create: dpiui2: failed: /data/brick1 is already part of a volume",
            "brick directory",
        ),
        (1, "volume create: dpiui2: failed: Volume dpiui2 already exists", "exists already"),
        (
            1,
            "peer probe: failed: Probe returned with Transport endpoint is not connected",
            "peer is not connected",
        ),
        (1, "Another transaction is in progress for dpiui2.", "holds the lock"),
        (1, "Mount failed. Check the log file for more details.", "mount did not come up"),
        (4, "/x/.env was changed meanwhile; nothing was written.", "Somebody changed the file"),
        (1, "ssh: connect to host: Connection timed out", "Another host did not answer"),
        (
            1,
            "Job for mariadb.service failed because the control process exited",
            "service did not start",
        ),
        (127, "sh: 0: cannot open /var/www/x.sh: No such file", "missing on this node"),
        (127, "", "missing on this node"),
        (137, "", "killed"),
        (0, "done", "effect did not appear"),
    ],
)
def test_the_cause_is_named(code: int, line: str, cause: str) -> None:
    found = likely_cause(code, ["starting", line, ""])
    assert found is not None
    assert cause in str(found.cause)
    assert str(found.fix)


def test_nothing_is_claimed_that_nobody_knows() -> None:
    assert likely_cause(1, ["something odd happened"]) is None
    assert likely_cause(None, []) is None
    # The file was not found, but that is not why it failed: the exit code says so.
    assert likely_cause(1, ["rm: cannot remove 'x': No such file or directory"]) is None

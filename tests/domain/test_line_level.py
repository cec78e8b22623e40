"""Which lines of real output are marked: as shell, dpkg, apt, MariaDB, Gluster, rsync, systemd print them."""

from __future__ import annotations

import pytest

from operations.domain.line_level import ERROR, HINT, WARNING, level

ERRORS = """\
ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)
sh: 1: galera_new_cluster: not found
galera_setup.sh: line 41: /etc/mysql/conf.d/galera.cnf: No such file or directory
mkdir: cannot create directory '/gluster': Permission denied
Segmentation fault (core dumped)
Killed
dpkg: error processing package mariadb-server (--configure):
Errors were encountered while processing:
E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt-get)
E: Unable to locate package mariadb-serverr
2026-11-22 10:00:00 0 [ERROR] WSREP: Node consistency compromised, leaving cluster...
2026-11-22 10:00:00 0 [ERROR] Aborting
\x1b[31mERROR\x1b[0m 1045 (28000): Access denied for user 'root'@'localhost'
[2026-11-22 10:00:00.123456 +0000] E [MSGID: 106012] [glusterd-utils.c:3642] 0-management: Cksums differ
volume create: gv0: failed: Host node2 is not in ' Peer in Cluster' state
peer probe: failed: Probe returned with Transport endpoint is not connected
Connection failed. Please check if gluster daemon is operational.
Error : Request timed out
rsync: [sender] link_stat "/data/x" failed: No such file or directory (2)
rsync error: some files could not be transferred (code 23) at main.c(1338) [sender=3.2.7]
Job for mariadb.service failed because the control process exited with error code.
mariadb.service: Main process exited, code=exited, status=1/FAILURE
mount.glusterfs: Mount failed. Check the log file for more details.
ssh: connect to host node3 port 22: Connection refused
3 errors, 0 warnings
Ошибка: не удалось подключиться к узлу node2
ОТКАЗАНО в доступе
"""
WARNINGS = """\
2026-11-22 10:00:00 0 [Warning] WSREP: Failed to report last committed 1:42, -110 (Connection timed out)
[2026-11-22 10:00:00.123456 +0000] W [MSGID: 101012] [common-utils.c:3210] 0-glusterfs: failed to read
W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease
WARNING: apt does not have a stable CLI interface. Use with caution in scripts.
dpkg: warning: while removing rsync, directory '/etc/rsync' not empty so not removed
debconf: unable to initialize frontend: Dialog
rsync warning: some files vanished before they could be transferred (code 24) at main.c(1338)
file has vanished: "/data/sessions/sess_42"
0 errors, 2 warnings
Предупреждение: часы узлов расходятся
"""
NEITHER = """\
+ echo 'error: no hosts'
++ grep -c failed /var/log/syslog
0 errors, 0 warnings
No errors found.
done without any errors
node2 : ok=12 changed=3 unreachable=0 failed=0
No. of heal failed entries: 0
errors: 0
Setting up libgpg-error0:amd64 (1.46-1) ...
Unpacking libgpg-error-l10n (1.46-1) ...
Selecting previously unselected package liberror-perl.
backend/storage/error.log
storage/errors/404.html
--log-error=/var/lib/mysql/node1.err
log_error = /var/log/mysql/error.log
errors/
2026-11-22 10:00:00 2 [Note] WSREP: (a1b2, 'tcp://0.0.0.0:4567') connection to peer c3d4 timed out, no messages seen
[2026-11-22 10:00:00.123456 +0000] I [MSGID: 106493] [glusterd-rpc-ops.c:461] 0-glusterd: no such peer failed
volume start: gv0: success
peer probe: success
Number of entries: 0
wsrep_local_state_comment\tSynced
set -o errexit
Processing triggers for man-db (2.11.2-2) ...
terror, mirrored, unfailing
"""


def lines(text: str) -> list[str]:
    return [line.replace("\x1b[31m", "").replace("\x1b[0m", "") for line in text.splitlines()]


@pytest.mark.parametrize("line", lines(ERRORS))
def test_it_reads_like_an_error(line: str) -> None:
    assert level(line) == ERROR


@pytest.mark.parametrize("line", lines(WARNINGS))
def test_it_reads_like_a_warning(line: str) -> None:
    assert level(line) == WARNING


@pytest.mark.parametrize("line", lines(NEITHER))
def test_it_reads_like_neither(line: str) -> None:
    assert level(line) == ""


def test_the_look_at_many_lines_passes_over_none_that_is_marked() -> None:
    for line in lines(ERRORS + WARNINGS):
        for written in (line, line.upper() if level(line.upper()) else line):
            assert HINT.search(written.encode().lower()), written

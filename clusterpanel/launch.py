"""What a running panel consists of, and how to tell that it is up."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from kombu.exceptions import OperationalError

from clusterpanel.celery import app as celery
from clusterpanel.supervise import Service

ADDRESS = "127.0.0.1"
ADMIN = "admin"
PASSWORD_FILE = "admin-password"


def services(port: int, workers: int, broker: tuple[str, ...]) -> list[Service]:
    """Broker first and last; without one of its own (REDIS_URL is given) the others."""
    python = (sys.executable, "-m")
    tasks = (*python, "celery", "-A", "clusterpanel")
    here = ("--host", ADDRESS, "--no-server-header")
    web = (*python, "uvicorn", "clusterpanel.asgi:application", *here)
    # Without a limit, uvicorn waits for ever for pages that hold a stream open.
    quiet = ("--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning")
    # Workers neither greet nor watch each other: the database says who owns a run.
    alone = ("--without-gossip", "--without-mingle", "--loglevel", "WARNING")
    worker = (*tasks, "worker", "--pool", "prefork")
    threads = (*tasks, "worker", "--pool", "threads")
    # Its entries repeat every few seconds: a schedule on disk could only be damaged.
    schedule = ("-S", "celery.beat.Scheduler", "--pidfile=", "--loglevel", "WARNING")
    return [
        *([Service("broker", broker, stage=0)] if broker else []),
        Service("web", (*web, "--port", str(port), *quiet)),
        Service("worker", (*worker, "-c", str(workers), "-Q", settings.RUN_QUEUE, *alone)),
        # A worker of its own for the steady beat: however many runs last however long, the servers
        # are observed and a run that lost its worker is found.
        # Threads of one process, so that every server has one kept-open connection, and one that
        # hangs holds a thread and nothing else.
        Service("watcher", (*threads, "-c", "32", "-Q", settings.BEAT_QUEUE, *alone)),
        Service("scheduler", (*tasks, "beat", *schedule)),
    ]


def port_is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return True
    return False


def is_up(port: int, broker_url: str) -> bool:
    """Whether pages are served and a worker takes tasks; not just that both were started."""
    return _page_answers(port) and _worker_answers(broker_url)


def _page_answers(port: int) -> bool:
    """The web process, and through it the database and the broker."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _worker_answers(broker_url: str) -> bool:
    url = broker_url.replace("unix://", "redis+socket://", 1)
    with celery.connection_for_write(url) as connection:
        try:
            found = celery.control.broadcast(
                "ping", reply=True, limit=1, timeout=1, connection=connection
            )
        except OperationalError:
            return False
    return bool(found)


def admin_password(home: Path) -> str | None:
    """The first administrator's password while it is still the one made here, else None.

    An empty panel gets its administrator now. The password stays readable for the owner of
    the home alone, so that the next start can show it again until it is changed.
    """
    users = get_user_model().objects
    kept = home / PASSWORD_FILE
    if not users.exists():
        password = secrets.token_urlsafe(12)
        kept.touch(mode=0o600)
        kept.write_text(password + "\n")
        users.create_superuser(username=ADMIN, password=password)
        return password
    if not kept.exists():
        return None
    password = kept.read_text().strip()
    admin = users.filter(username=ADMIN).first()
    if admin and admin.check_password(password):
        return password
    kept.unlink()
    return None


def default_workers() -> int:
    """A run holds a worker while it lasts, so more than the processors can use."""
    return max(4, os.cpu_count() or 1)

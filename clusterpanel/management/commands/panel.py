"""`manage.py panel`: the whole panel in one command (see `make run` and `make demo`)."""

from __future__ import annotations

import os
import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from clusterpanel import demo, launch, stored_secrets
from clusterpanel.broker import Broker, private_broker
from clusterpanel.supervise import AlreadyRunning, Home, Supervisor

PATIENCE_S = 30.0


class Command(BaseCommand):
    help = "Start broker, web, worker and scheduler, and keep them running until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000")
        parser.add_argument("--workers", type=int, default=launch.default_workers())
        parser.add_argument("--demo", action="store_true", help="with three servers to try it on")
        parser.add_argument(
            "--simulated",
            action="store_true",
            default=os.environ.get("SIMULATED", "") not in ("", "0"),
            help="with --demo: simulated servers, also where a lab could run",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        os.umask(0o077)
        home = self._claim(Path(settings.PANEL_HOME))
        if launch.port_is_taken(options["port"]):
            raise CommandError(
                f"Port {options['port']} is in use by another program. "
                f"Choose another: make {'demo' if options['demo'] else 'run'} "
                f"PORT={options['port'] + 1}"
            )
        try:
            self._start(home, options)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        finally:
            home.release()

    def _claim(self, path: Path) -> Home:
        try:
            home = Home(path)
            home.claim()
        except AlreadyRunning as other:
            raise CommandError(
                f"A panel with PANEL_HOME {path} is already running (process {other.pid}). "
                f"Stop it first: kill {other.pid}"
            ) from None
        return home

    def _start(self, home: Home, options: dict[str, Any]) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if lost := stored_secrets.unreadable():
            raise CommandError(
                f"The key of this panel does not open {', '.join(lost)}: it is not the one that"
                " encrypted it. Put PANEL_HOME/keys back from your backup."
            )
        password = launch.admin_password(home.path)
        connections.close_all()
        servers = self._servers(home, options)
        given = os.environ.get("REDIS_URL")
        broker = Broker((), given) if given else private_broker(home.path)
        env = {
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "REDIS_URL": broker.url,
            **servers.env,
        }
        parts = launch.services(options["port"], options["workers"], broker.argv)
        supervisor = Supervisor(home, parts, env, self._say)
        ready = partial(launch.is_up, options["port"], broker.url)
        report = self._report(home.path, password, servers.text, options["port"])
        supervisor.run(Watch(self._say, supervisor, ready, report))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        servers.end()
        self.stdout.write("Stopped.")

    def _servers(self, home: Home, options: dict[str, Any]) -> demo.Servers:
        if options["demo"]:
            simulated = options["simulated"]
            return demo.prepare(home.path, settings.BASE_DIR, self._say, simulated=simulated)
        if settings.SIMULATED_NODES:
            return demo.Servers(f"The servers in {settings.SIMULATED_NODES} are simulated.")
        return demo.Servers("Next: sign in and add your three servers.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _report(self, home: Path, password: str | None, servers: str, port: int) -> str:
        change = f"PANEL_HOME={home} .venv/bin/python manage.py changepassword {launch.ADMIN}"
        kept = f"{password}\n  (kept in {home / launch.PASSWORD_FILE}; change it: {change})"
        return (
            f"Cluster Panel is ready: http://{launch.ADDRESS}:{port}\n"
            f"  user:     {launch.ADMIN}\n"
            f"  password: {kept if password else 'the one you set'}\n"
            f"{servers}\n"
            f"Logs are in {home / 'log'}. Ctrl-C stops the panel."
        )


class Watch:
    """Says once that the panel is up, or where to look while it is not."""

    def __init__(
        self,
        say: Callable[[str], None],
        supervisor: Supervisor,
        is_up: Callable[[], bool],
        report: str,
    ) -> None:
        self._say, self._supervisor, self._is_up, self._report = say, supervisor, is_up, report
        self._complain_at = time.monotonic() + PATIENCE_S
        self._ready = False

    def __call__(self) -> None:
        if self._ready:
            return
        down = self._supervisor.down()
        if not down and self._is_up():
            self._ready = True
            self._say(self._report)
        elif time.monotonic() > self._complain_at:
            self._complain_at += PATIENCE_S
            self._say(
                f"Not up yet: {', '.join(down) or 'web or worker'}. The log folder may say why."
            )

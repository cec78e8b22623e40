"""A supervisor of three small services, run by the tests: supervised.py HOME."""

from __future__ import annotations

import sys
from pathlib import Path

from clusterpanel.supervise import AlreadyRunning, Home, Service, Supervisor

PARENT = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def main() -> None:
    try:
        home = Home(Path(sys.argv[1]))
        home.claim()
    except AlreadyRunning as other:
        sys.exit(f"already running: {other.pid}")
    services = [
        Service("first", ("sleep", "600"), stage=0),
        Service("parent", (sys.executable, "-c", PARENT)),
        Service("stubborn", (sys.executable, "-c", STUBBORN), grace_s=0.5),
    ]
    Supervisor(home, services, {}, say=print).run(lambda: None)


main()

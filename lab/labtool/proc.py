"""Running host commands, and the one error type that ends a command with a sentence."""

import subprocess
import time
from collections.abc import Callable


class LabError(Exception):
    """A sentence for the person at the terminal; `status` is the exit status it deserves."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def run(*argv: str, stdin: str | None = None) -> str:
    """Run a command that must succeed; its standard output."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise LabError(f"{' '.join(argv)}: {why}")
    return done.stdout


def succeeds(*argv: str) -> bool:
    """Run a command whose failure is an answer, not an error."""
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def succeeding_output(*argv: str) -> str | None:
    """The output of a command that may fail; None if it does or says nothing."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout or None if done.returncode == 0 else None


def wait_until(done: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Ask again and again until `done` or the time is over; the last answer."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True

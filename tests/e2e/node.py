"""A lab node seen past the panel, by plain ssh: what really is there."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import Any

JOBS = "/var/lib/clusterpanel/jobs"


@dataclass(frozen=True)
class Node:
    address: str
    key: str
    known_hosts: str

    def run_bytes(self, command: str, *, stdin: bytes = b"", may_break: bool = False) -> bytes:
        argv = ["ssh", "-q", "-i", self.key, "-o", "BatchMode=yes"]
        argv += ["-o", f"UserKnownHostsFile={self.known_hosts}", f"root@{self.address}", command]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=60)
        assert may_break or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def run(self, command: str, *, may_break: bool = False) -> str:
        return self.run_bytes(command, may_break=may_break).decode().strip()

    def write(self, path: str, content: bytes) -> None:
        self.run_bytes(f"cat > {path}", stdin=content)

    def file(self, path: str) -> str:
        return self.run(f"cat {path}")

    def sql(self, query: str) -> str:
        return self.run(f'mariadb -N -B -e "{query}"')

    def wsrep(self, name: str) -> str:
        return self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split("\t")[-1]

    def tree(self, folder: str) -> dict[str, str]:
        """Every file below `folder` with the SHA-256 of its content."""
        lines = self.run(f"cd {folder} && find . -type f -exec sha256sum {{}} +").splitlines()
        return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}

    def jobs_of(self, run: str, step: str) -> list[str]:
        """Job directories of a step on this node: one for each time it was started."""
        host = self.address.replace(".", "_")
        mine = re.compile(rf"{run}-{step}-{host}(\.\d+)?")
        return [name for name in self.run(f"ls {JOBS}").splitlines() if mine.fullmatch(name)]

    def job_starts(self, run: str, step: str) -> int:
        return len(self.jobs_of(run, step))

    def job_log(self, run: str, step: str) -> bytes:
        (name,) = self.jobs_of(run, step)
        return self.run_bytes(f"cat {JOBS}/{name}/log")


def nodes_of(lab: dict[str, Any]) -> list[Node]:
    return [Node(node["address"], lab["key"], lab["known_hosts"]) for node in lab["nodes"]]

"""A cluster under write load: what every server's writer noted, and whether all of it is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.e2e import steps
from tests.e2e.node import Node, nodes_of
from tests.e2e.panel import Client, Panel, wait_for

NAME = "Power"
STORAGE = "/var/www/html/dpiui2/backend/storage"
# One row and one file after the other; each with its time and whether it was taken. It ends by itself.
WRITER = r"""
n=0 end=$(($(date +%s) + 1500))
while [ ! -e /run/load-stop ] && [ "$(date +%s)" -lt "$end" ]; do
    n=$((n + 1)); at=$(date +%s.%N)
    if said=$(timeout 60 mariadb dpiui2 -e "INSERT INTO load_rows VALUES ('$1', $n)" 2>&1); then
        echo "row $n ok $at $(date +%s.%N)"
    else
        echo "row $n failed $at $(date +%s.%N) $said"
    fi
    if [ $((n % 5)) = 0 ]; then
        at=$(date +%s.%N)
        if timeout 60 sh -c 'echo "$2" > "$1/load-$2-$3"' - STORAGE "$1" "$n" 2>/dev/null; then
            echo "file $n ok $at $(date +%s.%N)"
        else
            echo "file $n failed $at $(date +%s.%N)"
        fi
    fi
    sleep 0.1
done
""".replace("STORAGE", STORAGE)


@dataclass(frozen=True)
class Written:
    """What one server's writer noted: `took` is the longest wait for one row or file, in seconds."""

    rows: list[int]
    files: list[int]
    failed: list[str]
    took: float


def _writes(node: Node) -> bool:
    return "ok" in node.file("/root/load.log")


class Site:
    def __init__(self, panel: Panel, lab: dict[str, Any]) -> None:
        self.client: Client = panel.client()
        self.nodes: list[Node] = nodes_of(lab)
        self.hosts = steps.addresses(lab)
        self.cluster = steps.create_cluster(self.client, lab, NAME)
        steps.trust_all(self.client, self.cluster, lab)
        steps.run_to_success(self.client, self.cluster, "apply_settings")
        for procedure in ("install_galera", "install_glusterfs"):
            self.done(procedure)
        columns = "node VARCHAR(40), n INT, PRIMARY KEY (node, n)"
        self.nodes[0].sql(f"CREATE TABLE dpiui2.load_rows ({columns})")
        for node in self.nodes:
            node.write("/root/load.sh", WRITER.encode())

    def done(self, procedure: str, **params: Any) -> float:
        """Seconds from the accepted plan to the proven end."""
        wait_for(lambda: self.asked(procedure, params), 300, "it was never allowed")
        began = time.monotonic()
        snapshot = self.client.finished(self.newest(), 900)
        assert snapshot["state"] == "succeeded", (snapshot, self.client.log(snapshot["id"])[-3000:])
        return time.monotonic() - began

    def newest(self) -> str:
        return str(self.client.get(f"/runs?cluster={self.cluster}&limit=1")[0]["id"])

    def asked(self, procedure: str, params: dict[str, Any]) -> bool:
        """A busy machine may be too slow for one look at the servers; a person looks again."""
        url, asked = f"/clusters/{self.cluster}", {"procedure": procedure, "params": params}
        status, plan = self.client.call("POST", f"{url}/plans", asked)
        if status != 200:
            print(f"\n{procedure}: not now: {plan['why']}", flush=True)
            return False
        body = {**asked, "plan_hash": plan["hash"], "confirmations": self._answers(plan)}
        status, answer = self.client.call("POST", f"{url}/runs", body)
        if status != 201:
            print(f"\n{procedure}: not now: {answer['why']}", flush=True)
        return status == 201

    def _answers(self, plan: Any) -> dict[str, Any]:
        waiver = {"waiver": {"typed": NAME, "reason": "servers that were made for this test"}}
        kinds = {"backup": waiver, "typed": {"typed": NAME}, "accept": {"accept": True}}
        return {gate["id"]: kinds[gate["kind"]] for gate in plan["gates"]}

    def start_writing(self, *places: int) -> None:
        for place in places:
            node = self.nodes[place]
            node.run(
                "rm -f /run/load-stop /root/load.log; systemctl reset-failed load 2>/dev/null;"
                f" systemd-run -q --unit=load sh -c 'sh /root/load.sh {place + 1} > /root/load.log'"
            )
            wait_for(partial(_writes, node), 60, "nothing is written")

    def written(self, place: int) -> Written:
        node = self.nodes[place]
        node.run("touch /run/load-stop; while systemctl is-active -q load; do sleep 0.2; done")
        rows: list[int] = []
        files: list[int] = []
        failed: list[str] = []
        took = 0.0
        for line in node.file("/root/load.log").splitlines():
            kind, number, word, begun, ended, *_ = line.split()
            took = max(took, float(ended) - float(begun))
            if word != "ok":
                failed.append(line)
            else:
                (rows if kind == "row" else files).append(int(number))
        return Written(rows, files, failed, took)

    def check_data(self, notes: dict[int, Written]) -> None:
        """Every row that was taken is on every server, and every file."""
        for place, note in notes.items():
            for node in self.nodes:
                query = f"SELECT n FROM dpiui2.load_rows WHERE node = '{place + 1}'"
                there = {int(n) for n in node.sql(query).split()}
                assert set(note.rows) <= there, sorted(set(note.rows) - there)
                found = node.run(f"ls {STORAGE} | grep '^load-{place + 1}-' || :").split()
                files = {int(name.rsplit("-", 1)[1]) for name in found}
                assert set(note.files) <= files
        sums = {node.run("mariadb -NBe 'CHECKSUM TABLE dpiui2.subscribers'") for node in self.nodes}
        assert len(sums) == 1


@contextmanager
def load(office: Site, *places: int) -> Iterator[dict[int, Written]]:
    """Filled with what was written when the block is over."""
    notes: dict[int, Written] = {}
    office.nodes[0].sql("TRUNCATE dpiui2.load_rows")
    office.nodes[0].run(f"rm -f {STORAGE}/load-*")
    office.start_writing(*places)
    yield notes
    notes.update({place: office.written(place) for place in places})


def told(what: str, took: float, notes: dict[int, Written]) -> None:
    rows, files = (
        sum(len(n.rows) for n in notes.values()),
        sum(len(n.files) for n in notes.values()),
    )
    longest = max((n.took for n in notes.values()), default=0.0)
    failed = sum(len(n.failed) for n in notes.values())
    print(
        f"\n{what}: {took:.1f} s; {rows} rows, {files} files, {failed} failed, longest"
        f" wait {longest:.2f} s",
        flush=True,
    )

"""One panel with its servers: makes trials, one after the other."""

from __future__ import annotations

from io import StringIO
from random import Random

from django.core.management import call_command

from chaos import books
from chaos.plan import choose
from chaos.rig import Rig
from chaos.sites import Site
from chaos.strike import blow_of
from chaos.task import Task
from chaos.trial import Result, Trial
from chaos.truth import Complaint
from tests.e2e.panel import Client, wait_for


class Lane:
    """Everything that one lane holds while it works."""

    def __init__(self, task: Task, rig: Rig, site: Site) -> None:
        self._task, self._rig, self._site = task, rig, site
        token = StringIO()
        call_command("panel_token", "admin", stdout=token)
        self._client = Client(rig.machines[0].panel.port, token.getvalue().split()[-1])
        self._cluster = self._prepare(self._client)

    def _prepare(self, client: Client) -> int:
        """A cluster in the panel, as a person enters it, with its settings on every server."""
        hosts = list(self._site.hosts)
        body = {
            "name": "Chaos",
            "galera_peer_hosts": hosts,
            "cluster_fs_peer_hosts": hosts,
            "cluster_primary_host": hosts[0],
            "ssh": dict(self._site.ssh),
        }
        cluster = int(client.post("/clusters", body, expect=201)["id"])
        for key in client.post(f"/clusters/{cluster}/host-keys/scan"):
            assert key["sha256"] == self._site.fingerprints[key["host"]]
            trusted = {"host": key["host"], "sha256": key["sha256"]}
            client.post(f"/clusters/{cluster}/host-keys/trust", trusted)
        plan = {"procedure": "apply_settings", "params": {"force": True}}

        def every_node_answers() -> bool:
            return client.call("POST", f"/clusters/{cluster}/plans", plan)[0] == 200

        wait_for(every_node_answers, 60, "the servers do not answer")
        run = client.start(cluster, "apply_settings", {}, force=True)
        snapshot = client.finished(run)
        assert snapshot["state"] == "succeeded", snapshot
        return cluster

    def trial(self, number: int, victim: str, point: str) -> Result:
        rng = Random(f"{self._task.seed} {number}")
        chosen = choose(self._site.hosts, rng)
        doubled = self._task.doubled
        trial = Trial(self._site, self._cluster, chosen, rng, deliver_late=doubled)
        result = Result(number, victim, point)
        trial.go(result, blow_of(victim, self._rig, self._site, lambda: trial.run))
        self._rig.switch_on()
        self._rig.wait_until_whole()
        self._look_at_page(result)
        return result

    def _look_at_page(self, result: Result) -> None:
        """What the page says of a new worker: that it is attached again, when, and that nothing is lost."""
        numbers = books.attached(result.run)
        if numbers:
            self._client.port = self._rig.machines[0].panel.port  # another one after a restart
            wait_for(self._client.is_up, 60, "the web process did not come back")
        for number in numbers:
            (line,) = self._client.get(f"/runs/{result.run}/log?after={number - 1}&limit=1")[
                "lines"
            ]
            if "No lines lost" not in line["text"] or line["text"].count(" UTC") != 2:
                result.complaints.append(Complaint("said", f"the page says: {line['text']}"))

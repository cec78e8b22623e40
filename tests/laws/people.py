"""Who asks, and through which door: the page, the API with a token or a session, the service itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from clusterpanel.api import digest
from clusterpanel.models import ApiToken
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from operations import services
from operations.domain.plan import Plan
from operations.models import Run
from tests.people.made import at_the_keyboard, person

REASON = "the old data is not needed any more"
DOORS = ("page", "token", "session", "service")


@dataclass
class Person:
    """`user` None: somebody who did not sign in."""

    name: str
    user: User | None
    may_waive: bool = False
    client: Client = field(default_factory=Client)

    @property
    def token(self) -> str:
        return f"token of {self.name}"


def chief() -> Person:
    user = at_the_keyboard(person("chief", "administrator"))
    return _signed_in(Person("chief", user, may_waive=True))


def operator() -> Person:
    return _signed_in(Person("operator", person("operator")))


def stranger() -> Person:
    return Person("stranger", None)


def _signed_in(person: Person) -> Person:
    assert person.user is not None
    person.client.force_login(person.user)
    ApiToken.objects.create(user=person.user, digest=digest(person.token), overrides=True)
    return person


Answers = dict[str, Any]


def _api(person: Person, door: str, path: str, body: Answers | None = None) -> int:
    headers = {"authorization": f"Bearer {person.token}"} if door == "token" else {}
    answer = person.client.post(
        f"/api/v1{path}", json.dumps(body or {}), content_type="application/json", headers=headers
    )
    return answer.status_code


def _page(person: Person, path: str, form: Answers | None = None) -> int:
    return person.client.post(path, form or {}).status_code


def _service(act: Callable[[], Any]) -> int:
    try:
        act()
    except Refused:
        return 409
    return 200


def start(
    person: Person, door: str, cluster: Cluster, plan: Plan, plan_hash: str, answers: Answers
) -> int:
    procedure = plan.procedure
    if door == "page":
        form = {"plan_hash": plan_hash, **_form(answers)}
        return _page(person, f"/clusters/{cluster.pk}/plan/{procedure}/", form)
    words = {"procedure": procedure, "params": {}, "plan_hash": plan_hash}
    if door != "service":
        body = {**words, "confirmations": answers}
        return _api(person, door, f"/clusters/{cluster.pk}/runs", body)
    return _service(
        lambda: services.run_start(cluster=cluster, confirmations=answers, by=person.user, **words)  # type: ignore[arg-type]
    )


def _form(answers: Answers) -> Answers:
    """What a browser sends for these answers."""
    form: Answers = {}
    for gate, answer in answers.items():
        name = f"gate-{gate}"
        if "accept" in answer:
            form[f"{name}-accept"] = "on"
        if "backup" in answer:
            form[f"{name}-choice"] = str(answer["backup"])
        if "waiver" in answer:
            form[f"{name}-choice"] = "waive"
            form[f"{name}-typed"] = answer["waiver"]["typed"]
            form[f"{name}-reason"] = answer["waiver"]["reason"]
    return form


def act(person: Person, door: str, run: Run, verb: str, step: str = "") -> int:
    """verb: cancel, resume or check."""
    if door == "page":
        return _page(person, f"/runs/{run.pk}/{verb}/", {"step": step, "sure": "on"})
    if door != "service":
        where = f"/runs/{run.pk}/steps/{step}/check" if step else f"/runs/{run.pk}/{verb}"
        return _api(person, door, where)
    if verb == "check":
        return _service(lambda: services.run_check(run=run, step=step, by=person.user))
    service = services.run_cancel if verb == "cancel" else services.run_resume
    return _service(lambda: service(run=run, by=person.user))

"""An acknowledgement lasts as long as what it is about, and everybody sees whose it is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from clusterpanel import audit
from clusterpanel.models import AuditEntry
from nodes import services
from nodes.domain.refusal import Refused
from nodes.models import Cluster
from nodes.services.acknowledging import acknowledgements_settle
from tests.fakes import facts, seen
from tests.people.made import person

pytestmark = pytest.mark.django_db
BRICK = "brick_down:10.77.2.13:/data/brick1"


@pytest.fixture
def olga() -> User:
    return person("olga")


@pytest.fixture
def site() -> Cluster:
    made = seen.cluster()
    seen.observed(made, "brick-down")
    return made


def acknowledged(site: Cluster) -> list[str]:
    return [each.finding for each in site.acknowledgements.filter(ended_at=None)]


def test_it_has_who_and_why_and_is_in_the_audit(site: Cluster, olga: User) -> None:
    made = services.finding_acknowledge(cluster=site, finding=BRICK, note=" disk ordered ", by=olga)
    assert (made.who, made.note) == ("olga", "disk ordered")
    entry = AuditEntry.objects.get(action="finding_acknowledge")
    assert (entry.who, entry.detail["note"]) == ("olga", "disk ordered")
    assert audit.verify() is None


def test_what_is_not_found_cannot_be_acknowledged(site: Cluster, olga: User) -> None:
    with pytest.raises(Refused) as refused:
        services.finding_acknowledge(cluster=site, finding="brick_down:x", note="", by=olga)
    assert refused.value.first.code == "finding_gone"


def test_a_second_one_and_a_novel_are_refused(site: Cluster, olga: User) -> None:
    services.finding_acknowledge(cluster=site, finding=BRICK, note="", by=olga)
    for note, code in (("", "already_acknowledged"), ("x" * 1001, "note_too_long")):
        with pytest.raises(Refused) as refused:
            services.finding_acknowledge(cluster=site, finding=BRICK, note=note, by=olga)
        assert refused.value.first.code == code
    assert AuditEntry.objects.filter(action="finding_acknowledge").count() == 1


def test_it_ends_when_the_finding_is_gone_and_the_finding_comes_back_as_new(
    site: Cluster, olga: User
) -> None:
    services.finding_acknowledge(cluster=site, finding=BRICK, note="", by=olga)
    acknowledgements_settle(cluster=site)
    assert acknowledged(site) == [BRICK]
    seen.observed(site, "healthy")
    acknowledgements_settle(cluster=site)
    assert acknowledged(site) == []
    seen.observed(site, "brick-down")
    acknowledgements_settle(cluster=site)
    assert acknowledged(site) == []


def test_a_silent_server_and_old_facts_end_nothing(site: Cluster, olga: User) -> None:
    services.finding_acknowledge(cluster=site, finding=BRICK, note="", by=olga)
    seen.observed(
        site,
        "healthy",
        bend=lambda node: facts.silent(node.host) if node.host.endswith("13") else node,
    )
    acknowledgements_settle(cluster=site)
    assert acknowledged(site) == [BRICK]
    seen.observed(site, "healthy", age_s=120)
    acknowledgements_settle(cluster=site)
    assert acknowledged(site) == [BRICK]


def test_it_can_be_taken_back(site: Cluster, olga: User) -> None:
    services.finding_acknowledge(cluster=site, finding=BRICK, note="", by=olga)
    services.acknowledgement_take_back(cluster=site, finding=BRICK, by=olga)
    services.acknowledgement_take_back(cluster=site, finding=BRICK, by=olga)
    assert acknowledged(site) == []
    assert AuditEntry.objects.filter(action="acknowledgement_take_back").count() == 1

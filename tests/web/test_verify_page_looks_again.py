"""The last step of the wizard needs no reload: it asks until everything is there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from nodes.models import Cluster
from tests.web import sites

pytestmark = pytest.mark.django_db


def verify(cluster: Cluster) -> str:
    return reverse("wizard", args=[cluster.pk, "verify"])


def test_it_asks_for_itself_while_something_is_missing(signed_in: Client) -> None:
    where = verify(sites.unreachable())
    page = signed_in.get(where).content.decode()
    assert f'id="verify" hx-get="{where}"' in page
    assert 'id="verify"' in signed_in.get(where, headers={"HX-Request": "true"}).content.decode()


def test_when_all_is_there_the_whole_page_is_drawn_anew_and_rests(signed_in: Client) -> None:
    where = verify(sites.installed())
    assert signed_in.get(where, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert 'hx-get="' + where not in signed_in.get(where).content.decode()

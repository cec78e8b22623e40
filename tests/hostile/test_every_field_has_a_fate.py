"""No field of the product is forgotten: a new one fails here until somebody has looked at it."""

from __future__ import annotations

from tests.api.premises import Premises
from tests.hostile.doors import fields, planners_that_take_any_name
from tests.hostile.fates import FATES, REACHING, of
from tests.hostile.senders import senders


def test_every_field_has_a_fate() -> None:
    found = fields()
    assert sorted(found - set(FATES)) == [], "new fields: where do they go?"
    assert sorted(set(FATES) - found) == [], "these are gone"


def test_every_planner_refuses_what_it_does_not_know() -> None:
    assert planners_that_take_any_name() == set()


def test_every_field_that_reaches_a_server_is_tried(premises: Premises) -> None:
    assert sorted(senders(premises)) == of(*REACHING)

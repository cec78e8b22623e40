"""What breaks on real servers is on an open dashboard by itself, and so is its end.

How soon is measured by `python -m bench broken`; here a busy machine has its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from bench.install import by_ssh
from bench.lab import Lab
from tests.e2e import breaking, wizard
from tests.e2e.breaking import Breakage, Site
from tests.e2e.panel import Panel

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.timeout(300)]
PATIENCE_S = 60


@pytest.fixture(scope="module")
def site(panel: Panel, pristine_lab: dict[str, Any]) -> Site:
    by_ssh(Lab(pristine_lab["name"], pristine_lab))
    return breaking.adopted(panel, pristine_lab)[1]


@pytest.fixture(scope="module")
def page(panel: Panel, site: Site) -> Iterator[Page]:
    with wizard.browser_of(panel) as opened:
        breaking.open_dashboard(opened, panel, site, PATIENCE_S)
        yield opened


@pytest.mark.parametrize("breakage", breaking.BREAKAGES, ids=lambda each: each.name)
def test_it_is_shown_and_so_is_its_end(page: Page, site: Site, breakage: Breakage) -> None:
    shown = page.locator(breakage.place).text_content() or ""
    assert not breaking.says(shown, breakage.words)  # else the words would prove nothing
    breaking.seconds_until_shown(page, site, breakage, PATIENCE_S)
    breakage.mends(site)
    breaking.wait_until_well(page, PATIENCE_S)

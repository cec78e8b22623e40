"""The same installation, clicked by an admin in Chromium, on real servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e import wizard
from tests.e2e.node import nodes_of
from tests.e2e.panel import Panel

pytestmark = [pytest.mark.lab, pytest.mark.browser]


def test_an_admin_installs_a_cluster(panel: Panel, pristine_lab: dict[str, Any]) -> None:
    with wizard.browser_of(panel) as page:
        wizard.install(page, pristine_lab)
    for node in nodes_of(pristine_lab):
        assert node.wsrep("wsrep_cluster_size") == "3"
        assert (
            node.run("findmnt -no FSTYPE /var/www/html/dpiui2/backend/storage") == "fuse.glusterfs"
        )

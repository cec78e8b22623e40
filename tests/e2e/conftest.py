from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.panel import Panel


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """One panel for the tests of a module, with its own home, broker and port."""
    started = Panel(tmp_path_factory.mktemp("panel") / "home")
    yield started
    started.stop()

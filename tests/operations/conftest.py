from __future__ import annotations

import pytest

from tests.operations.office import Office, make_office


@pytest.fixture
def office(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    return make_office(monkeypatch.setattr)

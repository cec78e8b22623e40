"""The first administrator and the password that is shown until it is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from clusterpanel import launch

pytestmark = pytest.mark.django_db


def test_an_empty_panel_gets_an_administrator_who_can_sign_in(tmp_path: Path) -> None:
    password = launch.admin_password(tmp_path)
    admin = get_user_model().objects.get()
    assert (admin.username, admin.is_superuser) == ("admin", True)
    assert password
    assert admin.check_password(password)


def test_the_next_start_shows_the_same_password(tmp_path: Path) -> None:
    assert launch.admin_password(tmp_path) == launch.admin_password(tmp_path)


def test_a_changed_password_is_neither_shown_nor_kept(tmp_path: Path) -> None:
    launch.admin_password(tmp_path)
    admin = get_user_model().objects.get()
    admin.set_password("another one")
    admin.save()
    assert launch.admin_password(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_panel_with_users_gets_nobody_new(tmp_path: Path) -> None:
    get_user_model().objects.create_user("olga")
    assert launch.admin_password(tmp_path) is None
    assert get_user_model().objects.count() == 1

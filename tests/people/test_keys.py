"""Keys: missing, guessable or readable ones are refused; rotation with the old ones accepted."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from clusterpanel import keys, stored_secrets
from nodes.models import Cluster

FERNET = Fernet.generate_key().decode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "field_key"


def test_a_new_panel_makes_one_that_nobody_else_reads(place: Path) -> None:
    (made,) = keys.read_or_create(place, fernet=True)
    assert Fernet(made)
    assert place.stat().st_mode & 0o777 == 0o600
    assert keys.read_or_create(place, fernet=True) == [made]


def test_a_lost_one_is_not_made_anew(place: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="put the file back"):
        keys.read_or_create(place, fernet=True, fresh=False)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_one_that_others_read_is_refused(place: Path, mode: int) -> None:
    keys.read_or_create(place)
    place.chmod(mode)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        keys.read_or_create(place)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "changeme",
        "x" * 50,
        "A" * 43 + "=",
        "django-insecure-" + "abcdefghijklmnopqrstuvwxyz123",
    ],
)
def test_one_that_can_be_guessed_is_refused(place: Path, key: str) -> None:
    keys.read_or_create(place)
    place.write_text(key)
    with pytest.raises(ImproperlyConfigured, match=r"guessed|empty"):
        keys.read_or_create(place)


@pytest.fixture
def cluster(db: None, place: Path, settings: Any) -> Cluster:
    keys.read_or_create(place, fernet=True)
    settings.FIELD_KEYS_FILE = place
    return Cluster.objects.create(name="Office", ssh_password="very secret", ssh_private_key="pem")


def rotate(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def secret() -> str:
    return Cluster.objects.get().ssh_password


def test_rotation_keeps_everything_readable(cluster: Cluster, place: Path) -> None:
    (old,) = keys.read(place)
    assert "2 stored secrets" in rotate()
    assert keys.read(place)[1] == old
    assert stored_secrets.under_older_keys() == 0
    assert secret() == "very secret"
    rotate("--drop-old")
    assert old not in keys.read(place)
    assert secret() == "very secret"


def test_what_an_older_process_wrote_is_accepted_and_not_lost(
    cluster: Cluster, place: Path
) -> None:
    (old,) = keys.read(place)
    rotate()
    late = Fernet(old).encrypt(b"late").decode()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE nodes_cluster SET ssh_password = %s", [late])
    assert secret() == "late"
    with pytest.raises(CommandError, match="1 secrets still need an old key"):
        rotate("--drop-old")
    rotate()
    rotate("--drop-old")
    assert secret() == "late"


def test_with_a_foreign_key_nothing_is_rotated_and_the_place_is_named(
    cluster: Cluster, place: Path
) -> None:
    keys.replace(place, [FERNET])
    with pytest.raises(CommandError, match=r"nodes_cluster\.ssh_password of row"):
        rotate()
    assert keys.read(place) == [FERNET]


def test_keys_of_the_environment_are_used_as_they_are(cluster: Cluster, settings: Any) -> None:
    settings.FIELD_KEYS = [FERNET, *keys.read(settings.FIELD_KEYS_FILE)]
    assert "Remove the" in rotate()
    assert stored_secrets.under_older_keys() == 0
    settings.FIELD_KEYS = [FERNET]
    assert secret() == "very secret"

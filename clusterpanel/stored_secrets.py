"""Every encrypted value of the database: is it readable, and with which key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.db import connection, models, transaction

from clusterpanel.fields import EncryptedTextField, cipher, field_keys


def reencrypt() -> int:
    """Everything with the newest key, in one transaction; how many values."""
    with transaction.atomic():
        found = list(_tokens())
        for model, column, pk, token in found:
            _write(model, column, pk, cipher().rotate(token.encode()).decode())
    return len(found)


def unreadable() -> list[str]:
    """Where a value is that none of the keys opens: `table.column of row`."""
    return [
        f"{model._meta.db_table}.{column} of row {pk}"
        for model, column, pk, token in _tokens()
        if not _opens(cipher(), token)
    ]


def under_older_keys() -> int:
    """How many values the newest key alone does not open."""
    newest = Fernet(field_keys()[0])
    return sum(not _opens(newest, token) for *_, token in _tokens())


def _opens(key: Any, token: str) -> bool:
    try:
        key.decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def _tokens() -> Iterator[tuple[type[models.Model], str, object, str]]:
    """As they lie in the database, not as the field shows them."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield from (
                    (model, str(field.column), pk, token) for pk, token in _rows(model, field)
                )


def _rows(model: type[models.Model], field: EncryptedTextField) -> list[tuple[object, str]]:
    quote = connection.ops.quote_name
    pk = model._meta.pk
    assert pk is not None
    assert pk.column is not None
    table, column, key = (quote(n) for n in (model._meta.db_table, str(field.column), pk.column))
    with connection.cursor() as cursor:
        # Names of our own models, quoted by the database's own rules.
        cursor.execute(f"SELECT {key}, {column} FROM {table} WHERE {column} <> ''")
        return list(cursor.fetchall())


def _write(model: type[models.Model], column: str, pk: Any, token: str) -> None:
    quote = connection.ops.quote_name
    key = model._meta.pk
    assert key is not None
    assert key.column is not None
    table, name, where = quote(model._meta.db_table), quote(column), quote(key.column)
    with connection.cursor() as cursor:
        words = f"UPDATE {table} SET {name} = %s WHERE {where} = %s"
        cursor.execute(words, [token, pk])

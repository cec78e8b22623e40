"""Sessions of which a copy of the database opens none (law 13).

A row is found by a digest of what the browser has, as with tokens; what is kept in it is encrypted
with the key of the fields: while a second factor is being set up, its secret waits there.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from asgiref.sync import sync_to_async
from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends import db
from django.utils import timezone

from clusterpanel.fields import cipher


def kept(session_key: str | None) -> str:
    """What the database knows a session by. 40 hexadecimal digits: that is the width of the column."""
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """Django's own, with other bytes in the table."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return cipher().encrypt(json.dumps(session_dict).encode()).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """What no key opens is no session: signed out."""
        try:
            return json.loads(cipher().decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}

    def load(self) -> dict[str, Any]:
        rows = self.model.objects.filter(expire_date__gt=timezone.now())
        row = rows.filter(session_key=kept(self.session_key)).first()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return super().exists(kept(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = kept(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            super().delete(kept(key))

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        return await sync_to_async(self.create_model_instance)(data)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)

"""The API keys of a store: what is kept of them cannot be turned back into them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from keepwell.errors import StoreError
from serving.store.access_schema import api_keys
from serving.store.audit import Deed, note
from serving.store.engine import reading, writing


@dataclass(frozen=True)
class ApiKey:
    """What the store knows of a key.

    `hash` is that of the whole key (`serving.front.access.hash_of`), `requests_per_minute` None without a limit, `expires_at` the
    instant from which on the key is worth nothing, None for never; `revoked_at` likewise.
    """

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    requests_per_minute: int | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


class Keys:
    """The keys of a store. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, also those that are worth nothing any more, oldest first."""
        with reading(self._engine) as connection:
            return _keys(connection)

    def add(self, key: ApiKey, *, by: str) -> None:
        """Keep a new key, and who made it."""
        detail = f"{key.name}: {', '.join(key.scopes)}"
        with writing(self._engine) as connection:
            connection.execute(insert(api_keys).values(**{**asdict(key), "scopes": list(key.scopes)}))
            note(connection, Deed(key.created_at, by, "key created", detail=f"{key.id} {detail}"))

    def revoke(self, id_or_name: str, *, at: datetime, by: str) -> ApiKey:
        """End a key for good, by its id, or by its name where one valid key has it. Ending it twice changes nothing.

        StoreError where there is no such key, or several have the name.
        """
        with writing(self._engine) as connection:
            key = _named(_keys(connection), id_or_name, at)
            if key.revoked_at is None:
                connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(revoked_at=at))
                note(connection, Deed(at, by, "key revoked", detail=f"{key.id} {key.name}"))
        return key


def _keys(connection: Connection) -> tuple[ApiKey, ...]:
    rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)).mappings()
    return tuple(ApiKey(**{**row, "scopes": tuple(row["scopes"])}) for row in rows)


def _named(keys: tuple[ApiKey, ...], id_or_name: str, at: datetime) -> ApiKey:
    for key in keys:
        if key.id == id_or_name:
            return key
    named = [key for key in keys if key.name == id_or_name]
    valid = [key for key in named if key.state(at) == "valid"] or named
    if not valid:
        raise StoreError(f"there is no key {id_or_name!r}", hint="`keepwell keys list` shows the keys there are")
    if len(valid) > 1:
        ids = ", ".join(key.id for key in valid)
        raise StoreError(f"{len(valid)} keys are named {id_or_name!r}", hint=f"name one by its id: {ids}")
    return valid[0]

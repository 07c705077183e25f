"""The audit: who changed what, and when. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select

from serving.store.access_schema import audit
from serving.store.engine import reading, writing


@dataclass(frozen=True)
class Deed:
    """One thing that somebody did: `actor` is a person or a key, `what` a few words, `request_id` that of the log."""

    at: datetime
    actor: str
    what: str
    company: str | None = None
    customer_id: str | None = None
    detail: str | None = None
    request_id: str | None = None


class Audit:
    """The audit of a store. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, deeds: Sequence[Deed]) -> None:
        """Add deeds, all of them or none."""
        with writing(self._engine) as connection:
            note(connection, *deeds)

    def latest(self, limit: int = 100) -> tuple[Deed, ...]:
        """The newest deeds, newest first."""
        columns = [column for column in audit.c if column.name != "id"]
        with reading(self._engine) as connection:
            rows = connection.execute(select(*columns).order_by(audit.c.id.desc()).limit(limit)).mappings().all()
        return tuple(Deed(**row) for row in rows)


def note(connection: Connection, *deeds: Deed) -> None:
    """Add deeds in the transaction that does them: both are kept or neither."""
    if deeds:
        connection.execute(insert(audit), [asdict(deed) for deed in deeds])

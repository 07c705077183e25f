"""The audit: who changed what, and when. Rows are only ever added; the name of a customer who is forgotten goes out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select

from serving.store.access_schema import audit
from serving.store.engine import reading, writing

FORGOTTEN = "forgotten"
"""What stands in the place of a customer's id once the customer is forgotten."""


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

    def page(
        self, *, actor: str = "", customer_id: str = "", before: int | None = None, limit: int = 50
    ) -> tuple[tuple[int, Deed], ...]:
        """Deeds with their numbers, newest first: of one actor, of one customer, or (empty) of all.

        `before` is the number of the last deed of the page before; None begins with the newest.
        """
        wanted = [audit.c.actor == actor] if actor else []
        wanted += [audit.c.customer_id == customer_id] if customer_id else []
        wanted += [audit.c.id < before] if before is not None else []
        query = select(audit).where(*wanted).order_by(audit.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return tuple((row.pop("id"), Deed(**row)) for row in rows)

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

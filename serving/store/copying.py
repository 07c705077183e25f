"""Copy a whole store into an empty one, as when a store on SQLite moves to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Integer, Table, func, insert, literal, select, text

from keepwell.errors import StoreError
from serving.store.engine import reading, writing
from serving.store.migrate import migrate
from serving.store.tables import metadata

if TYPE_CHECKING:  # who only serves has no progress to show, and waits for no import of it
    from keepwell.progress import Progress

_ROWS_AT_ONCE = 5_000


def copy_store(source: Engine, target: Engine, progress: Progress) -> dict[str, int]:
    """Copy every row of every table, ids and all, in one transaction; how many rows of which table.

    Both stores are brought to this version's schema before. What is written to `source` meanwhile is not copied: end its services
    and schedules first. Raises StoreError, and leaves `target` without a row, where one of them cannot be used, or `target` has
    rows already.
    """
    migrate(source)
    migrate(target)
    with reading(source) as old, writing(target) as new:
        _require_empty(new)
        return {table.name: _copied(table, old, new, progress) for table in metadata.sorted_tables}


def _require_empty(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first():
            raise StoreError(
                f"the store to copy into has rows already, in {table.name}",
                hint="name a database that no service and no command has written to yet",
            )


def _copied(table: Table, old: Connection, new: Connection, progress: Progress) -> int:
    total, done = old.execute(select(func.count()).select_from(table)).scalar_one(), 0
    with progress.step(f"{table.name}, {total:,} rows"):
        for rows in _blocks(table, old):
            new.execute(insert(table), rows)
            done += len(rows)
            progress.count(done, total)
        _count_on(table, new)
    return done


def _blocks(table: Table, old: Connection) -> Iterator[list[dict[str, Any]]]:
    found = old.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(table))
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _count_on(table: Table, new: Connection) -> None:
    """Have PostgreSQL give the next row an id above those that came along; other databases look at the rows themselves."""
    if new.dialect.name != "postgresql" or "id" not in table.c or not isinstance(table.c.id.type, Integer):
        return
    greatest = new.execute(select(func.max(table.c.id))).scalar()
    if greatest is not None:
        new.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :id)"), {"table": table.name, "id": greatest})

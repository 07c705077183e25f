"""The views of the list of customers that people have saved: a name for a search with its filters, order and columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, delete, func, insert, select

from keepwell.errors import StoreError
from serving.store.access_schema import saved_views
from serving.store.engine import reading, writing

MOST_VIEWS = 50
"""How many views of one company one person may save."""


@dataclass(frozen=True)
class SavedView:
    """A view: `query` is the query part of the list's address."""

    name: str
    query: str


class SavedViews:
    """The saved views of a store, each its owner's own. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, company: str, owner: str) -> tuple[SavedView, ...]:
        """What a person has saved, by name."""
        query = select(saved_views.c.name, saved_views.c.query).where(_of(company, owner)).order_by(saved_views.c.name)
        with reading(self._engine) as connection:
            return tuple(SavedView(row.name, row.query) for row in connection.execute(query))

    def save(self, company: str, owner: str, view: SavedView, *, at: datetime) -> None:
        """Keep a view, in place of the owner's own of the same name. StoreError for one more than MOST_VIEWS."""
        same = and_(_of(company, owner), saved_views.c.name == view.name)
        values = {"company": company, "owner": owner, "name": view.name, "query": view.query, "saved_at": at}
        with writing(self._engine) as connection:
            connection.execute(delete(saved_views).where(same))
            saved = connection.scalar(select(func.count()).select_from(saved_views).where(_of(company, owner)))
            if (saved or 0) >= MOST_VIEWS:
                raise StoreError(f"{MOST_VIEWS} views are saved already", hint="delete one that nobody needs any more")
            connection.execute(insert(saved_views).values(**values))

    def forget(self, company: str, owner: str, name: str) -> None:
        """Delete a view; nothing happens where there is none of this name."""
        with writing(self._engine) as connection:
            connection.execute(delete(saved_views).where(_of(company, owner), saved_views.c.name == name))


def _of(company: str, owner: str) -> ColumnElement[bool]:
    return and_(saved_views.c.company == company, saved_views.c.owner == owner)

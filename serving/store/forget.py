"""Forgetting customers: all that the store holds of them goes, in one transaction; the audit keeps what was done, not to whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, and_, delete, func, select, update

from decisions.plans.plan_rows import CONTROL
from serving.store.access_schema import audit, saved_views
from serving.store.audit import FORGOTTEN, Deed, note
from serving.store.engine import cleared, reading, writing
from serving.store.job_schema import jobs
from serving.store.list_schema import score_lists
from serving.store.listing import packed_list, unpacked_list
from serving.store.schema import events, feature_rows, loads, plan_items, plans, scores
from serving.store.work_schema import do_not_contact, outcomes

LEAST_TELLING = 4
"""Characters of an id that is looked for in what people wrote: a shorter one, as 7, may be anything there."""

_AT_ONCE = 500
_NOTES = (outcomes.c.note, do_not_contact.c.note)

Ids = Sequence[str]


@dataclass(frozen=True)
class Kept:
    """How many rows of each place there are, or were, of the customers; in `notes`, `views` and `jobs` texts that name them.

    `audit` entries stay, under another name. `unwilling` customers had asked for no contact; where such wishes are kept, only the
    `wish_notes` beside them go.
    """

    scores: int
    feature_rows: int
    events: int
    lists: int
    plan_items: int
    outcomes: int
    unwilling: int
    wish_notes: int
    audit: int
    notes: int
    views: int
    jobs: int

    @property
    def rows(self) -> int:
        """All of them together."""
        return sum(asdict(self).values())


class Forgetting:
    """Removes customers from a store. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, company: str, customer_ids: Ids) -> frozenset[str]:
        """Those of the ids under which the store keeps anything."""
        of_load, of_plan = _of_company(company)
        places = (
            (scores.c.customer_id, of_load(scores)),
            (plan_items.c.customer_id, of_plan),
            *((table.c.customer_id, table.c.company == company) for table in (outcomes, do_not_contact, audit)),
        )
        found: set[str] = set()
        with reading(self._engine) as connection:
            for column, its in places:
                for some in _some(customer_ids):
                    found |= {*connection.scalars(select(column).where(its, column.in_(some)).distinct())}
        return frozenset(found)

    def forget(
        self, company: str, customer_ids: Ids, *, at: datetime, by: str, keep_wishes: bool = False, dry_run: bool = False
    ) -> Kept:
        """Remove all that is kept of these customers, or nothing; what it was is the answer.

        `keep_wishes` keeps that somebody wants no contact: the id and the day, without a note. `dry_run` only counts. The deed is
        in the audit, without the ids, where anything was found.
        """
        with writing(self._engine) as connection:
            trial = connection.begin_nested()
            found = _removed(connection, company, customer_ids, keep_wishes=keep_wishes)
            if dry_run:
                trial.rollback()
            elif found.rows:
                told = ", ".join(f"{place} {rows}" for place, rows in asdict(found).items() if rows)
                note(connection, Deed(at, by, "customers forgotten", company, detail=told))
        return found

    def clean(self) -> bool:
        """Leave nothing of removed rows in the file of the store, as `engine.cleared` does."""
        return cleared(self._engine)


def _removed(connection: Connection, company: str, ids: Ids, *, keep_wishes: bool) -> Kept:
    """Remove everything, and say what it was. Texts come first: they are looked through while nothing has changed."""
    of_load, of_plan = _of_company(company)
    telling = _Telling(ids)
    told = {
        "notes": sum(_rewritten(connection, column, company, telling) for column in _NOTES),
        "views": _views_removed(connection, company, telling),
        "jobs": _rewritten(connection, jobs.c.error, company, telling),
        "lists": _lists_rewritten(connection, company, ids),
    }
    scored = _holding(connection, scores.c.load_id, scores, of_load(scores), ids)
    planned = _holding(connection, plan_items.c.plan_id, plan_items, of_plan, ids)
    for table in (scores, feature_rows, events):
        told[table.name] = _rows_removed(connection, table, of_load(table), ids)
    told["plan_items"] = _rows_removed(connection, plan_items, of_plan, ids)
    told["outcomes"] = _rows_removed(connection, outcomes, outcomes.c.company == company, ids)
    forgotten = _wish_notes_removed if keep_wishes else _wishes_removed
    told |= {"unwilling": 0, "wish_notes": 0, **forgotten(connection, company, ids)}
    told["audit"] = _audit_renamed(connection, company, ids)
    _count_loads(connection, scored)
    _count_plans(connection, planned)
    return Kept(**told)


def _of_company(company: str) -> tuple[Callable[[Table], ColumnElement[bool]], ColumnElement[bool]]:
    """Whether a row of a table belongs to a load of the company; whether an item belongs to one of its plans."""
    load_ids, plan_ids = (select(table.c.id).where(table.c.company == company) for table in (loads, plans))
    return lambda table: table.c.load_id.in_(load_ids), plan_items.c.plan_id.in_(plan_ids)


def _holding(connection: Connection, column: Column[int], table: Table, its: ColumnElement[bool], ids: Ids) -> frozenset[int]:
    """The loads or plans that hold any of the customers."""
    query = select(column).where(its).distinct()
    return frozenset(each for some in _some(ids) for each in connection.scalars(query.where(table.c.customer_id.in_(some))))


def _rows_removed(connection: Connection, table: Table, its: ColumnElement[bool], ids: Ids) -> int:
    return sum(connection.execute(delete(table).where(its, table.c.customer_id.in_(some))).rowcount for some in _some(ids))


def _wishes_removed(connection: Connection, company: str, ids: Ids) -> dict[str, int]:
    return {"unwilling": _rows_removed(connection, do_not_contact, do_not_contact.c.company == company, ids)}


def _wish_notes_removed(connection: Connection, company: str, ids: Ids) -> dict[str, int]:
    """Leave the bare wishes: who, and since when."""
    its = and_(do_not_contact.c.company == company, do_not_contact.c.note.is_not(None))
    bare = update(do_not_contact).where(its).values(note=None)
    changed = (connection.execute(bare.where(do_not_contact.c.customer_id.in_(some))) for some in _some(ids))
    return {"wish_notes": sum(each.rowcount for each in changed)}


def _audit_renamed(connection: Connection, company: str, ids: Ids) -> int:
    renamed = update(audit).where(audit.c.company == company).values(customer_id=FORGOTTEN)
    return sum(connection.execute(renamed.where(audit.c.customer_id.in_(some))).rowcount for some in _some(ids))


def _lists_rewritten(connection: Connection, company: str, ids: Ids) -> int:
    """Write the lists of loads without these customers; how many lists had any."""
    query = select(score_lists).join(loads, loads.c.id == score_lists.c.load_id).where(loads.c.company == company)
    rewritten = 0
    for load_id in connection.scalars(query.with_only_columns(score_lists.c.load_id)).all():
        mine = score_lists.c.load_id == load_id
        blob = connection.scalars(select(score_lists.c.columns).where(mine)).one()
        listed = unpacked_list(blob)
        left = listed.filter(~pl.col("customer_id").is_in(ids))
        if left.height < listed.height:
            connection.execute(update(score_lists).where(mine).values(columns=packed_list(left)))
            rewritten += 1
    return rewritten


def _count_loads(connection: Connection, load_ids: Collection[int]) -> None:
    """Say anew how many customers these loads have: whoever holds their list in memory sees by it that the list is old."""
    left = select(func.count()).where(scores.c.load_id == loads.c.id).scalar_subquery()
    for some in _some(sorted(load_ids)):
        connection.execute(update(loads).where(loads.c.id.in_(some)).values(customers=left))


def _count_plans(connection: Connection, plan_ids: Collection[int]) -> None:
    """The figures of a plan are sums over the customers who are left in it, but for controls."""
    to_do = and_(plan_items.c.plan_id == plans.c.id, plan_items.c.arm.is_distinct_from(CONTROL))
    sums = {name: func.coalesce(func.sum(plan_items.c[name]), 0.0) for name in ("cost", "expected_net_value")}
    values = {name: select(each).where(to_do).scalar_subquery() for name, each in (sums | {"customers": func.count()}).items()}
    for some in _some(sorted(plan_ids)):
        connection.execute(update(plans).where(plans.c.id.in_(some)).values(**values))


class _Telling:
    """The ids that are looked for in texts, as words of their own, in large or small letters."""

    def __init__(self, ids: Ids) -> None:
        self.ids = [each for each in ids if len(each) >= LEAST_TELLING]

    def named_in(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text has one of the ids in it, perhaps within a longer word: a first look that is quick for many ids."""
        if not texts or not self.ids:
            return [False] * len(texts)
        return pl.Series(texts).str.contains_any(self.ids, ascii_case_insensitive=True).to_list()

    def without(self, text: str) -> str:
        """The text with FORGOTTEN in the place of the ids."""
        small = text.lower()
        for each in self.ids:
            if each.lower() in small:
                text = re.sub(rf"(?<![\w-]){re.escape(each)}(?![\w-])", FORGOTTEN, text, flags=re.IGNORECASE)
        return text


def _rewritten(connection: Connection, column: Column[str], company: str, telling: _Telling) -> int:
    """Take the ids out of the texts of a column; how many texts had any. JSON is looked through as the texts in it."""
    table, keys = column.table, list(column.table.primary_key)
    rows = connection.execute(select(*keys, column).where(table.c.company == company, column.is_not(None))).all()
    changed = 0
    for row, named in zip(rows, telling.named_in([str(row[-1]) for row in rows]), strict=True):
        text = _deep(row[-1], telling.without) if named else row[-1]
        if text != row[-1]:
            its = and_(*(key == value for key, value in zip(keys, row[:-1], strict=True)))
            connection.execute(update(table).where(its).values({column.name: text}))
            changed += 1
    return changed


def _deep(value: object, change: Callable[[str], str]) -> object:
    """A text, or the texts in the values of a mapping, changed."""
    if isinstance(value, Mapping):
        return {key: _deep(each, change) for key, each in value.items()}
    return change(value) if isinstance(value, str) else value


def _views_removed(connection: Connection, company: str, telling: _Telling) -> int:
    """Delete saved views whose name or search names one of the customers; how many they were."""
    rows = connection.execute(select(saved_views).where(saved_views.c.company == company)).all()
    told = [" ".join((row.name, *(value for _, value in parse_qsl(row.query)))) for row in rows]
    named = [row.id for row, text in zip(rows, told, strict=True) if telling.without(text) != text]
    for some in _some(named):
        connection.execute(delete(saved_views).where(saved_views.c.id.in_(some)))
    return len(named)


def _some(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield list(items[start : start + _AT_ONCE])

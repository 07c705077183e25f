"""What came of plans, in the store: outcomes under the sender's keys, who was meant to get what, whom nobody may contact."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, delete, func, insert, select, update

from decisions.labels import Step
from serving.store.engine import reading, writing
from serving.store.records import Assignment, RecordedOutcome
from serving.store.schema import loads, plan_items, plans, scores
from serving.store.work_schema import do_not_contact, outcomes

_AT_ONCE = 500
_COLUMNS = [outcomes.c[name] for name in RecordedOutcome.__dataclass_fields__]
_SAME = ("customer_id", "action", "step", "happened_on")
"""What two outcomes under one key must agree in, to be the same."""


class OutcomeStore:
    """The outcomes of a store. All methods raise StoreError when it cannot be read or written."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def companies(self) -> tuple[str, ...]:
        """The companies that the store has scores or plans of, in alphabetical order."""
        with reading(self._engine) as connection:
            met = connection.scalars(select(loads.c.company).union(select(plans.c.company)))
            return tuple(sorted(met))

    def known_customers(self, company: str, customer_ids: Collection[str]) -> frozenset[str]:
        """Those of `customer_ids` that were ever scored or planned, as far as the store remembers."""
        scored = select(scores.c.customer_id).join(loads, loads.c.id == scores.c.load_id).where(loads.c.company == company)
        planned = (
            select(plan_items.c.customer_id).join(plans, plans.c.id == plan_items.c.plan_id).where(plans.c.company == company)
        )
        found: set[str] = set()
        with reading(self._engine) as connection:
            for some in _some_at_once(customer_ids):
                found |= {*connection.scalars(scored.where(scores.c.customer_id.in_(some)))}
            for some in _some_at_once({*customer_ids} - found):
                found |= {*connection.scalars(planned.where(plan_items.c.customer_id.in_(some)))}
        return frozenset(found)

    def similar_customers(self, company: str, customer_id: str) -> tuple[str, ...]:
        """Ids of the newest scoring that might be meant: the same but for zeros and case, and the neighbours."""
        load = select(func.max(loads.c.id)).where(loads.c.company == company, loads.c.current).scalar_subquery()
        column, query = scores.c.customer_id, select(scores.c.customer_id).where(scores.c.load_id == load)
        bare = customer_id.strip().lower().replace("0", "")
        with reading(self._engine) as connection:
            same = connection.scalars(query.where(func.replace(func.lower(column), "0", "") == bare).limit(20)).all()
            before = connection.scalars(query.where(column < customer_id).order_by(column.desc()).limit(1)).all()
            after = connection.scalars(query.where(column > customer_id).order_by(column).limit(1)).all()
        return tuple(dict.fromkeys((*same, *before, *after)))

    def planned_actions(self, company: str) -> frozenset[str]:
        """The actions that any plan of the company holds."""
        query = select(plan_items.c.action).join(plans, plans.c.id == plan_items.c.plan_id).where(plans.c.company == company)
        with reading(self._engine) as connection:
            return frozenset(connection.scalars(query.distinct()))

    def assignments(self, company: str, customer_ids: Collection[str] | None = None) -> tuple[Assignment, ...]:
        """What plans had in mind for these customers (None: for all), the oldest plan first."""
        query = _assigned(company).order_by(plans.c.as_of, plans.c.id, plan_items.c.priority)
        found: list[Assignment] = []
        with reading(self._engine) as connection:
            for some in [None] if customer_ids is None else _some_at_once(customer_ids):
                asked = query if some is None else query.where(plan_items.c.customer_id.in_(some))
                found += [Assignment(**row) for row in connection.execute(asked).mappings()]
        return tuple(found)

    def add(self, company: str, rows: Sequence[Mapping[str, Any]]) -> tuple[frozenset[str], frozenset[str]]:
        """Write the rows whose keys are new, all or none: (the keys that are new, those that say something else than is known).

        A row has the columns of `outcomes` but id and company. Whom nobody may contact follows from the new rows, day by day.
        """
        with writing(self._engine) as connection:
            known = _known_under(connection, company, [row["key"] for row in rows])
            new = [{**row, "company": company} for row in rows if row["key"] not in known]
            for some in _some_at_once(new):
                connection.execute(insert(outcomes), some)
            _keep_apart(connection, company, new)
        differing = {
            row["key"] for row in rows if row["key"] in known and tuple(row[name] for name in _SAME) != known[row["key"]]
        }
        return frozenset(row["key"] for row in new), frozenset(differing)

    def amend(self, company: str, key: str, *, reason: str | None, note: str | None) -> None:
        """Add to what is recorded under a key: the reason that is told now, and the note as a further line, once."""
        its = and_(outcomes.c.company == company, outcomes.c.key == key)
        with writing(self._engine) as connection:
            before = connection.execute(select(outcomes.c.reason, outcomes.c.note).where(its)).one()
            lines = [line for line in (before.note, note) if line]
            kept = before.note if note and note in (before.note or "") else "\n".join(lines) or None
            connection.execute(update(outcomes).where(its).values(reason=reason or before.reason, note=kept))

    def recorded(self, company: str, *, since: date | None = None, before: date | None = None) -> tuple[RecordedOutcome, ...]:
        """What happened in `[since, before)`, in the order of days and then of recording; None leaves an end open."""
        query = select(*_COLUMNS).where(outcomes.c.company == company).order_by(outcomes.c.happened_on, outcomes.c.id)
        if since is not None:
            query = query.where(outcomes.c.happened_on >= since)
        if before is not None:
            query = query.where(outcomes.c.happened_on < before)
        with reading(self._engine) as connection:
            return tuple(RecordedOutcome(**row) for row in connection.execute(query).mappings())

    def left_alone(self, company: str) -> frozenset[str]:
        """The ids of all whom nobody may contact."""
        with reading(self._engine) as connection:
            return frozenset(connection.scalars(select(do_not_contact.c.customer_id).where(do_not_contact.c.company == company)))


def unwilling(plan_id: int) -> Select[tuple[str]]:
    """The query of those who want no contact with the company of a plan."""
    company = select(plans.c.company).where(plans.c.id == plan_id).scalar_subquery()
    return select(do_not_contact.c.customer_id).where(do_not_contact.c.company == company)


def _assigned(company: str) -> Select[Any]:
    """What plans had in mind, as the fields of `Assignment`."""
    names = ("plan_id", "customer_id", "action", "arm", "propensity", "cost")
    query = select(plans.c.as_of, *(plan_items.c[name] for name in names))
    return query.join(plan_items, plan_items.c.plan_id == plans.c.id).where(plans.c.company == company)


def _known_under(connection: Connection, company: str, keys: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """What is recorded under these keys, as the values of `_SAME`."""
    query = select(outcomes.c.key, *(outcomes.c[name] for name in _SAME)).where(outcomes.c.company == company)
    rows = (row for some in _some_at_once(keys) for row in connection.execute(query.where(outcomes.c.key.in_(some))))
    return {row.key: tuple(row[1:]) for row in rows}


def _keep_apart(connection: Connection, company: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let whoever wants to be left alone be left alone from their day on, and whoever may be contacted again be contacted."""
    for row in sorted(rows, key=lambda row: row["happened_on"]):
        if row["step"] not in (Step.DO_NOT_CONTACT, Step.CONTACT_AGAIN):
            continue
        whom = and_(do_not_contact.c.company == company, do_not_contact.c.customer_id == row["customer_id"])
        since = connection.scalar(select(do_not_contact.c.since).where(whom))
        if row["step"] == Step.CONTACT_AGAIN and since is not None and since <= row["happened_on"]:
            connection.execute(delete(do_not_contact).where(whom))
        elif row["step"] == Step.DO_NOT_CONTACT and since is None:
            values = {name: row[name] for name in ("customer_id", "recorded_at", "recorded_by", "note")}
            connection.execute(insert(do_not_contact).values(company=company, since=row["happened_on"], **values))


def _some_at_once(items: Collection[Any]) -> Iterator[list[Any]]:
    ready = list(items)
    for start in range(0, len(ready), _AT_ONCE):
        yield ready[start : start + _AT_ONCE]

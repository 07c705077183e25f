"""The queries: each takes a load that the caller holds, so one page shows one load from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from math import isnan
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, Select, Table, and_, func, select, true

from decisions.plans.plan_rows import CONTROL
from serving.store.engine import reading
from serving.store.listing import Listing, Listings
from serving.store.outcomes import unwilling
from serving.store.records import (
    CustomerFilter,
    CustomerPage,
    Event,
    Load,
    Plan,
    PlanItem,
    PlannedAction,
    Reason,
    ScoreRow,
    Summary,
)
from serving.store.schema import events, feature_rows, loads, plan_items, plans, scores

_IDS_AT_ONCE = 500
_LOAD_COLUMNS = [column for column in loads.c if column.name != "current"]
_SCORE_COLUMNS = [column for column in scores.c if column.name != "load_id"]
_ITEM_COLUMNS = [column for column in plan_items.c if column.name != "plan_id"]
_TO_DO = plan_items.c.arm.is_distinct_from(CONTROL)
"""Controls are kept with the plan, and nobody is to do anything for them."""


class Reader:
    """Read access to a store. All methods raise StoreError when it cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listings = Listings(engine)

    def current_load(self, company: str | None = None, horizon_days: int | None = None) -> Load | None:
        """The load that readers see; the latest one where a company or a horizon is left open; None when there is none."""
        query = select(*_LOAD_COLUMNS).where(loads.c.current).order_by(loads.c.loaded_at.desc(), loads.c.id.desc()).limit(1)
        if company is not None:
            query = query.where(loads.c.company == company)
        if horizon_days is not None:
            query = query.where(loads.c.horizon_days == horizon_days)
        row = self._first(query)
        return None if row is None else _load(row)

    def loads(self) -> tuple[Load, ...]:
        """Every load that is kept, newest first."""
        return tuple(_load(row) for row in self._all(select(*_LOAD_COLUMNS).order_by(loads.c.id.desc())))

    def words_before(self, company: str, horizon_days: int, as_of: date, names: Sequence[str]) -> pl.DataFrame | None:
        """What the newest scoring of an earlier date than `as_of` said: customer_id (text) and the columns `names`.

        None where there is no such scoring. Of several scorings of that date the last one counts. StoreError when it cannot
        be read.
        """
        of_company = and_(loads.c.company == company, loads.c.horizon_days == horizon_days, loads.c.as_of < as_of)
        newest = select(loads.c.id).where(of_company).order_by(loads.c.as_of.desc(), loads.c.id.desc()).limit(1)
        query = select(scores.c.customer_id, *(scores.c[name] for name in names)).where(
            scores.c.load_id == newest.scalar_subquery()
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        types = dict.fromkeys(("customer_id", *names), pl.String)
        return pl.DataFrame(rows, schema=types, orient="row") if rows else None

    def customers(
        self,
        load: Load,
        chosen: CustomerFilter = CustomerFilter(),
        *,
        sort: str = "value_at_risk",
        descending: bool = True,
        offset: int = 0,
        limit: int = 50,
    ) -> CustomerPage:
        """One page of the customers that pass the filter, with their planned actions.

        `sort` is one of listing.SORTABLE (ValueError otherwise); missing values come last, ties are in the order of the ids.
        """
        listing, found = self._found(load, chosen, sort, descending)
        ids = listing.ids(found.slice(offset, limit))
        rows = self.customers_by_id(load, ids)
        return CustomerPage(tuple(rows[customer_id] for customer_id in ids if customer_id in rows), found.len())

    def customer_ids(
        self, load: Load, chosen: CustomerFilter = CustomerFilter(), *, sort: str = "value_at_risk", descending: bool = True
    ) -> Sequence[str]:
        """The ids of all customers that pass the filter, in the order of `customers`."""
        listing, found = self._found(load, chosen, sort, descending)
        return listing.ids(found)

    def listing(self, load: Load) -> Listing:
        """All customers of a load, in columns."""
        return self._listings.of(load)

    def customer(self, load: Load, customer_id: str) -> ScoreRow | None:
        """One customer's scores; None when the load does not hold them."""
        return self.customers_by_id(load, [customer_id]).get(customer_id)

    def customers_by_id(self, load: Load, customer_ids: Sequence[str]) -> dict[str, ScoreRow]:
        """The scores of these customers by id; who is not in the load is not in the answer."""
        with reading(self._engine) as connection:
            return _rows_by_id(connection, load, connection.scalar(_latest_plan_id(load)), customer_ids)

    def features(self, load: Load, customer_id: str) -> dict[str, float | None] | None:
        """A customer's feature row by name, None for a missing value; None as a whole when the row is not kept."""
        return self.features_by_id(load, [customer_id]).get(customer_id)

    def features_by_id(self, load: Load, customer_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
        """The feature rows of these customers by id, as `features` gives them; who has none is not in the answer."""
        found: dict[str, dict[str, float | None]] = {}
        query = select(feature_rows.c.customer_id, feature_rows.c.row).where(feature_rows.c.load_id == load.id)
        with reading(self._engine) as connection:
            for start in range(0, len(customer_ids), _IDS_AT_ONCE):
                some = list(customer_ids[start : start + _IDS_AT_ONCE])
                rows = connection.execute(query.where(feature_rows.c.customer_id.in_(some)))
                found |= {row.customer_id: _unpacked(row.row, load.feature_names) for row in rows}
        return found

    def timeline(self, load: Load, customer_id: str, *, limit: int | None = None) -> tuple[Event, ...]:
        """What happened to a customer before `as_of`, newest first."""
        query = select(events.c.day, events.c.kind, events.c.count, events.c.amount, events.c.detail)
        query = query.where(_of(events, load, customer_id)).order_by(events.c.day.desc(), events.c.kind).limit(limit)
        return tuple(Event(**row) for row in self._all(query))

    def summary(self, load: Load, *, at_risk_from: float = 0.5) -> Summary:
        """The load in figures; a customer is at risk when not lost and the churn probability is at least `at_risk_from`."""
        return self.listing(load).summary(at_risk_from)

    def choices(self, load: Load, *columns: str) -> dict[str, tuple[str, ...]]:
        """The labels that text columns of the scores take in this load, in alphabetical order, for the lists of filters."""
        return {column: self.listing(load).met(column) for column in columns}

    def plan(self, load: Load) -> Plan | None:
        """The newest plan made from this load; None when there is none."""
        columns = [plans.c[name] for name in Plan.__dataclass_fields__]
        row = self._first(select(*columns).where(plans.c.load_id == load.id).order_by(plans.c.id.desc()).limit(1))
        return None if row is None else Plan(**{**row, "notes": tuple(row["notes"])})

    def plan_items(
        self, plan: Plan, *, offset: int = 0, limit: int | None = None, controls: bool = False
    ) -> tuple[PlanItem, ...]:
        """The plan's actions, the most urgent first, but for customers who have asked for no contact since.

        `controls`: all that was planned, and then the customers who are left alone to measure it.
        """
        to_do = true() if controls else and_(_TO_DO, plan_items.c.customer_id.not_in(unwilling(plan.id)))
        query = select(*_ITEM_COLUMNS).where(plan_items.c.plan_id == plan.id, to_do)
        query = query.order_by(plan_items.c.priority, plan_items.c.customer_id).offset(offset).limit(limit)
        return tuple(PlanItem(**row) for row in self._all(query))

    def plan_item(self, plan: Plan, customer_id: str) -> PlanItem | None:
        """What the plan has for one customer; None when it leaves them alone, as it does controls."""
        query = select(*_ITEM_COLUMNS).where(plan_items.c.plan_id == plan.id, plan_items.c.customer_id == customer_id)
        row = self._first(query.where(_TO_DO))
        return None if row is None else PlanItem(**row)

    def planned_actions(self, plan: Plan) -> tuple[PlannedAction, ...]:
        """What the plan has in mind, action by action, the one expected to bring most first."""
        return self._listings.actions(plan.id)

    def _found(self, load: Load, chosen: CustomerFilter, sort: str, descending: bool) -> tuple[Listing, pl.Series]:
        listing = self.listing(load)
        planned = None if chosen.action is None else self._planned(load, chosen.action)
        return listing, listing.find(chosen, sort=sort, descending=descending, planned=planned)

    def _planned(self, load: Load, action: str) -> pl.Series:
        with reading(self._engine) as connection:
            plan_id = connection.scalar(_latest_plan_id(load))
        return pl.Series(dtype=pl.String) if plan_id is None else self._listings.planned(plan_id, action)

    def _all(self, query: Select[Any]) -> Sequence[RowMapping]:
        with reading(self._engine) as connection:
            return connection.execute(query).mappings().all()

    def _first(self, query: Select[Any]) -> RowMapping | None:
        with reading(self._engine) as connection:
            return connection.execute(query).mappings().first()


def _of(table: Table, load: Load, customer_id: str) -> ColumnElement[bool]:
    return and_(table.c.load_id == load.id, table.c.customer_id == customer_id)


def _latest_plan_id(load: Load) -> Select[Any]:
    return select(func.max(plans.c.id)).where(plans.c.load_id == load.id)


def _rows_by_id(connection: Connection, load: Load, plan_id: int | None, customer_ids: Sequence[str]) -> dict[str, ScoreRow]:
    """The scores of these customers, each with its item of this plan; no items when there is no plan."""
    same = and_(plan_items.c.customer_id == scores.c.customer_id, plan_items.c.plan_id == plan_id, _TO_DO)
    query = select(*_SCORE_COLUMNS, plan_items.c.action, plan_items.c.title.label("action_title"))
    query = query.select_from(scores.outerjoin(plan_items, same)).where(scores.c.load_id == load.id)
    found: dict[str, ScoreRow] = {}
    for start in range(0, len(customer_ids), _IDS_AT_ONCE):
        some = list(customer_ids[start : start + _IDS_AT_ONCE])
        rows = connection.execute(query.where(scores.c.customer_id.in_(some))).mappings()
        found |= {row["customer_id"]: _score_row(row) for row in rows}
    return found


def _unpacked(row: bytes, names: Sequence[str]) -> dict[str, float | None]:
    values = np.frombuffer(row, dtype="<f8").tolist()
    return {name: None if isnan(value) else value for name, value in zip(names, values, strict=True)}


def _load(row: RowMapping) -> Load:
    return Load(**{**row, "feature_names": tuple(row["feature_names"])})


def _score_row(row: RowMapping) -> ScoreRow:
    texts = row["reasons"]
    reasons = None if texts is None else tuple(Reason(**reason) for reason in json.loads(texts))
    return ScoreRow(**{**row, "reasons": reasons, "further_churn": json.loads(row["further_churn"] or "{}")})

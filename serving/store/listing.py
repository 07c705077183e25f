"""The list of customers: a load in columns, held in memory, which answers any search, filter and order with an exact total.

A load changes only where customers are forgotten, so its list is read once. Where it was written with the load it is one Parquet
blob, a fraction of a second for a million customers; a million of them take some 150 MB.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cached_property, lru_cache
from threading import Lock

import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select

from decisions.labels import Status
from decisions.plans.plan_rows import CONTROL
from serving.store.engine import reading
from serving.store.list_schema import score_lists
from serving.store.records import CustomerFilter, Load, PlannedAction, Summary, TierCount
from serving.store.schema import plan_items, scores

SORTABLE = (
    *("value_at_risk", "churn_probability", "expected_value", "lifetime_value", "current_value", "potential_value"),
    *("customer_id", "name"),
)
"""The columns that a list is sorted by."""

WORDS = ("status", "value_tier", "quadrant", "lifecycle", "relation", "kind", "owner")
"""The columns of few different words, of which a filter takes one."""

LISTED = (*SORTABLE, *WORDS, "account_id", "complaints_open")
"""All columns of a list."""

_LOADS_KEPT = 2  # the current load, and the one before it while a page still shows it
_ORDERS_KEPT = 6
_ROWS_AT_ONCE = 100_000
_TYPES = {name: pl.Float64 if name in SORTABLE[:6] else pl.String for name in LISTED} | {"complaints_open": pl.Int64}


class Listing:
    """The list of one load: `frame` has the columns LISTED, in the order of the ids."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame.sort("customer_id").with_columns(pl.col(WORDS).cast(pl.Categorical))
        self._ordered = lru_cache(maxsize=_ORDERS_KEPT)(self._order)

    def find(self, chosen: CustomerFilter, *, sort: str, descending: bool, planned: pl.Series | None = None) -> pl.Series:
        """The rows that pass, as row numbers in the order asked for; missing values come last, ties in the order of the ids.

        `planned` has the ids of the customers with the planned action that `chosen` asks for. ValueError for a column that
        is not SORTABLE.
        """
        if sort not in SORTABLE:
            raise ValueError(f"cannot sort by {sort!r}; known are {', '.join(SORTABLE)}")
        order = self._ordered(sort, descending)
        conditions = self._conditions(chosen)
        if planned is not None:
            conditions.append(pl.col("customer_id").is_in(planned.implode()))
        if not conditions:
            return order
        passing = self._searched(chosen).select(pl.all_horizontal(conditions).fill_null(False)).to_series()
        return order.filter(passing.gather(order))

    def ids(self, rows: pl.Series) -> list[str]:
        """The customers of these row numbers."""
        found: list[str] = self.frame["customer_id"].gather(rows).to_list()
        return found

    def met(self, column: str) -> tuple[str, ...]:
        """The different words of a column of WORDS, in alphabetical order."""
        return tuple(sorted(self.frame[column].unique().drop_nulls().cast(pl.String)))

    def summary(self, at_risk_from: float) -> Summary:
        """The load in figures; `at_risk_from` is the churn probability from which a customer counts as at risk."""
        lost = pl.col("status").eq_missing(pl.lit(str(Status.LOST)))
        figures = pl.len().alias("customers"), pl.sum("expected_value"), pl.sum("value_at_risk")
        tiers = self.frame.filter(~lost).group_by(pl.col("value_tier").cast(pl.String)).agg(*figures).sort("value_tier")
        overall = self.frame.select(
            customers=(~lost).sum(),
            customers_at_risk=(~lost & (pl.col("churn_probability") >= at_risk_from)).sum(),
            value_at_risk=pl.col("value_at_risk").filter(~lost).sum(),
            expected_value=pl.col("expected_value").filter(~lost).sum(),
            customers_lost=lost.sum(),
            value_lost=pl.col("value_at_risk").filter(lost).sum(),
            complaints_open=pl.when(pl.col("complaints_open").count() > 0).then(pl.col("complaints_open").sum()),
        )
        return Summary(**overall.row(0, named=True), tiers=tuple(TierCount(**tier) for tier in tiers.iter_rows(named=True)))

    def _order(self, sort: str, descending: bool) -> pl.Series:
        by = pl.arg_sort_by(sort, descending=descending, nulls_last=True, maintain_order=True)
        return self.frame.select(by.cast(pl.UInt32)).to_series()

    def _searched(self, chosen: CustomerFilter) -> pl.DataFrame:
        return self.frame.hstack(self._small) if chosen.search else self.frame

    @cached_property
    def _small(self) -> pl.DataFrame:
        """What is searched, in small letters: the ids, and ids and names in one text, each on a line of its own."""
        small = self.frame.select(pl.col("customer_id", "name").str.to_lowercase())
        return small.select(
            small_id="customer_id", small_text=pl.concat_str("customer_id", "name", separator="\n", ignore_nulls=True)
        )

    def _conditions(self, chosen: CustomerFilter) -> list[pl.Expr]:
        exact = [(name, getattr(chosen, name)) for name in (*WORDS, "account_id")]
        conditions = [pl.col(name) == wanted for name, wanted in exact if wanted is not None]
        conditions += _between("churn_probability", chosen.churn_from, chosen.churn_to)
        conditions += _between("expected_value", chosen.value_from, chosen.value_to)
        if chosen.but_status is not None:
            conditions.append(pl.col("status").ne_missing(pl.lit(chosen.but_status)))
        if chosen.with_open_complaint:
            conditions.append(pl.col("complaints_open") > 0)
        if chosen.owners is not None:
            conditions.append(pl.col("owner").cast(pl.String).is_in(pl.Series(chosen.owners, dtype=pl.String).implode()))
        if chosen.among is not None:
            conditions.append(pl.col("customer_id").is_in(pl.Series(chosen.among, dtype=pl.String).implode()))
        if part := (chosen.search or "").strip().lower():
            place = pl.col("small_id" if chosen.ids_only else "small_text")
            conditions.append(place.str.contains(part, literal=True))
        return conditions


class Listings:
    """The lists of the loads that were asked for last. All methods raise StoreError when the store cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._building, self._reading = Lock(), dict[int, Lock]()
        self._kept = lru_cache(maxsize=_LOADS_KEPT)(self._read)
        self._planned = lru_cache(maxsize=_LOADS_KEPT)(self._read_planned)
        self.actions = lru_cache(maxsize=_LOADS_KEPT)(self._read_actions)

    def of(self, load: Load) -> Listing:
        """The list of a load; an empty one when the load is not kept any more."""
        with self._reading.setdefault(load.id, Lock()):  # whoever asks for it meanwhile waits for the one list, and for no other
            listing = self._kept(load.id)
            if listing.frame.height > load.customers:  # somebody was forgotten since it was read
                for kept in (self._kept, self._planned, self.actions):
                    kept.cache_clear()
                listing = self._kept(load.id)
            return listing

    def planned(self, plan_id: int, action: str) -> pl.Series:
        """The ids of the customers for whom a plan has an action to be done."""
        with self._building:
            items = self._planned(plan_id)
        return items.filter(pl.col("action") == action)["customer_id"]

    def _read(self, load_id: int) -> Listing:
        with reading(self._engine) as connection:
            blob = connection.scalar(select(score_lists.c.columns).where(score_lists.c.load_id == load_id))
            return Listing(unpacked_list(blob) if blob else _from_rows(connection, load_id))

    def _read_actions(self, plan_id: int) -> tuple[PlannedAction, ...]:
        """What a plan has in mind, action by action, the one expected to bring most first; what a plan asks for never changes."""
        gain = func.sum(plan_items.c.expected_net_value).label("expected_net_value")
        figures = func.count().label("customers"), func.sum(plan_items.c.cost).label("cost"), gain
        query = select(plan_items.c.action, func.max(plan_items.c.title).label("title"), *figures)
        query = query.where(*_to_do(plan_id)).group_by(plan_items.c.action).order_by(gain.desc(), plan_items.c.action)
        with reading(self._engine) as connection:
            return tuple(PlannedAction(**row) for row in connection.execute(query).mappings())

    def _read_planned(self, plan_id: int) -> pl.DataFrame:
        query = select(plan_items.c.customer_id, plan_items.c.action).where(*_to_do(plan_id))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return pl.DataFrame(rows, schema={"customer_id": pl.String, "action": pl.String}, orient="row")


def _to_do(plan_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return plan_items.c.plan_id == plan_id, plan_items.c.arm.is_distinct_from(CONTROL)


def listed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of scores as a list has them; a column that they lack is missing throughout."""
    lacking = {name: pl.lit(None, dtype) for name, dtype in _TYPES.items() if name not in rows.columns}
    numbers = pl.col(pl.Float32, pl.Float64).fill_nan(None)
    return rows.with_columns(**lacking).select(pl.col(name).cast(dtype) for name, dtype in _TYPES.items()).with_columns(numbers)


def keep_list(connection: Connection, load_id: int, rows: pl.DataFrame) -> None:
    """Write the list of a load; `rows` are those of `listed`."""
    connection.execute(insert(score_lists), {"load_id": load_id, "columns": packed_list(rows)})


def packed_list(listed: pl.DataFrame) -> bytes:
    """The rows of a list as they are kept."""
    file = io.BytesIO()
    listed.write_parquet(file, compression="lz4", statistics=False)
    return file.getvalue()


def unpacked_list(kept: bytes) -> pl.DataFrame:
    """The rows of a list that `packed_list` made into bytes."""
    return pl.read_parquet(io.BytesIO(kept))


def _from_rows(connection: Connection, load_id: int) -> pl.DataFrame:
    """The list of a load that was written before there were lists."""
    query = select(*(scores.c[name] for name in LISTED)).where(scores.c.load_id == load_id)
    parts = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).partitions()
    return pl.concat([pl.DataFrame(schema=_TYPES), *(pl.DataFrame(part, schema=_TYPES, orient="row") for part in parts)])


def _between(column: str, low: float | None, high: float | None) -> Sequence[pl.Expr]:
    """Both ends belong to the range; who has no value is in none."""
    bounds = [] if low is None else [pl.col(column) >= low]
    return bounds if high is None else [*bounds, pl.col(column) <= high]

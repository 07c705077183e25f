"""All customers of a scoring together: how value is spread, what moved since the scoring before, who stayed of each month.

Everything is read from the store, in one pass over the columns of a load and one over those of the load before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from decisions.columns import Floats, Texts
from decisions.concentration import lorenz_curve
from decisions.labels import Lifecycle, Status, Tier
from decisions.migration import Flow
from decisions.reviews.changes import LOST, WON, WON_BACK, Change, Equity, equity, moves
from decisions.rollup import SUMMED, Group, roll_up
from serving.batch.tier_report import Concentration, concentration, flows
from serving.store import Load, Store
from serving.store.columns import feature_columns, score_columns

COLUMNS = ("customer_id", "owner", "status", "value_tier", "lifecycle", "churn_probability", *SUMMED)
BEFORE = ("customer_id", "status", "value_tier", "lifecycle", "expected_value", "lifetime_value")
GONE = "gone"
"""Customers of the scoring before whom this one does not have any more."""

CURVE_POINTS = 101
CHURN_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
VALUE_SHARES = (0.5, 0.8, 0.95, 0.99)
"""The map's bands of value end near the values that so many customers stay below."""

MOST_OWNERS, MOST_COHORTS = 30, 36
FIRST_SEEN = "days_since_first_purchase"


@dataclass(frozen=True)
class Cell:
    """Customers of one band of churn probability and one of expected value, and what they put at risk."""

    churn: tuple[float, float]
    value: tuple[float | None, float | None]
    customers: int
    value_at_risk: float


@dataclass(frozen=True)
class Cohort:
    """Those who bought first in one month: how many of them are known, are not lost, are active, and what all should bring."""

    month: date
    customers: int
    kept: int
    active: int
    expected_value: float


@dataclass(frozen=True)
class Since:
    """What moved between the scoring of `as_of` and the one after it."""

    as_of: date
    changes: tuple[Change, ...]
    equity: tuple[Equity, ...]
    tiers: tuple[Flow, ...]
    lifecycle: tuple[Flow, ...]


@dataclass(frozen=True)
class Portfolio:
    """A load in figures that take a pass over all customers; `since` is None for the first scoring that is kept.

    `lorenz` are shares of customers, from the poorest up, and of expected value, each of CURVE_POINTS points. `cells` lists the
    map's bands of value from the top, each from the lowest churn up; the lost are in none. `cohorts` are empty where the day of
    the first purchase is not among the features.
    """

    customers: int
    tiers: tuple[Group, ...]
    owners: tuple[Group, ...]
    lifecycle: tuple[Group, ...]
    lifetime_value: float
    lorenz: tuple[tuple[float, ...], tuple[float, ...]]
    concentration: Concentration
    cells: tuple[Cell, ...]
    cohorts: tuple[Cohort, ...]
    since: Since | None


def portfolio(store: Store, load: Load) -> Portfolio:
    """Read a load and put its figures together."""
    now = score_columns(store, load, COLUMNS)
    numbers = {name: now[name].fill_null(float("nan")).to_numpy() for name in ("churn_probability", *SUMMED)}
    owners = roll_up(numbers, _words(now["owner"])) if now["owner"].count() else ()
    return Portfolio(
        customers=now.height,
        tiers=roll_up(numbers, _words(now["value_tier"]), list(map(str, Tier))),
        owners=owners[:MOST_OWNERS],
        lifecycle=roll_up(numbers, _words(now["lifecycle"]), [str(word) for word in Lifecycle if word != Lifecycle.PROSPECT]),
        lifetime_value=float(np.nansum(numbers["lifetime_value"])),
        lorenz=_lorenz(numbers["expected_value"]),
        concentration=concentration(now["expected_value"]),
        cells=tuple(_cells(now.filter(pl.col("status").ne_missing(str(Status.LOST))))),
        cohorts=tuple(_cohorts(now, feature_columns(store, load, (FIRST_SEEN,)), load.as_of)),
        since=_since(store, load, now),
    )


def load_before(store: Store, load: Load) -> Load | None:
    """The last scoring of the newest date before that of `load`; None where none is kept."""
    same = (each for each in store.loads() if (each.company, each.horizon_days) == (load.company, load.horizon_days))
    earlier = [each for each in same if each.as_of < load.as_of]
    return max(earlier, key=lambda each: (each.as_of, each.id), default=None)


def _since(store: Store, load: Load, now: pl.DataFrame) -> Since | None:
    before = load_before(store, load)
    if before is None:
        return None
    then = score_columns(store, before, BEFORE)
    both = then.join(now.select(BEFORE), on="customer_id", how="full", coalesce=True, suffix="_now")
    tiers = _pair(both, "value_tier")
    return Since(
        as_of=before.as_of,
        changes=(*_changes(both), *moves(*tiers, *_values(both, "expected_value"))),
        equity=equity(*tiers, *_values(both, "lifetime_value")),
        tiers=flows(then, now, "value_tier"),
        lifecycle=flows(then, now, "lifecycle"),
    )


def _changes(both: pl.DataFrame) -> Iterator[Change]:
    """Who is new, was lost, came back, and is no longer scored, with the expected values of both scorings."""
    lost_then, lost_now = (pl.col(name).eq_missing(str(Status.LOST)) for name in ("status", "status_now"))
    scored_then, scored_now = (pl.col(name).is_not_null() for name in ("status", "status_now"))
    for change, who in (
        (WON, ~scored_then & scored_now),
        (LOST, scored_then & scored_now & ~lost_then & lost_now),
        (WON_BACK, scored_then & scored_now & lost_then & ~lost_now),
        (GONE, scored_then & ~scored_now),
    ):
        rows = both.filter(who)
        yield Change(change, rows.height, float(rows["expected_value"].sum()), float(rows["expected_value_now"].sum()))


def _lorenz(values: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The curve at evenly spaced shares of customers; empty where nobody brings anything."""
    customers, value = lorenz_curve(values)
    if np.isnan(value).any():
        return (), ()
    shares = np.linspace(0, 1, CURVE_POINTS)
    return tuple(shares.tolist()), tuple(np.interp(shares, customers, value).tolist())


def _cells(rows: pl.DataFrame) -> Iterator[Cell]:
    values = rows["expected_value"].drop_nulls().to_numpy()
    if not values.size:
        return
    edges = value_edges(values)
    known = rows.drop_nulls("expected_value")
    churn = np.searchsorted(CHURN_EDGES[1:-1], known["churn_probability"].to_numpy(), side="right")
    band = np.searchsorted(edges, known["expected_value"].to_numpy(), side="right")
    place, cells = band * (len(CHURN_EDGES) - 1) + churn, (len(edges) + 1) * (len(CHURN_EDGES) - 1)
    count = np.bincount(place, minlength=cells)
    at_risk = np.bincount(place, known["value_at_risk"].fill_null(0.0).to_numpy(), minlength=cells)
    bounds = [None, *edges, None]
    for row in reversed(range(len(edges) + 1)):
        for column in range(len(CHURN_EDGES) - 1):
            cell = row * (len(CHURN_EDGES) - 1) + column
            between = (CHURN_EDGES[column], CHURN_EDGES[column + 1])
            yield Cell(between, (bounds[row], bounds[row + 1]), int(count[cell]), float(at_risk[cell]))


def value_edges(values: Floats) -> list[float]:
    """Round figures near the VALUE_SHARES of `values`, rising, each once.

    >>> value_edges(np.arange(1.0, 1001.0))
    [500.0, 800.0, 950.0, 990.0]
    """
    near = np.quantile(values, VALUE_SHARES)
    return sorted({float(f"{each:.2g}") for each in near.tolist() if each > 0})


def _cohorts(now: pl.DataFrame, features: pl.DataFrame, as_of: date) -> Iterator[Cohort]:
    """The months of first purchases, the newest first."""
    if FIRST_SEEN not in features.columns:
        return
    days = pl.duration(days=pl.col(FIRST_SEEN).fill_nan(None))
    known = now.select("customer_id", "status", "expected_value").join(features, on="customer_id", how="inner")
    months = known.with_columns(month=(pl.lit(as_of) - days).dt.truncate("1mo")).drop_nulls("month")
    told = months.group_by("month").agg(
        customers=pl.len(),
        kept=pl.col("status").ne_missing(str(Status.LOST)).sum(),
        active=pl.col("status").is_in([str(Status.ACTIVE), str(Status.NEW)]).sum(),
        expected_value=pl.col("expected_value").sum(),
    )
    for row in told.sort("month", descending=True).head(MOST_COHORTS).iter_rows(named=True):
        yield Cohort(**row)


def _pair(both: pl.DataFrame, name: str) -> tuple[Texts, Texts]:
    return _words(both[name]), _words(both[f"{name}_now"])


def _values(both: pl.DataFrame, name: str) -> Sequence[Floats]:
    return [both[each].fill_null(float("nan")).to_numpy() for each in (name, f"{name}_now")]


def _words(column: pl.Series) -> Texts:
    return np.array(column.to_list(), dtype=object)

"""What came after: beside `training.silence`, the only module that looks at or past `as_of`.

A customer of `as_of` is whoever made a purchase known before it. In the horizon `[as_of, as_of + horizon)` they have `churned`
when they made no purchase, and their `value` is what they paid less what was refunded (less the cost of the goods, where every
row of the company's transactions has one). Money is summed in whole minor units, so the order of the rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from features.asof import day_number, known_before
from features.company import Company
from keepwell.errors import HistoryError


def labels(
    company: Company, dates: Sequence[date], horizon_days: int, known_until: date, further_days: Sequence[int] = ()
) -> pl.DataFrame:
    """Columns customer_id, as_of, churned (Boolean), value (Float64, currency units); sorted by as_of, customer_id.

    For each of `further_days` there is `churned_<days>d` beside them: the same over another horizon, null where that one is not
    over. Only what was known before `known_until` counts; HistoryError for a date whose own horizon ends after it, since part of
    the answer is not known yet.
    """
    until = day_number(known_until)
    late = [day for day in dates if day_number(day) + horizon_days > until]
    if late:
        raise HistoryError(
            f"the {horizon_days} days from {max(late)} end after {known_until}", hint="label earlier dates, or a shorter horizon"
        )
    table = company.tables["transactions"]
    came = worth(company, company.known_rows("transactions", until))
    frames = [
        _labels_at(table, came, day_number(day), horizon_days)
        .with_columns(_left(day_number(day), days, until).alias(further_name(days)) for days in further_days)
        .with_columns(as_of=pl.lit(day))
        for day in sorted(dates)
    ]
    further = [further_name(days) for days in further_days]
    flags = pl.DataFrame(schema=[(name, pl.Boolean) for name in ("churned", *further)])
    empty = flags.with_columns(customer_id=pl.lit(None, table.schema["customer_id"]), value=pl.lit(None, pl.Int64))
    whole = pl.concat(frames) if frames else empty.with_columns(as_of=pl.lit(known_until))
    scale = 10 ** money_scale(company)
    return whole.select("customer_id", "as_of", "churned", pl.col("value") / scale, *further)


def further_name(days: int) -> str:
    """The column that says whether a customer has churned over a further horizon.

    >>> further_name(30)
    'churned_30d'
    """
    return f"churned_{days}d"


def worth(company: Company, table: pl.DataFrame) -> pl.DataFrame:
    """Each row of transactions with what it is worth to the company, in the finer minor unit of its amounts and costs."""
    scale = money_scale(company)
    worth = _in_units(company, "amount", scale)
    if "cost" in table.columns and table["cost"].null_count() == 0:
        worth = worth - _in_units(company, "cost", scale)
    return table.select("customer_id", "ordered_day", purchase=pl.col("amount") > 0, worth=worth)


def money_scale(company: Company) -> int:
    """The decimals of that minor unit."""
    return max(company.scales.get(f"transactions.{name}", 0) for name in ("amount", "cost"))


def _in_units(company: Company, name: str, scale: int) -> pl.Expr:
    return pl.col(name) * pl.lit(10 ** (scale - company.scales[f"transactions.{name}"]))


def _left(start: int, days: int, until: int) -> pl.Expr:
    """Whether no purchase came within `days` from `start`; null where they are not over."""
    return _silent(start, days) if start + days <= until else pl.lit(None, pl.Boolean)


def _silent(start: int, days: int) -> pl.Expr:
    return ~(pl.col("next_day") < start + days).fill_null(value=False)


def _labels_at(table: pl.DataFrame, came: pl.DataFrame, start: int, horizon_days: int) -> pl.DataFrame:
    """Customers known at `start`: churned, value (minor units), and next_day, that of the next purchase (null: none is known)."""
    known = known_before(start, pl.col("known_day"), pl.col("superseded_day"))
    customers = table.filter(known & (pl.col("amount") > 0)).select("customer_id").unique().sort("customer_id")
    inside = pl.col("ordered_day") < start + horizon_days
    after = came.filter(pl.col("ordered_day") >= start).group_by("customer_id")
    seen = after.agg(
        next_day=pl.col("ordered_day").filter("purchase").min(),
        value=pl.col("worth").filter(inside).sum(),
    )
    return customers.join(seen, on="customer_id", how="left", maintain_order="left").select(
        "customer_id",
        churned=_silent(start, horizon_days),
        value=pl.col("value").fill_null(0),  # no transaction in the horizon is a value of 0, not a missing one
        next_day="next_day",
    )

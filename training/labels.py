"""What came after: beside `training.silence`, the only module that looks at or past `as_of`.

A customer of `as_of` is whoever made a purchase known before it. In the horizon `[as_of, as_of + horizon)` they have `churned`
when they made no purchase, and their `value` is what they paid less what was refunded (less the cost of the goods, where every
row of the company's transactions has one).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from features.asof import day_number, known_before
from features.company import Company
from keepwell.errors import HistoryError


def labels(company: Company, dates: Sequence[date], horizon_days: int, known_until: date) -> pl.DataFrame:
    """Columns customer_id, as_of, churned (Boolean), value (Float64, currency units); sorted by as_of, customer_id.

    Only what was known before `known_until` counts; HistoryError for a date whose horizon ends after it, since part of the
    answer is not known yet.
    """
    until = day_number(known_until)
    late = [day for day in dates if day_number(day) + horizon_days > until]
    if late:
        raise HistoryError(
            f"the {horizon_days} days from {max(late)} end after {known_until}", hint="label earlier dates, or a shorter horizon"
        )
    table = company.tables["transactions"]
    came = _worth(company, company.known_rows("transactions", until))
    frames = [_labels_at(table, came, day_number(day), horizon_days).with_columns(as_of=pl.lit(day)) for day in sorted(dates)]
    empty = pl.DataFrame(schema={"customer_id": table.schema["customer_id"], "churned": pl.Boolean, "value": pl.Float64})
    whole = pl.concat(frames) if frames else empty.with_columns(as_of=pl.lit(known_until))
    return whole.select("customer_id", "as_of", "churned", "value")


def _worth(company: Company, table: pl.DataFrame) -> pl.DataFrame:
    """Each row with what it is worth to the company, in currency units."""
    worth = pl.col("amount") / 10 ** company.scales["transactions.amount"]
    if "cost" in table.columns and table["cost"].null_count() == 0:
        worth = worth - pl.col("cost") / 10 ** company.scales["transactions.cost"]
    return table.select("customer_id", "ordered_day", purchase=pl.col("amount") > 0, worth=worth)


def _labels_at(table: pl.DataFrame, came: pl.DataFrame, start: int, horizon_days: int) -> pl.DataFrame:
    known = known_before(start, pl.col("known_day"), pl.col("superseded_day"))
    customers = table.filter(known & (pl.col("amount") > 0)).select("customer_id").unique().sort("customer_id")
    next_days = came.filter(pl.col("ordered_day").is_between(start, start + horizon_days, closed="left"))
    # Sums of floats in the order of the rows: sorted, so that the order of the file changes nothing.
    sums = next_days.sort("customer_id", "worth").group_by("customer_id", maintain_order=True)
    seen = sums.agg(bought=pl.col("purchase").any(), value=pl.col("worth").sum())
    return customers.join(seen, on="customer_id", how="left", maintain_order="left").select(
        "customer_id",
        churned=~pl.col("bought").fill_null(value=False),
        value=pl.col("value").fill_null(0.0),  # no transaction in the horizon is a value of 0, not a missing one
    )

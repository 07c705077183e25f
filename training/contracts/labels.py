"""What came after, where leaving means that a contract ends: beside `labels` and `silence` the only module that looks ahead.

A customer of `as_of` has a contract that began before it and had not ended before it. Contracts that follow each other, the next
one beginning by the day after the end, are one spell: a change of plan is no churn. In the horizon `[as_of, as_of + horizon)` a
customer has churned when the spell ends in it; so whoever has churned over one horizon has over every longer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from features.asof import NEVER_DAY, day_number, known_before
from features.company import Company
from keepwell.errors import HistoryError

GAP_DAYS = 1
"""Days from the end of a contract to the beginning of the next that still belongs to the spell."""

MONTH_DAYS = 365.25 / 12


def contract_labels(company: Company, dates: Sequence[date], horizon_days: int, known_until: date) -> pl.DataFrame:
    """Columns customer_id, as_of, churned (Boolean), value (Float64, currency units); sorted by as_of, customer_id.

    `value` is what the customer's contracts cost in the horizon: the price of a month, for each day on which one runs; null where
    a price is missing. Only what was known before `known_until` counts; HistoryError for a date whose horizon ends after it.
    """
    until = day_number(known_until)
    late = [day for day in dates if day_number(day) + horizon_days > until]
    if late:
        raise HistoryError(
            f"the {horizon_days} days from {max(late)} end after {known_until}", hint="label earlier dates, or a shorter horizon"
        )
    contracts = _spells(company, until)
    frames = [_labels_at(contracts, day_number(day), horizon_days).with_columns(as_of=pl.lit(day)) for day in sorted(dates)]
    empty = contracts.clear().select("customer_id", churned=pl.lit(None, pl.Boolean), value=pl.lit(None, pl.Float64))
    whole = pl.concat(frames) if frames else empty.with_columns(as_of=pl.lit(known_until))
    return whole.select("customer_id", "as_of", "churned", "value")


def _spells(company: Company, until: int) -> pl.DataFrame:
    """The contracts known before `until`, each with `spell_end`: the day on which it and all that follow without a gap are over.

    An end at or after `until` is not known.
    """
    contracts = company.known_rows("subscriptions", until)
    told = pl.col("ended_day") if "ended_day" in contracts.columns else pl.lit(NEVER_DAY, pl.Int32)
    price = (
        pl.col("price") / 10 ** company.scales["subscriptions.price"]
        if "price" in contracts.columns
        else pl.lit(None, pl.Float64)
    )
    ended = pl.when(known_before(until, told)).then(pl.max_horizontal(told, "started_day")).otherwise(NEVER_DAY).cast(pl.Int64)
    rows = contracts.select("customer_id", pl.col("started_day").cast(pl.Int64), "known_day", ended_day=ended, price=price)
    rows = rows.sort("customer_id", "started_day", "ended_day")
    reached = pl.col("ended_day").cum_max().shift(1).over("customer_id")
    begins = (reached.is_null() | (pl.col("started_day") > reached + GAP_DAYS)).cast(pl.Int64)
    numbered = rows.with_columns(spell=begins.cum_sum().over("customer_id"))
    return numbered.with_columns(spell_end=pl.col("ended_day").max().over("customer_id", "spell"))


def _labels_at(contracts: pl.DataFrame, start: int, horizon_days: int) -> pl.DataFrame:
    end = start + horizon_days
    running = contracts.filter(pl.col("known_day") < start, pl.col("started_day") < start, pl.col("ended_day") >= start)
    customers = running.group_by("customer_id").agg(churned=pl.col("spell_end").max() < end).sort("customer_id")
    inside = pl.min_horizontal("ended_day", end) - pl.max_horizontal("started_day", start)
    paying = contracts.with_columns(days=inside).filter(pl.col("days") > 0).sort("customer_id", "started_day", "price")
    paid = paying.group_by("customer_id", maintain_order=True).agg(
        value=pl.when(pl.col("price").is_not_null().all()).then((pl.col("price") * pl.col("days")).sum() / MONTH_DAYS)
    )
    nothing = pl.col("customer_id").is_in(paid["customer_id"].implode()).not_()  # ended on the day itself: nothing is left to pay
    joined = customers.join(paid, on="customer_id", how="left", maintain_order="left")
    return joined.with_columns(value=pl.when(nothing).then(0.0).otherwise("value"))

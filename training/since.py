"""What came since a date, as it is known at a later one: promises, customers won, and what followed each contact.

With `training.labels` and its kin one of the few modules that look past a date. Nothing known at or after `until` counts.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from features.asof import day_date, day_number
from features.company import Company
from features.contracts import leaves_by_contract
from training.contracts.labels import contract_labels
from training.labels import labels, money_scale, worth

ID = pl.col("customer_id").cast(pl.String)


def came_since(company: Company, since: date, horizon_days: int, until: date) -> pl.DataFrame | None:
    """What the customers of `since` did in its horizon: customer_id (text), churned (1.0 or 0.0), value (missing: null).

    None where the horizon is not over at `until`.
    """
    if since + timedelta(days=horizon_days) > until:
        return None
    what_came = contract_labels if leaves_by_contract(company) else labels
    came = what_came(company, [since], horizon_days, until)
    return came.select(ID, pl.col("churned").cast(pl.Float64), pl.col("value").cast(pl.Float64))


def newcomers(company: Company, since: date, until: date) -> pl.DataFrame:
    """Who is a customer at `until` and was none at `since`: customer_id (text) and the value they brought from `since` on."""
    day, end = day_number(since), day_number(until)
    if leaves_by_contract(company):
        return _new_contracts(company, day, end)
    bought = pl.col("amount") > 0
    before, now = (company.known_rows("transactions", at).filter(bought).select("customer_id").unique() for at in (day, end))
    new = now.join(before, on="customer_id", how="anti").sort("customer_id")
    value = value_after(company, new.with_columns(contacted_day=pl.lit(day - 1, pl.Int32)), until)
    return new.select(ID).with_columns(value=value)


def value_after(company: Company, contacts: pl.DataFrame, until: date) -> pl.Series:
    """What each customer of `contacts` (customer_id, contacted_day) brought from the day after it until `until`, in currency."""
    asked = contacts.select(ID, "contacted_day").with_row_index("place")
    if leaves_by_contract(company):
        return _contract_value_after(company, asked, until)
    came = worth(company, company.known_rows("transactions", day_number(until))).with_columns(ID)
    after = asked.join(came, on="customer_id").filter(pl.col("ordered_day") > pl.col("contacted_day"))
    sums = after.group_by("place").agg(pl.col("worth").sum())
    found = asked.join(sums, on="place", how="left", maintain_order="left")
    return found["worth"].fill_null(0).cast(pl.Float64) / 10.0 ** money_scale(company)


def _contract_value_after(company: Company, asked: pl.DataFrame, until: date) -> pl.Series:
    """What contracts cost from the day after each contact on; who has none then brings 0."""
    parts = []
    for day in asked["contacted_day"].unique().sort().to_list():
        start, span = day_date(day + 1), day_number(until) - day - 1
        if span > 0:
            paid = contract_labels(company, [start], span, until).select(ID, pl.col("value"), contacted_day=pl.lit(day, pl.Int32))
            parts.append(paid)
    if not parts:
        return pl.Series([0.0] * asked.height)
    found = asked.join(pl.concat(parts), on=["customer_id", "contacted_day"], how="left", maintain_order="left")
    return found["value"].fill_null(0.0)


def _new_contracts(company: Company, day: int, end: int) -> pl.DataFrame:
    contracts = company.known_rows("subscriptions", end)
    new = contracts.group_by("customer_id").agg(pl.col("started_day").min()).filter(pl.col("started_day") >= day)
    rows = new.sort("customer_id").with_columns(contacted_day=pl.col("started_day") - 1)
    return rows.select(ID).with_columns(value=value_after(company, rows, day_date(end)))

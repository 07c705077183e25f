"""What a review says of service: complaints and answers of its time, by the tier that the customer had at its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from decisions.labels import Loyalty
from decisions.policy import Policy
from decisions.reviews.measures import MEASURES, Measured, measured
from features.asof import day_number
from features.company import Company

HOUR_US = 3_600_000_000
RECOVERED_FROM = 4
"""A complaint that was closed with this satisfaction, or a higher one, is recovered."""
ID = pl.col("customer_id").cast(pl.String)


def service(
    company: Company, then: pl.DataFrame, now: pl.DataFrame | None, *, since: date, as_of: date, policy: Policy
) -> tuple[Measured, ...]:
    """Every measure that the tables allow, by the tiers of `then`; those of words by the tiers and words of `now`.

    What happened in `[since, as_of)` counts, as it is known at `as_of`. A complaint that still waits counts with the time that it
    has waited, so that nobody looks quick by not answering.
    """
    cases = dict(_cases(company, then, since, as_of))
    if now is not None and "loyalty" in now.columns:
        premium = (pl.col("loyalty") == str(Loyalty.PREMIUM)).cast(pl.Float64)
        cases["premium_share"] = now.select("value_tier", value=premium)
    return tuple(
        each
        for measure in MEASURES
        if measure.name in cases
        for each in measured(measure, *_arrays(cases[measure.name]), policy.targets)
    )


def happened(company: Company, table: str, time: str, since: date, as_of: date) -> pl.DataFrame:
    """The rows of an event table in `[since, as_of)`, as they are known at `as_of`; ids as text."""
    rows = company.known_rows(table, day_number(as_of)).with_columns(ID)
    return rows.filter(pl.col(time) >= day_number(since), pl.col(time) < day_number(as_of))


def _cases(company: Company, then: pl.DataFrame, since: date, as_of: date) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each measure with its cases: value_tier and value, missing ones left out."""
    tiers = then.select(ID, "value_tier")
    if "complaints" in company.tables:
        complaints = happened(company, "complaints", "opened_day", since, as_of)
        if "kind" in complaints.columns:
            complaints = complaints.filter(pl.col("kind").ne_missing("enquiry"))
        counted = tiers.join(complaints.group_by("customer_id").len("value"), on="customer_id", how="left")
        yield "complaints_per_hundred", counted.select("value_tier", value=pl.col("value").fill_null(0) * 100.0)
        rows = complaints.join(tiers, on="customer_id", how="left")
        yield from _times(rows, _instant(company, as_of), day_number(as_of))
        yield from _ratings(rows, day_number(as_of))
    if "surveys" in company.tables:
        answers = happened(company, "surveys", "answered_day", since, as_of).join(tiers, on="customer_id", how="left")
        for name in ("satisfaction", "loyalty", "recommend"):
            if name in answers.columns:
                yield name, answers.select("value_tier", value=pl.col(name)).drop_nulls("value")


def _times(rows: pl.DataFrame, end_us: int, end_day: int) -> Iterator[tuple[str, pl.DataFrame]]:
    """Hours from opening to the first response and to the close, those who wait with the time so far.

    As for features, who closes a complaint has answered it.
    """
    ends = {"closed": pl.lit(end_us)}
    for column in ("closed", "first_response"):
        if f"{column}_us" in rows.columns:
            ends[column] = pl.when(pl.col(f"{column}_day") < end_day).then(f"{column}_us").otherwise(ends["closed"])
    for name, column in (("first_response_hours", "first_response"), ("resolve_hours", "closed")):
        if f"{column}_us" in rows.columns:
            hours = (ends[column] - pl.col("opened_us")).clip(lower_bound=0) / HOUR_US
            yield name, rows.select("value_tier", value=hours)


def _ratings(rows: pl.DataFrame, end_day: int) -> Iterator[tuple[str, pl.DataFrame]]:
    if {"satisfaction", "closed_day"} <= set(rows.columns):
        rated = rows.filter(pl.col("closed_day") < end_day, pl.col("satisfaction").is_not_null())
        recovered = (pl.col("satisfaction") >= RECOVERED_FROM).cast(pl.Float64)
        yield "recovered_share", rated.select("value_tier", value=recovered)
        yield "complaint_satisfaction", rated.select("value_tier", value=pl.col("satisfaction"))


def _arrays(cases: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return np.array(cases["value_tier"].to_list(), dtype=object), cases["value"].cast(pl.Float64).to_numpy()


def _instant(company: Company, day: date) -> int:
    """The first instant of a day in the company's zone, in microseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(company.zone)).timestamp()) * 1_000_000

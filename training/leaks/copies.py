"""Attributes that are figures of the whole log: the last purchase, or all spend, as an export counted them after any date."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from features.company import Company
from training.arrays import Floats

COPIED = 0.9
"""Agreement with a figure for so many customers is no chance."""

LEAST_CUSTOMERS = 50
LEAST_DISTINCT = 5
"""An attribute of fewer values may agree with a count because most customers have 1."""

CENT = 0.005
FIRST_PURCHASE = "the day of the first purchase"


def log_figures(company: Company, as_of_day: int) -> pl.DataFrame:
    """By `customer_id`, in words for columns: what anyone might have counted in the log as it is known at `as_of_day`."""
    purchase = pl.col("amount") > 0
    unit = 10 ** company.scales["transactions.amount"]
    figures = {
        "the number of transactions": pl.len(),
        "the number of purchases": purchase.sum(),
        "the number of days of purchase": pl.col("ordered_day").filter(purchase).n_unique(),
        "all spend": pl.col("amount").filter(purchase).sum() / unit,
        "all spend less refunds": pl.col("amount").sum() / unit,
        FIRST_PURCHASE: pl.col("ordered_day").filter(purchase).min(),
        "the day of the last purchase": pl.col("ordered_day").filter(purchase).max(),
    }
    log = company.known_rows("transactions", as_of_day)
    if "order_id" in log.columns:
        figures["the number of orders"] = pl.col("order_id").filter(purchase).n_unique()
    return log.group_by("customer_id").agg(each.cast(pl.Float64).alias(name) for name, each in figures.items())


def copied_figure(values: pl.Series, figures: Mapping[str, pl.Series]) -> tuple[str, float] | None:
    """(the figure that an attribute is a copy of, the share of customers for whom it agrees); None when it is of none.

    A day may be copied as it is, or as the days since it at any date of the export.
    """
    if not values.dtype.is_numeric():
        return None
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    shares = {
        name: _agreement(numbers, each.fill_null(np.nan).to_numpy(), day="the day" in name) for name, each in figures.items()
    }
    best = max(shares, key=lambda name: shares[name])
    return (best, shares[best]) if shares[best] >= COPIED else None


def _agreement(numbers: Floats, figure: Floats, *, day: bool) -> float:
    both = ~np.isnan(numbers) & ~np.isnan(figure)
    a, b = numbers[both], figure[both]
    if len(a) < LEAST_CUSTOMERS or min(len(np.unique(a)), len(np.unique(b))) < LEAST_DISTINCT:
        return 0.0
    if not day:
        return float((np.abs(a - b) <= CENT).mean())
    return max(_most_common(a - b), _most_common(a + b))


def _most_common(differences: Floats) -> float:
    """The share of the most frequent value."""
    return float(np.unique(differences, return_counts=True)[1].max() / len(differences))

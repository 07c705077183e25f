"""What came after contacts: with `training.labels` and its kin one of the few modules that look past a date.

The time of a contact's outcome begins on the day after it, so that nothing a customer did before they were contacted counts, and
lasts one horizon. Treated and controls are looked at alike.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from features.company import Company
from training.arrays import Floats, Ints
from training.labels import money_scale, worth


def contact_outcomes(company: Company, contacts: pl.DataFrame, horizon_days: int, as_of_day: int) -> pl.DataFrame:
    """The rows of `contacts` (customer_id, contacted_day) whose horizon is over at `as_of_day`, in order, with what came.

    `stayed` (0.0 or 1.0): a purchase within the horizon; `value`: net revenue in it, in currency units. Only what was known
    before `as_of_day` counts.
    """
    whole = contacts.filter(pl.col("contacted_day") + horizon_days < as_of_day)
    came = worth(company, company.known_rows("transactions", as_of_day)).sort("customer_id", "ordered_day")
    ids = pl.concat([came["customer_id"], whole["customer_id"]]).rank("dense").to_numpy().astype(np.int64)
    keys = _keys(ids[: came.height], came["ordered_day"])
    first = _keys(ids[came.height :], whole["contacted_day"] + 1)
    purchases = _between(keys, came["purchase"].to_numpy(), first, horizon_days)
    value = _between(keys, came["worth"].to_numpy(), first, horizon_days)
    return whole.with_columns(
        stayed=pl.Series((purchases > 0).astype(np.float64)), value=pl.Series(value / 10.0 ** money_scale(company))
    )


def _keys(customer: Ints, day: pl.Series) -> Ints:
    """One number for customer and day, ascending in both."""
    keys: Ints = (customer << 32) + day.to_numpy().astype(np.int64)
    return keys


def _between(keys: Ints, amounts: Floats, first: Ints, days: int) -> Ints:
    """For each key of `first` (k,) the sum of the whole `amounts` (n,) of the `days` days from it; `keys` (n,) ascend."""
    sums = np.concatenate([[0], np.cumsum(amounts.astype(np.int64))])
    return np.asarray(sums[np.searchsorted(keys, first + days)] - sums[np.searchsorted(keys, first)])

"""The list of prospects: customers of the table who have not bought yet, each with the chance of a first purchase."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from decisions.labels import Lifecycle
from decisions.prospects import first_purchase_probability, waiting_curve
from features.asof import EPOCH, day_number
from features.company import Company
from keepwell.errors import DataError


def prospects(company: Company, as_of: date, horizon_days: int) -> pl.DataFrame:
    """Those who joined before `as_of` and have no purchase known before it, the most likely first purchase first.

    customer_id, as_of, horizon_days, joined_at, lifecycle (prospect) and first_purchase_probability, missing where too few
    are known to have waited so long. It comes from how long all others waited from joining to their first purchase; who bought
    before they joined says nothing of that. DataError without a date of joining.
    """
    day = day_number(as_of)
    people = _joined(company, day)
    waiting = people.filter(pl.col("first_day").is_null())
    told = people.filter(pl.col("first_day").is_null() | (pl.col("first_day") >= pl.col("joined_day")))
    curve = waiting_curve(_waited(told, day), told["first_day"].is_not_null().to_numpy())
    chance = first_purchase_probability(_waited(waiting, day), horizon_days, curve)
    listed = waiting.select(
        "customer_id",
        as_of=pl.lit(as_of),
        horizon_days=pl.lit(horizon_days, pl.Int32),
        joined_at=pl.lit(EPOCH) + pl.duration(days=pl.col("joined_day")),
        lifecycle=pl.lit(str(Lifecycle.PROSPECT)),
    )
    listed = listed.with_columns(first_purchase_probability=pl.Series(chance, dtype=pl.Float64).fill_nan(None))
    return listed.sort("first_purchase_probability", "customer_id", descending=[True, False], nulls_last=True)


def _joined(company: Company, day: int) -> pl.DataFrame:
    """Everybody who joined before the day: customer_id, joined_day, and first_day of a purchase (missing: none known)."""
    table = company.tables.get("customers")
    if table is None or "joined_day" not in table.columns:
        hint = "bring the table customers with its column joined_at"
        raise DataError("customers", "joined_at", "is missing, and prospects are told by it", hint=hint)
    people = company.known_rows("customers", day).select("customer_id", "joined_day").filter(pl.col("joined_day") < day)
    if "transactions" not in company.tables:
        return people.with_columns(first_day=pl.lit(None, pl.Int32))
    bought = company.known_rows("transactions", day, "customer_id", "ordered_day", "amount").filter(pl.col("amount") > 0)
    first = bought.group_by("customer_id").agg(first_day=pl.col("ordered_day").min())
    return people.join(first, on="customer_id", how="left", maintain_order="left")


def _waited(people: pl.DataFrame, day: int) -> npt.NDArray[np.int64]:
    """Days from joining to the first purchase, else to the last day that is known."""
    return people.select(pl.col("first_day").fill_null(day - 1) - pl.col("joined_day")).to_series().cast(pl.Int64).to_numpy()

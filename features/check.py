"""Can one train on these data? The answer behind `keepwell check`, and the refusals of `train` and `score`."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.asof import day_date, day_number, known_before
from features.company import Company
from keepwell.errors import ConfigError, HistoryError


def require_history(company: Company, as_of: date, horizon_days: int | None = None) -> None:
    """Raise HistoryError unless something can be scored at `as_of`, and with a horizon also learned for it.

    Scoring needs a purchase known before `as_of`; learning needs one known before `as_of - horizon_days`, so that a whole
    horizon of what came after it is known as well.
    """
    if "transactions" not in company.tables:
        raise HistoryError(
            "there are no transactions, only customers and labels",
            hint="learning from such a flat table is not possible in this version: add transactions (customer_id, ordered_at, amount)",
        )
    first = first_purchase_day(company, as_of)
    if horizon_days is None:
        return
    if horizon_days < 1:
        raise ConfigError(f"a horizon of {horizon_days} days is none", hint="give at least one day, for example 90d")
    history = day_number(as_of) - first
    if history <= horizon_days:
        raise HistoryError(
            f"a horizon of {horizon_days} days is longer than the history: the first purchase is {history} days before {as_of}",
            hint=f"choose a horizon below {history} days, or bring older transactions",
        )


def first_purchase_day(company: Company, as_of: date) -> int:
    """The day number of the first purchase known before `as_of`; HistoryError when there is none."""
    purchases = company.tables["transactions"].filter(pl.col("amount") > 0)
    known = purchases.filter(known_before(day_number(as_of), pl.col("known_day"), pl.col("superseded_day")))
    if purchases.is_empty():
        raise HistoryError(
            "no transaction has a positive amount, so there is no customer", hint="purchases are positive, refunds negative"
        )
    if known.is_empty():
        earliest = day_date(int(purchases["known_day"].min()))  # type: ignore[arg-type]  # an int32 column's minimum
        raise HistoryError(
            f"no purchase is known before {as_of}", hint=f"the first becomes known on {earliest}: choose a later --as-of"
        )
    return int(known["ordered_day"].min())  # type: ignore[arg-type]  # an int32 column's minimum

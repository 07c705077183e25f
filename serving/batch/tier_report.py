"""What a scoring says of customers as a whole: how value is spread, who is in which word, who moved, group by group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from decisions.concentration import KNOWN_SHARES, customers_bringing, gini
from decisions.labels import SCHEMES
from decisions.migration import Flow, migration
from decisions.policy import Policy
from decisions.rollup import SUMMED, Group, roll_up
from decisions.schemes.tiers import value_tier
from features.asof import day_number
from features.company import Company
from keepwell.errors import ConfigError, DataError

ACCOUNT = "account_id"
"""The column of customers that says who buy for one account: the account is then what has a tier."""


@dataclass(frozen=True)
class Concentration:
    """`customers`: which share of customers brings 50, 75 and 90 % of the value; both figures missing where there is none."""

    customers: Mapping[float, float]
    gini: float


def concentration(values: pl.Series) -> Concentration:
    """How unevenly an amount is spread over customers."""
    numbers = values.cast(pl.Float64).fill_null(math.nan).to_numpy()
    return Concentration({share: customers_bringing(numbers, share) for share in KNOWN_SHARES}, gini(numbers))


def words_in_figures(scores: pl.DataFrame, scheme: str) -> tuple[Group, ...]:
    """The customers by the words of one scheme, best word first."""
    _require_scheme(scores, scheme)
    return roll_up(_columns(scores), _objects(scores[scheme]), [*map(str, SCHEMES[scheme])])


def flows(previous: pl.DataFrame, scores: pl.DataFrame, scheme: str) -> tuple[Flow, ...]:
    """The migration matrix of one scheme between two scorings, with expected values."""
    for frame in (previous, scores):
        _require_scheme(frame, scheme)
    was, now = (
        frame.select(
            pl.col("customer_id").cast(pl.String), pl.col(scheme).alias(f"{side}_word"), pl.col("expected_value").alias(side)
        )
        for side, frame in (("was", previous), ("now", scores))
    )
    both = was.join(now, on="customer_id", how="full", coalesce=True)
    words = (_objects(both[f"{side}_word"]) for side in ("was", "now"))
    values = (both[side].fill_null(math.nan).to_numpy() for side in ("was", "now"))
    return migration(tuple(SCHEMES[scheme]), *words, *values)


def groups(scores: pl.DataFrame, company: Company, by: str, policy: Policy) -> pl.DataFrame:
    """The customers by a column of `customers`, as it was known at the date of the scores.

    A row for each value: itself, customers, churn_probability (mean), and the sums of amounts. By account_id, a customer without
    one is an account alone, and value_tier is the tier that each account has among all accounts.
    """
    table = pl.DataFrame([vars(group) for group in grouped(scores, company, by)], schema=_GROUP_TYPES).rename({"name": by})
    if by != ACCOUNT:
        return table
    tiers = value_tier(table["expected_value"].to_numpy(), policy.tiers).words
    return table.with_columns(value_tier=pl.Series(tiers.tolist(), dtype=pl.String))


def grouped(scores: pl.DataFrame, company: Company, by: str) -> tuple[Group, ...]:
    """The customers by a column of `customers`, by falling expected value."""
    return roll_up(_columns(scores), _names(scores, company, by))


_GROUP_TYPES: dict[str, Any] = {
    "name": pl.String,
    "customers": pl.Int64,
    "churn_probability": pl.Float64,
    **dict.fromkeys(SUMMED, pl.Float64),
}


def _names(scores: pl.DataFrame, company: Company, by: str) -> np.ndarray:
    people = company.tables.get("customers")
    if people is None or by not in people.columns:
        raise DataError("customers", by, "is missing, and --by asks for it", hint="bring such a column in the table customers")
    known = company.known_rows("customers", day_number(scores["as_of"][0])).select(pl.col("customer_id", by).cast(pl.String))
    asked = scores.select(pl.col("customer_id").cast(pl.String))
    joined = asked.join(known, on="customer_id", how="left", maintain_order="left")
    alone = pl.col("customer_id") if by == ACCOUNT else pl.lit(None, pl.String)
    return _objects(joined.select(pl.col(by).fill_null(alone))[by])


def _require_scheme(scores: pl.DataFrame, scheme: str) -> None:
    if scheme not in SCHEMES:
        raise ConfigError(f"there is no scheme {scheme!r}", hint=f"choose one of {', '.join(SCHEMES)}")
    if scheme not in scores.columns:
        raise DataError("scores", scheme, "is missing", hint="score again with this version of Keepwell")


def _columns(scores: pl.DataFrame) -> dict[str, np.ndarray]:
    names = ("churn_probability", *SUMMED)
    return {name: scores[name].fill_null(math.nan).to_numpy() for name in names if name in scores.columns}


def _objects(column: pl.Series) -> np.ndarray:
    return np.array(column.to_list(), dtype=object)

"""Where a customer stands among those of the same value tier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from decisions.columns import Floats
from serving.console import format as show
from serving.console.small_charts import Heights, heights
from serving.console.text import label, t
from serving.store.reading import Reader
from serving.store.records import Load, ScoreRow

COMPARED = ("churn_probability", "expected_value")
"""The figures of the scores in which a customer is compared with the others of the tier."""

RECENCY = "recency_days"
"""The feature in which they are compared."""

FEWEST = 10
"""Among fewer there is no distribution to speak of."""

MOST, MOST_ROWS = 5_000, 400
"""So many, evenly spread, stand for a larger tier: by their scores, and by their rows of features, which are long."""


@dataclass(frozen=True)
class TierSample:
    """How many customers a tier has, and of some of them the COMPARED columns and the days since they bought last."""

    customers: int
    scores: pl.DataFrame
    recency_days: tuple[float | None, ...]


def tier_sample(store: Reader, load: Load, tier: str) -> TierSample:
    """The customers of one tier of a load, or an even spread of them."""
    everybody = store.listing(load).frame.filter(pl.col("value_tier") == tier).select("customer_id", *COMPARED)
    some = everybody.gather_every(-(-everybody.height // MOST) or 1)
    ids = some["customer_id"].gather_every(-(-some.height // MOST_ROWS) or 1).to_list()
    rows = store.features_by_id(load, ids).values() if RECENCY in load.feature_names else ()
    return TierSample(everybody.height, some.select(COMPARED), tuple(row[RECENCY] for row in rows))


@dataclass(frozen=True)
class Place:
    """One figure: that of the customer, that of the middle of the tier, how many of it have less, and the drawing of all."""

    name: str
    own: str
    middle: str
    words: str
    drawing: Heights


@dataclass(frozen=True)
class Peers:
    """`title` names the tier and how many are in it."""

    title: str
    places: tuple[Place, ...]


def peers(row: ScoreRow, tier: TierSample, own_recency: float | None) -> Peers | None:
    """How `row` compares with its tier; None among fewer than FEWEST. `own_recency` are the days since their last purchase."""
    if row.value_tier is None or tier.customers < FEWEST:
        return None
    known_days = np.array([days for days in tier.recency_days if days is not None])
    compared = [(column, getattr(row, column), tier.scores[column].drop_nulls().drop_nans().to_numpy()) for column in COMPARED]
    compared.append((RECENCY, own_recency, known_days))
    places = tuple(place for each in compared if (place := _place(*each)) is not None)
    if not places:
        return None
    name = label("value_tier", row.value_tier)
    return Peers(t("peers.title", count=tier.customers, customers=show.number(tier.customers), tier=name), places)


def _place(column: str, own: float | None, values: Floats) -> Place | None:
    drawing = None if own is None else heights(values, own)
    if own is None or drawing is None:
        return None
    middle = float(np.median(values))
    below = float((values < own).sum()) / max(1, len(values) - 1)
    own_text, middle_text = _shown(column, (own, middle))
    return Place(t(f"peers.{column}"), own_text, middle_text, t("peers.below", share=show.percent(min(1.0, below))), drawing)


def _shown(column: str, values: tuple[float, float]) -> Iterable[str]:
    if column == "churn_probability":
        return map(show.percent, values)
    if column == RECENCY:
        return (show.measured(value, "days") for value in values)
    decimals = show.money_decimals(values)
    return (show.money(value, decimals) for value in values)

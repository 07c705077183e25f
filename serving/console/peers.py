"""Where a customer stands among those of the same value tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from decisions.columns import Floats
from serving.console import format as show
from serving.console.small_charts import Heights, heights
from serving.console.text import label, t
from serving.store.records import ScoreRow

COMPARED = ("churn_probability", "expected_value")
"""The figures in which a customer is compared with all others of the tier."""

RECENCY = "recency_days"
"""The feature in which they are compared with SAMPLE of them, evenly spread: rows of features are long."""

SAMPLE = 400
FEWEST = 10
"""Among fewer there is no distribution to speak of."""


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


def peers(row: ScoreRow, tier: pl.DataFrame, recency_days: Sequence[float | None], own_recency: float | None) -> Peers | None:
    """How `row` compares with `tier`, the COMPARED columns of its tier, itself included; None among fewer than FEWEST.

    `recency_days` are those of some of the tier, `own_recency` that of the customer.
    """
    if row.value_tier is None or tier.height < FEWEST:
        return None
    known_days = np.array([days for days in recency_days if days is not None])
    compared = [(column, getattr(row, column), tier[column].drop_nulls().drop_nans().to_numpy()) for column in COMPARED]
    compared.append((RECENCY, own_recency, known_days))
    places = tuple(place for each in compared if (place := _place(*each)) is not None)
    if not places:
        return None
    name = label("value_tier", row.value_tier)
    return Peers(t("peers.title", count=tier.height, customers=show.number(tier.height), tier=name), places)


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

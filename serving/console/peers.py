"""Where a customer stands among those of the same value tier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from serving.console import format as show
from serving.console.small_charts import Heights, heights
from serving.console.text import label, t
from serving.store.records import ScoreRow

COMPARED = ("churn_probability", "expected_value", "value_at_risk")
"""The figures in which a customer is compared with the others."""


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


def peers(row: ScoreRow, tier: pl.DataFrame) -> Peers | None:
    """How `row` compares with `tier`, the COMPARED columns of its tier (itself included); None where there is nobody else."""
    places = tuple(_places(row, tier))
    if row.value_tier is None or tier.height < 2 or not places:
        return None
    name = label("value_tier", row.value_tier)
    return Peers(t("peers.title", count=tier.height, customers=show.number(tier.height), tier=name), places)


def _places(row: ScoreRow, tier: pl.DataFrame) -> Iterable[Place]:
    for column in COMPARED:
        own, values = getattr(row, column), tier[column].drop_nulls().drop_nans().to_numpy()
        drawing = None if own is None else heights(values, own)
        if drawing is not None:
            yield _place(column, own, values, drawing)


def _place(column: str, own: float, values: np.ndarray, drawing: Heights) -> Place:
    middle = float(np.median(values))
    decimals = show.money_decimals([own, middle])
    own_text, middle_text = (
        show.percent(value) if column == "churn_probability" else show.money(value, decimals) for value in (own, middle)
    )
    below = float((values < own).sum()) / max(1, len(values) - 1)
    return Place(t(f"column.{column}"), own_text, middle_text, t("peers.below", share=show.percent(below)), drawing)

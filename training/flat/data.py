"""A flat table as arrays: one row for each customer whose label is known, with the attributes that may teach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.asof import day_date
from features.campaign import DEFAULT_CAMPAIGN, Campaign
from features.company import Company
from features.flat import flat_names, flat_panel
from keepwell.errors import HistoryError
from training.arrays import Flags, Floats, Ints
from training.flat.labels import LEAST_EACH, LEAST_LABELS, newest_labels

MOST_ROWS = 200_000
"""Labelled customers that are learned from: more of them teach little more."""


@dataclass(frozen=True)
class FlatData:
    """Customers (n,) with a label, by id: `matrix` is (n, features), NaN = missing; `churned` is 0.0 or 1.0.

    `value` is NaN where no label says it. `as_of` is the newest date that a label looks ahead from. `horizon_days` is 0 where
    nobody says how far the labels look.
    """

    company: str
    as_of: date
    horizon_days: int
    names: tuple[str, ...]
    decimals: Mapping[str, int]
    zone: str
    matrix: Floats
    customer_id: NDArray[Any]
    churned: Floats
    value: Floats
    campaign: Campaign = DEFAULT_CAMPAIGN

    def __len__(self) -> int:
        return len(self.churned)

    @property
    def paid(self) -> Flags:
        """Who (n,) stayed, and has a value."""
        stayed: Flags = (self.churned == 0) & ~np.isnan(self.value)
        return stayed

    @property
    def has_values(self) -> bool:
        """Whether enough customers who stayed have a value above 0 to learn from."""
        return int((self.value[self.paid] > 0).sum()) >= LEAST_LABELS

    def folds(self, count: int, seed: int) -> Ints:
        """The fold (n,) of each customer, from 0: told by the customer's id and the seed alone, whoever else is in the table."""
        digests = (blake2b(f"{seed} {customer}".encode(), digest_size=8).digest() for customer in self.customer_id)
        return np.array([int.from_bytes(digest, "big") % count for digest in digests], dtype=np.int64)


def flat_data(company: Company, horizon_days: int, before: date | None, left_out: Collection[str]) -> FlatData:
    """What labels before `before` (None: all) and the columns of customers but those `left_out` teach.

    HistoryError where too few labels are known, all customers answer alike, or no column differs between them.
    """
    labels = newest_labels(company, before)
    as_of = day_date(int(labels["as_of_day"].max()))  # type: ignore[arg-type]  # an int32 column that is not empty
    names = flat_names(company, labels["customer_id"], left_out)
    panel = flat_panel(company, as_of, names).join(labels, on="customer_id", how="inner", maintain_order="left")
    churned = panel["churned"].to_numpy()
    _require_enough(len(churned), int(churned.sum()))
    matrix = panel.select(pl.col(names).fill_null(float("nan"))).to_numpy() if names else np.empty((len(churned), 0))
    telling = _telling(matrix)
    if not telling.any():
        hint = "add columns that differ"
        raise HistoryError("no column of customers differs between them, so none can tell who leaves", hint=hint)
    keep = _sample(len(churned))
    scale = 10 ** company.scales.get("labels.value", 0)
    value = panel["value"].cast(pl.Float64) / scale if "value" in panel.columns else pl.Series([None], dtype=pl.Float64)
    return FlatData(
        company=company.key,
        as_of=as_of,
        horizon_days=horizon_days,
        names=tuple(name for name, differs in zip(names, telling, strict=True) if differs),
        decimals=dict(company.scales),
        zone=company.zone,
        matrix=np.ascontiguousarray(matrix[np.ix_(keep, telling)], dtype=np.float64),
        customer_id=panel["customer_id"].to_numpy()[keep],
        churned=churned[keep],
        value=np.broadcast_to(value.fill_null(float("nan")).to_numpy(), len(churned))[keep],
        campaign=company.campaign,
    )


def _require_enough(rows: int, churned: int) -> None:
    if churned in (0, rows):
        raise HistoryError(
            f"all {rows:,} labelled customers {'left' if churned else 'stayed'}, so there is nothing to tell apart",
            hint="labels must hold customers of both kinds: churned yes, and churned no",
        )
    fewer = min(churned, rows - churned)
    if rows < LEAST_LABELS or fewer < LEAST_EACH:
        raise HistoryError(
            f"{rows:,} labelled customers, of whom {churned:,} left, are too few to learn from",
            hint=f"bring labels of {LEAST_LABELS} customers at least, {LEAST_EACH} of whom left and {LEAST_EACH} of whom stayed",
        )


def _telling(matrix: Floats) -> Flags:
    """Which columns (features,) differ between rows; that a value is missing is a difference."""
    missing = np.isnan(matrix)
    low = np.where(missing, np.inf, matrix).min(axis=0)
    high = np.where(missing, -np.inf, matrix).max(axis=0)
    differs: Flags = (low < high) | (missing.any(axis=0) & ~missing.all(axis=0))
    return differs


def _sample(rows: int) -> Ints:
    """The places of at most MOST_ROWS rows, evenly spread over the ids."""
    return np.unique(np.linspace(0, rows - 1, min(rows, MOST_ROWS)).round().astype(np.int64))

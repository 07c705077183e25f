"""Predicted against actual: what was promised of each tier, and of each tenth of risk, and what came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats, Texts
from decisions.labels import Tier
from decisions.reviews.figures import UNKNOWN, Between, ratio_between, share_between

GROUPS = 10
CHURN_GAP = 0.05
"""How far a share may surely lie from its promise: a season moves it by a few points."""
FAIR_TOTAL = (0.75, 1.33)
"""Between which times its promise a total may surely lie."""


@dataclass(frozen=True)
class Promise:
    """Customers of one tier, `tier` None for all together: what they were promised to do, and what they did.

    `value_ratio` is the value that came over the value promised; NaN where no values are known. `trouble` says where the promise
    was surely broken by more than matters, "" where it was kept.
    """

    tier: str | None
    customers: int
    churn_promised: float
    churned: Between
    value_promised: float
    value_came: float
    value_ratio: Between
    trouble: str


@dataclass(frozen=True)
class Calibrated:
    """Customers of like risk: the mean of what was forecast, and the share that left."""

    customers: int
    churn_promised: float
    churned: Between


def promises(tiers: Texts, churn: Floats, churned: Floats, expected: Floats, value: Floats) -> tuple[Promise, ...]:
    """All customers (n,) together, then those of each tier, best first; a tier without customers is left out.

    `churn` and `expected` are the promises, `churned` (1 or 0) and `value` what came; missing values are NaN.
    """
    groups = [(None, np.ones(len(churn), dtype=bool)), *((str(tier), tiers == str(tier)) for tier in Tier)]
    return tuple(_promise(tier, churn[some], churned[some], expected[some], value[some]) for tier, some in groups if some.any())


def calibration(churn: Floats, churned: Floats) -> tuple[Calibrated, ...]:
    """The customers (n,) in ten groups of equal size by churn probability, the safest first."""
    groups = np.array_split(np.argsort(churn, kind="stable"), GROUPS)
    return tuple(
        Calibrated(len(group), float(churn[group].mean()), share_between(float(churned[group].sum()), len(group)))
        for group in groups
        if len(group)
    )


def _promise(tier: str | None, churn: Floats, churned: Floats, expected: Floats, value: Floats) -> Promise:
    known = ~np.isnan(expected) & ~np.isnan(value)
    share = share_between(float(churned.sum()), len(churn))
    ratio = ratio_between(value[known], expected[known]) if known.any() else UNKNOWN
    promised = float(churn.mean())
    return Promise(
        tier=tier,
        customers=len(churn),
        churn_promised=promised,
        churned=share,
        value_promised=float(expected[known].sum()) if known.any() else float("nan"),
        value_came=float(value[known].sum()) if known.any() else float("nan"),
        value_ratio=ratio,
        trouble=_trouble(promised, share, ratio),
    )


def _trouble(promised: float, churned: Between, ratio: Between) -> str:
    """In words, where a promise was surely broken by more than matters."""
    found = []
    if churned.low - promised > CHURN_GAP:
        found.append("more left than was forecast")
    if promised - churned.high > CHURN_GAP:
        found.append("fewer left than was forecast")
    if ratio.high < FAIR_TOTAL[0]:
        found.append("they brought less than was forecast")
    if ratio.low > FAIR_TOTAL[1]:
        found.append("they brought more than was forecast")
    return "; ".join(found)

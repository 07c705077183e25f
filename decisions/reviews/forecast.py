"""A forecast of all sales with an interval that is right: customers differ by chance, and whole quarters do, too.

A total is off for two reasons. Single customers do other than expected, which evens out over many; and all of them together do,
since a quarter is better or worse than any model could know, which does not. The second is what earlier totals tell: the log of
what came over what was promised at each earlier date is normal around 0 with variance `shock**2 + error**2`, where `error` is
what single customers explain. How large shocks are is not known, least of all from two or three dates, so every size on a grid is
weighed by a prior and by how well it explains those dates; the forecast is the mixture of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.special import ndtr

from decisions.columns import Floats
from decisions.reviews.figures import CONFIDENCE, Between

SHOCK_MEDIAN, SHOCK_SPREAD = 0.12, 0.6
"""The prior of the size of shocks: log-normal, with this median and this standard deviation of its logarithm."""
SHOCKS = np.exp(np.linspace(np.log(SHOCK_MEDIAN) - 3 * SHOCK_SPREAD, np.log(SHOCK_MEDIAN) + 3 * SHOCK_SPREAD, 121))
PRIOR = np.exp(-0.5 * (np.log(SHOCKS / SHOCK_MEDIAN) / SHOCK_SPREAD) ** 2)


@dataclass(frozen=True)
class PastTotal:
    """A total that was promised at an earlier date to so many customers, and what came.

    `error` is the standard error of their ratio from single customers (`review_figures.ratio_error`).
    """

    as_of: date
    customers: int
    promised: float
    came: float
    error: float


def total_between(promised: float, customers: int, past: Sequence[PastTotal]) -> Between:
    """The total promised to so many customers with its 90 % interval, learned from earlier totals, the newest first.

    What single customers explain is taken from the newest: it falls with the root of their number. Without any earlier total
    there are no bounds: how wrong a model is at its first date, no other company can tell.

    >>> day = date(2026, 1, 1)
    >>> steady, shaken = ([PastTotal(day, 400, 100.0, came, 0.02) for came in pair] for pair in ((101.0, 99.0), (130.0, 75.0)))
    >>> [round(total_between(1000.0, 400, known).high) for known in (steady, shaken)]
    [1151, 1490]
    """
    told = [each for each in past if each.promised > 0 and each.came > 0 and np.isfinite(each.error)]
    if not told or not promised > 0:
        return Between(promised, np.nan, np.nan)
    error = told[0].error * np.sqrt(told[0].customers / customers)
    weights = PRIOR * np.prod([_likelihood(each) for each in told], axis=0)
    half = _quantile((1 + CONFIDENCE) / 2, weights / weights.sum(), np.hypot(SHOCKS, error))
    return Between(promised, float(promised * np.exp(-half)), float(promised * np.exp(half)))


def _likelihood(past: PastTotal) -> Floats:
    """How well each size of shocks explains an earlier date."""
    spread = np.hypot(SHOCKS, past.error)
    return np.asarray(np.exp(-0.5 * (np.log(past.came / past.promised) / spread) ** 2) / spread)


def _quantile(level: float, weights: Floats, spread: Floats) -> float:
    """The quantile above the middle of a mixture of normals around 0, by halving."""
    low, high = 0.0, 5.0 * float(spread.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if weights @ ndtr(middle / spread) < level else (low, middle)
    return high

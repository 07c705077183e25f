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

import numpy as np
from scipy.special import ndtr

from decisions.columns import Floats
from decisions.review_figures import CONFIDENCE, Between

SHOCK_MEDIAN, SHOCK_SPREAD = 0.12, 0.6
"""The prior of the size of shocks: log-normal, with this median and this standard deviation of its logarithm."""
SHOCKS = np.exp(np.linspace(np.log(SHOCK_MEDIAN) - 3 * SHOCK_SPREAD, np.log(SHOCK_MEDIAN) + 3 * SHOCK_SPREAD, 121))
PRIOR = np.exp(-0.5 * (np.log(SHOCKS / SHOCK_MEDIAN) / SHOCK_SPREAD) ** 2)


@dataclass(frozen=True)
class PastTotal:
    """A total that was promised at an earlier date, what came, and the standard error of their ratio from single customers."""

    promised: float
    came: float
    error: float


def total_between(promised: float, error: float, past: Sequence[PastTotal]) -> Between:
    """The promised total with its 90 % interval; `error` is relative, as that of `past`.

    Without any earlier total there are no bounds: how wrong a model is at its first date, no other company can tell.

    >>> steady = [PastTotal(100.0, 101.0, 0.02), PastTotal(100.0, 99.0, 0.02)]
    >>> shaken = [PastTotal(100.0, 130.0, 0.02), PastTotal(100.0, 75.0, 0.02)]
    >>> [round(total_between(1000.0, 0.02, known).high) for known in (steady, shaken)]
    [1151, 1490]
    """
    told = [each for each in past if each.promised > 0 and each.came > 0 and np.isfinite(each.error)]
    if not told or not promised > 0 or not np.isfinite(error):
        return Between(promised, np.nan, np.nan)
    weights = PRIOR * np.prod([_likelihood(each) for each in told], axis=0)
    spread = np.hypot(SHOCKS, error)
    half = _quantile((1 + CONFIDENCE) / 2, weights / weights.sum(), spread)
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

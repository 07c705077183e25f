"""Figures of a review, each with the bounds that hold it with 90 % confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats

CONFIDENCE = 0.9
Z = 1.6448536
"""Standard errors from a figure to each of its bounds."""


@dataclass(frozen=True)
class Between:
    """A figure and the bounds that hold it with 90 % confidence; NaN is what cannot be known."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Between:
        """The figure in another unit; `factor` is not negative."""
        return Between(self.value * factor, self.low * factor, self.high * factor)


UNKNOWN = Between(np.nan, np.nan, np.nan)


def around(value: float, standard_error: float) -> Between:
    """A figure with a known standard error.

    >>> round(around(10.0, 2.0).low, 2)
    6.71
    """
    return Between(value, value - Z * standard_error, value + Z * standard_error)


def mean_between(values: Floats) -> Between:
    """The mean of `values` (n,) by Student's t: no bounds for a single value, nothing at all for none.

    >>> round(mean_between(np.array([1.0, 2.0, 3.0])).high, 3)
    3.686
    """
    if not len(values):
        return UNKNOWN
    mean = float(values.mean())
    if len(values) == 1:
        return Between(mean, np.nan, np.nan)
    from scipy.special import stdtrit  # noqa: PLC0415  # the policy is read where nothing is reviewed, and shall be read quickly

    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2) * values.std(ddof=1) / np.sqrt(len(values)))
    return Between(mean, mean - half, mean + half)


def share_between(hits: float, trials: int) -> Between:
    """A share of `trials`, by Wilson's score interval (1927), which stays within 0 and 1.

    >>> round(share_between(9, 10).low, 3), round(share_between(9, 10).high, 3)
    (0.652, 0.977)
    """
    if not trials:
        return UNKNOWN
    share = hits / trials
    centre = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2)) / (1 + Z**2 / trials)
    return Between(share, max(0.0, min(share, float(centre - half))), min(1.0, max(share, float(centre + half))))


def ratio_error(came: Floats, promised: Floats) -> float:
    """The standard error of `sum(came) / sum(promised)`, as far as single customers (n,) cause it: Cochran's ratio estimator.

    NaN where nothing was promised.
    """
    whole = float(promised.sum())
    if whole <= 0:
        return float("nan")
    left = came - came.sum() / whole * promised
    return float(np.sqrt(left @ left) / whole)


def ratio_between(came: Floats, promised: Floats) -> Between:
    """What came over what was promised, both (n,) per customer; NaN where nothing was promised.

    >>> ratio_between(np.array([8.0, 12.0]), np.array([8.0, 12.0]))
    Between(value=1.0, low=1.0, high=1.0)
    """
    if not len(came) or promised.sum() <= 0:
        return UNKNOWN
    return around(float(came.sum() / promised.sum()), ratio_error(came, promised))

"""What a metric is made of: what came, a function of weights, and sums over customers in the order of a score.

A metric takes what came and what was forecast and gives a function of weights (n,): rows are sorted once, and every bootstrap
resample is only another set of weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from features.campaign import DEFAULT_CAMPAIGN, Campaign
from training.arrays import Flags, Floats, Ints

TENTHS = np.linspace(0, 1, 11)

Weighted = Callable[[Floats], float]


@dataclass(frozen=True)
class Outcome:
    """What came, one row a customer and date: `churned`, and `value` in currency units.

    `worth` is what the customer was worth before, as a rate of currency; None counts all alike. `campaign` is the one by which
    figures of profit count.
    """

    churned: Flags
    value: Floats
    worth: Floats | None = None
    campaign: Campaign = DEFAULT_CAMPAIGN


def mean_of(losses: Floats) -> Weighted:
    """The weighted mean of what each customer lost."""
    return lambda weights: float(weights @ losses / weights.sum())


def share(part: float, whole: float) -> float:
    """The quotient, missing where there is nothing to divide by."""
    return float(part / whole) if whole else float("nan")


def falling(score: Floats) -> Ints:
    """The place (n,) of each score counted from the highest, 0; tied ones share it."""
    places: Ints = rankdata(-score, method="dense") - 1
    return places


def at_levels(levels: Ints, amounts: Floats) -> Floats:
    """The sum of the amounts (n,) at each level."""
    return np.bincount(levels, amounts, int(levels.max()) + 1).astype(float, copy=False)


def gathered(levels: Ints, amounts: Floats, weights: Floats, depths: Floats) -> Floats:
    """The sum of `amounts` (n,) among the first `depths` (k,; shares) of the rows; a tie is cut in proportion.

    >>> gathered(falling(np.array([3.0, 1.0, 3.0, 2.0])), np.array([4.0, 1.0, 2.0, 5.0]), np.ones(4), np.array([0.25, 0.75, 1.0]))
    array([ 3., 11., 12.])
    """
    seen, found = (np.append(0.0, np.cumsum(at_levels(levels, each))) for each in (weights, weights * amounts))
    sums: Floats = np.interp(depths * seen[-1], seen, found)
    return sums

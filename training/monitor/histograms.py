"""Distributions as counts by bin, how far two of them lie apart, and how far chance alone would put them.

The distance is the population stability index: the sum over bins of `(q - p) log(q / p)` for shares p and q. It is symmetric, 0
for equal distributions, and grows with the square of a small shift. Without drift it is about `(1 / n + 1 / m)` times a
chi-square variable with one degree of freedom less than there are bins (Yurdakul and Naranjo, "Statistical properties of the
population stability index", Journal of Risk Model Validation 14, 2020), so what is much for a thousand customers is little for
fifty.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from training.arrays import Floats, Ints

BINS = 10
EMPTY = 0.5
"""Added to each count, so that an empty bin is rare and not impossible."""


def inner_edges(values: Floats) -> tuple[float, ...]:
    """Ascending edges that cut the known values (n,) into at most ten bins of like size; none where nothing is known.

    A bin holds what lies above its lower edge, up to and with its upper one. Where the smallest value is common, what is
    smaller still has a bin of its own.

    >>> inner_edges(np.arange(101.0))
    (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
    >>> inner_edges(np.array([0.0, 0.0, np.nan]))
    (-5e-324, 0.0)
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return ()
    edges = np.quantile(known, np.arange(1, BINS) / BINS)
    least = known.min()
    below = [np.nextafter(least, -np.inf)] if edges[0] == least else []
    return tuple(float(edge) for edge in np.unique(np.concatenate([below, edges])))


def bin_counts(values: Floats, edges: tuple[float, ...]) -> Ints:
    """How many of the known values (n,) lie in each bin (edges + 1,).

    >>> bin_counts(np.array([0.0, 1.0, 1.5, np.nan]), (0.0, 1.0))
    array([1, 1, 1])
    """
    places = np.searchsorted(np.array(edges), values[~np.isnan(values)], side="left")
    return np.bincount(places, minlength=len(edges) + 1).astype(np.int64)


def distance(before: Ints, now: Ints) -> Floats:
    """The population stability index of counts (..., bins); leading axes are broadcast.

    >>> float(distance(np.array([50, 50]), np.array([500, 500])).round(6))
    0.0
    >>> float(distance(np.array([50, 50]), np.array([20, 80])).round(3))
    0.406
    """
    p, q = ((counts + EMPTY) / (counts + EMPTY).sum(axis=-1, keepdims=True) for counts in (before, now))
    index: Floats = ((q - p) * np.log(q / p)).sum(axis=-1)
    return index


def distance_by_chance(before: int, now: int, bins: int, chance: float) -> float:
    """What the distance of two samples of one distribution exceeds with probability `chance`; inf where one of them is empty.

    >>> distance_by_chance(1_000, 1_000, 10, 0.05) > distance_by_chance(10_000, 10_000, 10, 0.05)
    True
    """
    if not (before and now):
        return float("inf")
    return float(chi2.isf(chance, max(1, bins - 1)) * (1 / before + 1 / now))

"""The average effect of each arm over the control, with its interval: three estimators that are one least squares fit.

The mean of an arm is the intercept of a weighted regression of its outcomes on centred features. Without features it is the mean,
and the effect the difference in means; with the inverse of the propensities as weights it is that of Hajek; with features it is
the fully interacted regression of Lin (2013), "Agnostic notes on regression adjustments to experimental data". The variance is
HC2, which without features is that of Welch's test; rows of one customer are added up before they are squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.arrays import Floats
from training.uplift_data import CONTROL, Experiment

Z = 1.959964
"""Standard errors from the middle of a 95 % interval to its bounds."""

ROWS_PER_FEATURE = 20
"""An adjustment has at most one feature for so many rows of the smallest arm."""

MOST_FEATURES = 50


@dataclass(frozen=True)
class Figure:
    """A figure with its standard error and the bounds of its 95 % interval."""

    value: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class ArmEffect:
    """What one arm did, by each estimator, in units of the outcome a customer; `control` is the mean of the control."""

    arm: str
    treated: int
    controls: int
    control: float
    estimates: dict[str, Figure]

    @property
    def best(self) -> Figure:
        """The estimate to go by: the last, which uses most of what is known."""
        return list(self.estimates.values())[-1]


def figure(value: float, error: float) -> Figure:
    """A figure with its normal interval.

    >>> figure(0.0, 1.0)
    Figure(value=0.0, standard_error=1.0, low=-1.959964, high=1.959964)
    """
    return Figure(value, error, value - Z * error, value + Z * error)


def arm_effects(experiment: Experiment) -> tuple[ArmEffect, ...]:
    """The effect of every arm over the control: difference in means, weighted where propensities differ, adjusted.

    Where propensities differ, the difference in means compares customers who are not alike, and is told only beside the others.
    """
    plain, weights = np.ones(len(experiment)), 1 / experiment.own_propensity
    nothing = np.empty((len(experiment), 0))
    ways = {"difference in means": (nothing, plain)}
    if not experiment.is_even:
        ways["weighted"] = (nothing, weights)
    if experiment.matrix.shape[1]:
        most = min(MOST_FEATURES, int(experiment.counts.min()) // ROWS_PER_FEATURE)
        ways["adjusted"] = (leading_components(experiment.matrix, most), plain if experiment.is_even else weights)
    counts = experiment.counts
    control = float(experiment.outcome[experiment.arm == CONTROL].mean())
    return tuple(
        ArmEffect(
            arm,
            int(counts[place]),
            int(counts[CONTROL]),
            control,
            {way: effect(experiment, place, features, weight) for way, (features, weight) in ways.items()},
        )
        for place, arm in enumerate(experiment.arms)
        if place != CONTROL
    )


def effect(experiment: Experiment, place: int, features: Floats, weights: Floats) -> Figure:
    """The mean of the arm at `place` less that of the control, adjusted for centred `features` (n, k), weighted by (n,)."""
    difference, told = 0.0, np.zeros(int(experiment.customer.max()) + 1)
    for arm, sign in ((place, 1), (CONTROL, -1)):
        rows = experiment.arm == arm
        mean, parts = _intercept(experiment.outcome[rows], features[rows], weights[rows])
        difference += sign * mean
        told += np.bincount(experiment.customer[rows], sign * parts, len(told))
    return figure(difference, float(np.sqrt(told @ told)))


def _intercept(y: Floats, features: Floats, weights: Floats) -> tuple[float, Floats]:
    """The intercept of a weighted fit, and what each row's residual adds to its error (n,), scaled up for leverage (HC2)."""
    design = np.column_stack([np.ones(len(y)), features])
    weighted = design * weights[:, None]
    inverse = np.linalg.pinv(design.T @ weighted, hermitian=True)
    coefficients = inverse @ (weighted.T @ y)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, weighted)
    residual = (y - design @ coefficients) / np.sqrt(np.maximum(1 - leverage, 1e-9))
    return float(coefficients[0]), (weighted @ inverse[0]) * residual


def leading_components(matrix: Floats, most: int) -> Floats:
    """At most `most` centred features (n, k) that say most of what a matrix (n, features; NaN = missing) says.

    Principal components of the standardised features, missing ones at their mean; no outcome is looked at to choose them.
    """
    known = ~np.isnan(matrix)
    seen = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, matrix - np.where(known, matrix, 0.0).sum(axis=0) / seen, 0.0)
    spread = np.sqrt((centred**2).mean(axis=0))
    differing = spread > 1e-12 * np.abs(matrix, where=known, out=np.zeros_like(matrix)).max(axis=0, initial=0.0)
    scaled = centred[:, differing] / spread[differing]
    values, vectors = np.linalg.eigh(scaled.T @ scaled / max(len(scaled), 1))
    telling = np.flatnonzero(values > 1e-9)[::-1][:most]
    components: Floats = scaled @ vectors[:, telling]
    return components

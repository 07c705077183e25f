"""The average effect of each arm over the control, with its interval: three estimators that are one least squares fit.

The mean of an arm is the intercept of a weighted regression of its outcomes on centred features. Without features it is the mean,
and the effect the difference in means; with the inverse of the propensities as weights it is that of Hajek; with features it is
the fully interacted regression of Lin (2013), "Agnostic notes on regression adjustments to experimental data".

The error is the greater of two. HC2, which without features is that of Welch's test, holds whatever an arm does to the spread.
But what customers spend is skewed: where the few of a small arm happen to have no large one among them, their mean is low and
their spread is small, and nothing looks surely like a gain. So it is also asked by how much the estimate would vary, had the arms
been drawn otherwise and did the same for each (Neyman 1923; Fisher 1935): there the spread of both arms counts in both. Rows of
one customer are added up before they are squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.arrays import Floats, Ints
from training.uplift.data import CONTROL, Experiment

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
    plain = np.tile(experiment.counts / len(experiment), (len(experiment), 1))
    nothing = np.empty((len(experiment), 0))
    ways = {"difference in means": (nothing, plain)}
    if not experiment.is_even:
        ways["weighted"] = (nothing, experiment.propensity)
    if experiment.matrix.shape[1]:
        most = min(MOST_FEATURES, int(experiment.counts.min()) // ROWS_PER_FEATURE)
        chances = plain if experiment.is_even else experiment.propensity
        ways["adjusted"] = (leading_components(experiment.matrix, most), chances)
    counts = experiment.counts
    control = float(experiment.outcome[experiment.arm == CONTROL].mean())
    return tuple(
        ArmEffect(
            arm,
            int(counts[place]),
            int(counts[CONTROL]),
            control,
            {way: effect(experiment, place, features, chances) for way, (features, chances) in ways.items()},
        )
        for place, arm in enumerate(experiment.arms)
        if place != CONTROL
    )


def effect(experiment: Experiment, place: int, features: Floats, chances: Floats) -> Figure:
    """The mean of the arm at `place` less that of the control, adjusted for centred `features` (n, k).

    Rows weigh the inverse of the chance of their arm, by `chances` (n, arms).
    """
    difference, told, left = 0.0, np.zeros(len(experiment)), np.zeros(len(experiment))
    for arm, sign in ((place, 1), (CONTROL, -1)):
        rows = experiment.arm == arm
        mean, pulls, left[rows] = _intercept(experiment.outcome[rows], features[rows], 1 / chances[rows, arm])
        difference += sign * mean
        told[rows] = sign * pulls * left[rows]
    return figure(difference, max(clustered_error(told, experiment.customer), redrawn_error(experiment, place, left, chances)))


def redrawn_error(experiment: Experiment, place: int, left: Floats, chances: Floats) -> float:
    """By how much the effect of the arm at `place` would vary, had it and the control been drawn again and did the same for each.

    `left` (n,) is what features and arm do not explain of the outcome. A row drawn again adds it to the mean of either arm, over
    the chance of that: with chances p and q of these two arms a variance of 1 / p + 1 / q, times its square.
    """
    either = (experiment.arm == place) | (experiment.arm == CONTROL)
    treated, control = chances[either, place], chances[either, CONTROL]
    customers = float((1 / (treated + control)).sum())  # in all arms, of which these are a part
    sign = np.where(experiment.arm[either] == place, 1, -1)
    return clustered_error(sign * left[either] / np.sqrt(treated * control) / customers, experiment.customer[either])


def clustered_error(told: Floats, customer: Ints) -> float:
    """The standard error of a sum of independent parts `told` (n,) with mean 0; rows of one customer (n, a code) are one part."""
    parts = np.bincount(customer, told)
    return float(np.sqrt(parts @ parts))


def _intercept(y: Floats, features: Floats, weights: Floats) -> tuple[float, Floats, Floats]:
    """(the intercept of a weighted fit, how much each row pulls at it (n,), residuals (n,) scaled up for leverage: HC2)."""
    design = np.column_stack([np.ones(len(y)), features])
    weighted = design * weights[:, None]
    inverse = np.linalg.pinv(design.T @ weighted, hermitian=True)
    coefficients = inverse @ (weighted.T @ y)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, weighted)
    residual = (y - design @ coefficients) / np.sqrt(np.maximum(1 - leverage, 1e-9))
    return float(coefficients[0]), weighted @ inverse[0], residual


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

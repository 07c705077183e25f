"""Who should be treated, and what that would have brought: values of policies by inverse propensity, Qini curves, calibration.

All figures are of rows whose effects were told by learners that had not seen them. Intervals are those of 95 % by bootstrap over
customers, of the calibration by the normal law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.arrays import Floats, Ints
from training.uplift.data import CONTROL, LEAST_IN_ARM, Experiment
from training.uplift.effects import Figure
from training.uplift.model import Uplift, mean_figure

RESAMPLES = 200
BOUNDS = (0.025, 0.975)
TENTHS = 10
SHARES = np.linspace(0, 1, 21)
"""Shares of the customers at which a Qini curve is told."""


@dataclass(frozen=True)
class PolicyValue:
    """What a policy brings a customer, net of its cost, and by how much that is `over` what others bring."""

    treated: float
    value: Figure
    over: Mapping[str, Figure]


@dataclass(frozen=True)
class Qini:
    """What is gained in all, a customer, when the most gainful `share` (k,) are treated: `gain` (k,) with its bounds.

    `area` is what lies under the curve (AUUC), `coefficient` the same less what lies under the line of those treated at random.
    """

    share: Floats
    gain: Floats
    low: Floats
    high: Floats
    area: Figure
    coefficient: Figure


@dataclass(frozen=True)
class Group:
    """Customers with like effects: how many, what was told of them on average, and what the scores of their outcomes say."""

    customers: int
    told: float
    found: Figure


def net_gains(uplift: Uplift, worth: Floats, costs: Floats) -> Floats:
    """What each arm is expected to bring each customer beside nothing, in money: (n, arms); `worth` (n,) is that of a unit."""
    gains: Floats = worth[:, None] * uplift.effect - costs
    return gains


def best_arms(gains: Floats, share: float = 1.0, seed: int = 0) -> Ints:
    """The arm (n,) that gains most, the control where none gains; at most a `share` of the customers, who gain most, is treated.

    Who gains alike is drawn for it.

    >>> best_arms(np.array([[0.0, 2.0], [0.0, -1.0], [0.0, 1.0]]), share=0.4)
    array([1, 0, 0])
    """
    arms: Ints = gains.argmax(axis=1)
    best = gains[np.arange(len(gains)), arms]
    order = np.lexsort((np.random.default_rng(seed).random(len(gains)), -best))
    arms[order[int(share * len(gains)) :]] = CONTROL
    return arms


def policies(experiment: Experiment, uplift: Uplift, scores: Floats, share: float, seed: int = 0) -> dict[str, Floats]:
    """Chances (n, arms) of each arm by policy: the best arm for whom it gains, and what it must be better than.

    Simple policies treat everybody, or at a `share` below 1 customers at random and those with the lowest outcome forecast, with
    the arm that is best on average.
    """
    chances = np.eye(len(experiment.arms))
    everybody = {
        f"everybody {arm}": chances[np.full(len(experiment), place)]
        for place, arm in enumerate(experiment.arms)
        if place != CONTROL
    }
    gains = net_gains(uplift, experiment.worth, experiment.costs)
    made = {"by uplift": chances[best_arms(gains)], "nobody": chances[np.full(len(experiment), CONTROL)], **everybody}
    if share < 1:
        best = int(((experiment.worth[:, None] * scores).mean(axis=0) - experiment.costs)[1:].argmax()) + 1
        lowest = np.full(len(experiment), CONTROL)
        lowest[np.argsort(uplift.expected, kind="stable")[: int(share * len(experiment))]] = best
        made |= {
            f"by uplift, {share:.0%}": chances[best_arms(gains, share, seed)],
            f"at random, {share:.0%}": np.tile((1 - share) * chances[CONTROL] + share * chances[best], (len(experiment), 1)),
            f"lowest outcome first, {share:.0%}": chances[lowest],
        }
    return made


def policy_values(experiment: Experiment, chosen: Mapping[str, Floats], seed: int = 0) -> dict[str, PolicyValue]:
    """What each policy of `chosen`, chances (n, arms), would have brought: self-normalised inverse propensity weighting."""
    rows = np.arange(len(experiment))
    weights = np.column_stack([chances[rows, experiment.arm] for chances in chosen.values()]) / experiment.own_propensity[:, None]
    sums = np.hstack([weights * experiment.net[:, None], weights])
    values = np.array([np.divide(*np.split(drawn, 2)) for drawn in _resampled_sums(sums, experiment.customer, seed)])
    figures = {name: _figure(values[:, place]) for place, name in enumerate(chosen)}
    return {
        name: PolicyValue(
            treated=float(1 - chances[:, CONTROL].mean()),
            value=figures[name],
            over={other: _figure(values[:, place] - values[:, far]) for far, other in enumerate(chosen) if other != name},
        )
        for place, (name, chances) in enumerate(chosen.items())
    }


def qini(experiment: Experiment, effect: Floats, arms: Ints, seed: int = 0) -> Qini:
    """The Qini curve of treating customers with their arm of `arms` (n,), those with the highest `effect` (n,) first.

    In units of the outcome a customer, before costs. Outcomes count from their mean, which changes no expected value and
    spares much noise.
    """
    rows = np.arange(len(experiment))
    treated = (experiment.arm == arms) / experiment.propensity[rows, arms]
    control = (experiment.arm == CONTROL) / experiment.propensity[:, CONTROL]
    scores = (experiment.outcome - experiment.outcome.mean()) * (treated - control)
    place = np.minimum(np.argsort(np.argsort(-effect, kind="stable")) * (len(SHARES) - 1) // len(effect), len(SHARES) - 2)
    bins = np.zeros((len(effect), len(SHARES) - 1))
    bins[rows, place] = scores
    curves = np.array([np.append(0.0, np.cumsum(drawn)) for drawn in _resampled_sums(bins, experiment.customer, seed)]) / len(
        effect
    )
    areas = np.asarray(np.trapezoid(curves, SHARES, axis=1))
    low, high = np.quantile(curves[1:], BOUNDS, axis=0)
    return Qini(SHARES, curves[0], low, high, _figure(areas), _figure(areas - curves[:, -1] / 2))


def calibration(effect: Floats, scores: Floats, customer: Ints) -> tuple[Group, ...]:
    """Customers in ten groups by the `effect` (n,) told of them, the highest first; one where all are alike.

    `scores` (n,) are the doubly robust scores of the arm less those of the control.
    """
    order = np.argsort(-effect, kind="stable")
    groups = np.array_split(order, TENTHS) if np.ptp(effect) > 0 else [order]
    return tuple(Group(len(rows), float(effect[rows].mean()), mean_figure(scores[rows], customer[rows])) for rows in groups)


def disturbed(uplift: Uplift, scores: Floats, place: int, customer: Ints) -> tuple[NDArray[np.bool_], Figure | None]:
    """Whom the arm at `place` harms (n,): their upper bound is below zero; and the effect on them that the scores show.

    Nobody, where there are fewer than LEAST_IN_ARM or the scores of these do not confirm it with an upper bound below zero.
    """
    harmed = uplift.high[:, place] < 0
    if harmed.sum() < LEAST_IN_ARM:
        return np.zeros(len(harmed), dtype=bool), None
    found = mean_figure((scores[:, place] - scores[:, CONTROL])[harmed], customer[harmed])
    return harmed & (found.high < 0), found


def _resampled_sums(amounts: Floats, customer: Ints, seed: int) -> Floats:
    """The sums of the columns of `amounts` (n, k), and then RESAMPLES times with customers drawn anew: (1 + RESAMPLES, k)."""
    _, place = np.unique(customer, return_inverse=True)
    size = int(place.max()) + 1
    together = np.column_stack([np.bincount(place, column, size) for column in amounts.T])
    random = np.random.default_rng(seed)
    draws = (np.bincount(random.integers(0, size, size), minlength=size) @ together for _ in range(RESAMPLES))
    return np.array([together.sum(axis=0), *draws])


def _figure(values: Floats) -> Figure:
    """The first of the values with the spread of the others, its resamples."""
    low, high = np.quantile(values[1:], BOUNDS)
    return Figure(float(values[0]), float(values[1:].std()), float(low), float(high))

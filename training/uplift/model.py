"""One answer out of several learners, no bolder than the evidence: who gains by which arm, and how sure that is.

The effect on a customer is the average effect plus a weighted sum of what the learners say the customer differs by. Weights are
at least 0, but for the level, and 1 at most together; they come nearest to the doubly robust scores of unseen customers, and
shrink to 0 where the scores do not show that the learners know anything. What is left is the average effect for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from keepwell.progress import Progress, Silent
from training.arrays import Floats, Ints
from training.uplift.data import CONTROL, Experiment
from training.uplift.effects import Figure, Z, clustered_error, figure, redrawn_error
from training.uplift.learners import LEARNERS, Learners, Unseen, cross_fitted, fit_learners

HALVES = 20
"""Random halves of the customers, among which the effects on single customers are seen to vary."""

LEVEL = LEARNERS.index("level")

PENALTY = 2.0
"""Squared standard errors that a slope must be worth, as by Akaike's criterion."""


@dataclass(frozen=True)
class Blend:
    """What is said of one arm: its average effect, and the weights (learners,) of what the learners add to it.

    `slope` is by how much the scores rise with the joint opinion of the learners before it is shrunk; 0 where they have none.
    """

    average: Figure
    weights: Floats
    slope: Figure

    def effect(self, deviations: Floats) -> Floats:
        """The effect (n,) where the learners say `deviations` (n, learners)."""
        return self.average.value + deviations @ self.weights


@dataclass(frozen=True)
class Uplift:
    """What each arm does for each customer: `effect` and its standard `error` are (n, arms), 0 for the control.

    `expected` (n,) is the outcome forecast in the control.
    """

    effect: Floats
    error: Floats
    expected: Floats

    @property
    def low(self) -> Floats:
        """The lower bounds (n, arms) of 95 % intervals."""
        return self.effect - Z * self.error

    @property
    def high(self) -> Floats:
        """The upper bounds (n, arms) of 95 % intervals."""
        return self.effect + Z * self.error


@dataclass(frozen=True)
class UpliftModel:
    """Learners fitted to all rows, others to random halves of the customers, and a blend for each arm but the control."""

    arms: tuple[str, ...]
    names: tuple[str, ...]
    learners: Learners
    halves: tuple[Learners, ...]
    blends: tuple[Blend, ...]

    def uplift(self, matrix: Floats) -> Uplift:
        """What the arms do for the customers of a matrix (n, features)."""
        deviations = self.learners.deviations(matrix)
        effect = np.column_stack([blend.effect(deviations[:, place]) for place, blend in enumerate(self.blends)])
        expected = self.learners.expected(matrix)[:, CONTROL]
        return Uplift(_with_control(effect), _with_control(self._errors(matrix, deviations)), expected)

    def _errors(self, matrix: Floats, deviations: Floats) -> Floats:
        """The standard errors (n, arms - 1) of the effects.

        What is learned from a random half of the customers is away from what is learned from all by as much, on average, as
        this is from what would be learned from the whole population.
        """
        weights = np.array([blend.weights for blend in self.blends])
        square = np.tile([blend.average.standard_error**2 for blend in self.blends], (len(matrix), 1))
        for learners in self.halves:
            square += ((learners.deviations(matrix) - deviations) * weights).sum(axis=2) ** 2 / len(self.halves)
        errors: Floats = np.sqrt(square)
        return errors


@dataclass(frozen=True)
class Learned:
    """A model, and what can be said of the rows (n,) that it learned from by parts of it that had not seen them.

    `scores` (n, arms) are doubly robust scores of the outcome in each arm (`training.uplift.learners`).
    """

    model: UpliftModel
    unseen: Uplift
    scores: Floats


def learn_uplift(experiment: Experiment, seed: int = 0, progress: Progress = Silent()) -> Learned:
    """Learn who gains by which arm of an experiment; the same rows and seed give the same model."""
    with progress.step("Learning who gains, and telling of unseen customers"):
        unseen = cross_fitted(experiment, seed)
        learners = fit_learners(experiment, unseen.scores, seed)
    blends = _cautious(_blends(unseen.scores, unseen.deviations, experiment.customer), experiment, unseen.expected)
    with progress.step("Learning from random halves of the customers"):
        halves = _halves(experiment, unseen.scores, seed, progress)
    model = UpliftModel(experiment.arms, experiment.names, learners, halves, blends)
    errors = model._errors(experiment.matrix, learners.deviations(experiment.matrix))
    effects = np.array([blend.average.value for blend in blends]) + _unseen_deviations(experiment.customer, unseen)
    told = Uplift(_with_control(effects), _with_control(errors), unseen.expected[:, CONTROL])
    return Learned(model, told, unseen.scores)


def mean_figure(amounts: Floats, customer: Ints) -> Figure:
    """The mean of amounts (n,) with its interval; rows of one customer (n, a code) are not independent."""
    mean = float(amounts.mean())
    return figure(mean, clustered_error(amounts - mean, customer) / len(amounts))


def _halves(experiment: Experiment, scores: Floats, seed: int, progress: Progress) -> tuple[Learners, ...]:
    random, made = np.random.default_rng(seed), []
    for each in range(HALVES):
        half = (random.permutation(int(experiment.customer.max()) + 1) % 2 == 0)[experiment.customer]
        made.append(fit_learners(experiment.rows(half), scores[half], seed))
        progress.count(each + 1, HALVES)
    return tuple(made)


def _unseen_deviations(customer: Ints, unseen: Unseen) -> Floats:
    """By how much the effect (n, arms - 1) on each row is above the average, by the weights that the other folds give."""
    deviations = np.empty(unseen.deviations.shape[:2])
    for place in np.unique(unseen.fold):
        held = unseen.fold == place
        blends = _blends(unseen.scores[~held], unseen.deviations[~held], customer[~held])
        for arm, blend in enumerate(blends):
            deviations[held, arm] = unseen.deviations[held, arm] @ blend.weights
    return deviations


def _blends(scores: Floats, deviations: Floats, customer: Ints) -> tuple[Blend, ...]:
    effects = scores[:, CONTROL + 1 :] - scores[:, [CONTROL]]
    return tuple(_blend(effects[:, arm], deviations[:, arm], customer) for arm in range(effects.shape[1]))


def _cautious(blends: tuple[Blend, ...], experiment: Experiment, expected: Floats) -> tuple[Blend, ...]:
    """The blends with averages no surer than other draws of the arms would let them be (`training.uplift.effects`)."""
    left = experiment.outcome - np.take_along_axis(expected, experiment.arm[:, None], axis=1)[:, 0]
    made = []
    for place, blend in enumerate(blends, start=CONTROL + 1):
        error = max(blend.average.standard_error, redrawn_error(experiment, place, left, experiment.propensity))
        made.append(replace(blend, average=figure(blend.average.value, error)))
    return tuple(made)


def _blend(scores: Floats, deviations: Floats, customer: Ints) -> Blend:
    """Weigh learners by how near they come to the scores (n,) of effects, and shrink them by how sure that is."""
    average = mean_figure(scores, customer)
    signed, _ = nnls(np.column_stack([deviations, -deviations[:, LEVEL]]), scores - average.value)
    weights = signed[:-1] / max(1.0, float(signed.sum()))
    weights[LEVEL] -= signed[-1] / max(1.0, float(signed.sum()))
    slope = _slope(scores - average.value, deviations @ weights, customer)
    shrunk = max(0.0, 1 - PENALTY * (slope.standard_error / slope.value) ** 2) if slope.value > 0 else 0.0
    return Blend(average, weights * shrunk, slope)


def _slope(y: Floats, x: Floats, customer: Ints) -> Figure:
    """The slope of y (n,) on x (n,), both about 0; 0 where x does not vary."""
    square = float(x @ x)
    if square == 0:
        return figure(0.0, 0.0)
    slope = float(x @ y) / square
    return figure(slope, clustered_error(x * (y - slope * x), customer) / square)


def _with_control(effects: Floats) -> Floats:
    """Effects (n, arms - 1) with that of the control, 0, before them."""
    return np.insert(effects, CONTROL, 0.0, axis=1)

"""Learners of who gains by which arm: T, X and doubly robust on LightGBM, and level.

T forecasts the outcome in each arm and takes the difference. X learns, in each arm, what came less what the other arm would have
brought (Kuenzel, Sekhon, Bickel and Yu 2019). The doubly robust learner learns scores that are right on average when either
the outcomes or the propensities are (Kennedy 2023); in an experiment the propensities are. Level says what a customer brings
in any arm, as a sum of curves: effects tend to rise, or fall, with it, and it is known far better than any effect.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from training.arrays import Floats, Ints
from training.members.linear import LinearModel, fit_ridge
from training.members.trees import TreeModel, TreeSettings, fit_trees
from training.uplift.data import CONTROL, Experiment

LEARNERS = ("T", "X", "DR", "level")

FOLDS = 5

LEVEL_RIDGE = 100.0

OUTCOME_TREES = TreeSettings(rounds=80, learning_rate=0.05, leaves=4, leaf_rows=200, feature_share=0.7, ridge=10.0)
EFFECT_TREES = TreeSettings(rounds=40, learning_rate=0.05, leaves=3, leaf_rows=1_000, feature_share=0.5, ridge=10.0)
"""Small trees, smallest where the effect itself is learned: it hides in noise many times its size."""


@dataclass(frozen=True)
class Learners:
    """What was fitted: trees of the outcome in each arm, curves of its `level` in any, trees of the effect of each other arm.

    `sides` learned from the treated and from the controls of an arm (X); `shares` (arms - 1,) is the treated part of both.
    `middles` (arms - 1, learners) is what they say on average of the rows that they learned from.
    """

    outcomes: tuple[TreeModel, ...]
    level: LinearModel
    sides: tuple[tuple[TreeModel, TreeModel], ...]
    robust: tuple[TreeModel, ...]
    shares: Floats
    middles: Floats = field(default_factory=lambda: np.zeros(()))

    def expected(self, matrix: Floats) -> Floats:
        """The outcome (n, arms) forecast in each arm."""
        return np.column_stack([model.predict(matrix) for model in self.outcomes])

    def effects(self, matrix: Floats) -> Floats:
        """What each of LEARNERS says of the effect of each arm but the control: (n, arms - 1, learners).

        The level is in units of the outcome, and no effect before it has a weight.
        """
        expected = self.expected(matrix)
        simple = expected[:, 1:] - expected[:, :1]
        sides = np.array([[side.predict(matrix) for side in both] for both in self.sides])
        crossed = (1 - self.shares)[:, None] * sides[:, 0] + self.shares[:, None] * sides[:, 1]
        robust = np.array([model.predict(matrix) for model in self.robust])
        level = np.tile(self.level.predict(matrix)[:, None], len(self.robust))
        return np.stack([simple, crossed.T, robust.T, level], axis=2)

    def deviations(self, matrix: Floats) -> Floats:
        """By how much each effect is above the middle: (n, arms - 1, learners)."""
        return self.effects(matrix) - self.middles


@dataclass(frozen=True)
class Unseen:
    """What is said of each row (n,) by learners that did not learn from its customer.

    `expected` and `scores` (n, arms), `deviations` (n, arms - 1, learners), `fold` (n,).
    """

    expected: Floats
    scores: Floats
    deviations: Floats
    fold: Ints


def cross_fitted(experiment: Experiment, seed: int) -> Unseen:
    """Learn from all folds but one, tell of that one; customers stay in one fold."""
    fold = _folds(experiment.customer, seed)
    fits = [fit_outcomes(experiment.rows(fold != place), seed) for place in range(FOLDS)]
    expected = np.empty((len(experiment), len(experiment.arms)))
    for place, outcomes in enumerate(fits):
        held = fold == place
        expected[held] = np.column_stack([model.predict(experiment.matrix[held]) for model in outcomes])
    scores = robust_scores(experiment, expected)
    deviations = np.empty((len(experiment), len(experiment.arms) - 1, len(LEARNERS)))
    for place, outcomes in enumerate(fits):
        held = fold == place
        learned = fit_learners(experiment.rows(~held), scores[~held], seed, outcomes)
        deviations[held] = learned.deviations(experiment.matrix[held])
    return Unseen(expected, scores, deviations, fold)


def fit_learners(experiment: Experiment, scores: Floats, seed: int, outcomes: tuple[TreeModel, ...] | None = None) -> Learners:
    """Fit all learners to the rows of an experiment; `scores` (n, arms) are those of `robust_scores`."""
    outcomes = outcomes or fit_outcomes(experiment, seed)
    treated = range(CONTROL + 1, len(experiment.arms))
    chances = experiment.propensity.mean(axis=0)
    learners = Learners(
        outcomes,
        level=_fit_level(experiment),
        sides=tuple(_fit_sides(experiment, place, outcomes, seed) for place in treated),
        robust=tuple(_fit(experiment.matrix, scores[:, place] - scores[:, CONTROL], EFFECT_TREES, seed) for place in treated),
        shares=chances[1:] / (chances[1:] + chances[CONTROL]),
    )
    return replace(learners, middles=learners.effects(experiment.matrix).mean(axis=0))


def fit_outcomes(experiment: Experiment, seed: int) -> tuple[TreeModel, ...]:
    """For each arm, trees that forecast what comes in it."""
    rows = (experiment.arm == place for place in range(len(experiment.arms)))
    return tuple(_fit(experiment.matrix[each], experiment.outcome[each], OUTCOME_TREES, seed) for each in rows)


def arm_means(experiment: Experiment) -> Floats:
    """The mean outcome (arms,) in each arm."""
    return np.bincount(experiment.arm, experiment.outcome) / experiment.counts


def robust_scores(experiment: Experiment, expected: Floats) -> Floats:
    """Doubly robust scores (n, arms) of the outcome in each arm: the forecast, corrected where the arm was drawn.

    Their mean over any customers, less that of the control, is the effect on these, if `expected` (n, arms) did not see them.
    """
    surprise = (
        experiment.outcome - np.take_along_axis(expected, experiment.arm[:, None], axis=1)[:, 0]
    ) / experiment.own_propensity
    scores = expected.copy()
    scores[np.arange(len(scores)), experiment.arm] += surprise
    return scores


def _fit_sides(experiment: Experiment, place: int, outcomes: tuple[TreeModel, ...], seed: int) -> tuple[TreeModel, TreeModel]:
    """Trees of the effect as the treated show it, and as the controls do."""
    treated, control = (experiment.rows(experiment.arm == arm) for arm in (place, CONTROL))
    gained = treated.outcome - outcomes[CONTROL].predict(treated.matrix)
    missed = outcomes[place].predict(control.matrix) - control.outcome
    return _fit(treated.matrix, gained, EFFECT_TREES, seed), _fit(control.matrix, missed, EFFECT_TREES, seed)


def _fit_level(experiment: Experiment) -> LinearModel:
    """Curves of what comes in any arm, counted from the mean of the arm."""
    above = experiment.outcome - arm_means(experiment)[experiment.arm]
    return fit_ridge(experiment.matrix, above, np.ones(len(experiment)), LEVEL_RIDGE)


def _fit(matrix: Floats, y: Floats, settings: TreeSettings, seed: int) -> TreeModel:
    nothing, alike = np.zeros(len(y)), np.ones(len(y))
    return fit_trees(matrix, y, nothing, alike, objective="regression", settings=settings, seed=seed)


def _folds(customer: Ints, seed: int) -> Ints:
    """The fold (n,) of each row, by its customer."""
    drawn = np.random.default_rng(seed).permutation(int(customer.max()) + 1) % FOLDS
    return np.asarray(drawn[customer], dtype=np.int64)

"""The whole study of one experiment: what the arms did on average, who gains, what choosing them would have brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from keepwell.progress import Progress, Silent
from training.arrays import Floats
from training.uplift.data import CONTROL, Experiment
from training.uplift.effects import ArmEffect, Figure, arm_effects, effect
from training.uplift.learners import robust_scores
from training.uplift.model import Learned, Uplift, UpliftModel, learn_uplift
from training.uplift.policy import (
    Group,
    PolicyValue,
    Qini,
    calibration,
    disturbed,
    policies,
    policy_values,
    qini,
)

LEAST_TO_LEARN = 200
"""Rows in every arm, below which nothing is said of single customers."""

FALSE_ALARM = 0.01
"""The chance that any feature of a sound experiment is called unbalanced."""

NEARLY_NONE = 1e-9
"""The least standard error, so that what separates the arms wholly is far out, and what is the same in all is not."""

BEST = "best arm"


@dataclass(frozen=True)
class Judged:
    """What effects told of rows (n,) that were not learned from would have been good for.

    `curves` and `groups` by arm, and the curve of the best arm for each where there are several. `harmed`: by arm, who (n,) are
    better left alone, and the effect on them; None where there is hardly anybody.
    """

    experiment: Experiment
    uplift: Uplift
    policies: Mapping[str, PolicyValue]
    curves: Mapping[str, Qini]
    groups: Mapping[str, tuple[Group, ...]]
    harmed: Mapping[str, tuple[NDArray[np.bool_], Figure | None]]


@dataclass(frozen=True)
class Study:
    """What an experiment says; `model` and `judged` are None where it has too few rows, or no features, to tell customers apart.

    `unbalanced` has the features in which the arms differ more than chance allows, with the standard errors by which they do.
    """

    experiment: Experiment
    unbalanced: Mapping[str, float]
    effects: tuple[ArmEffect, ...]
    model: UpliftModel | None
    judged: Judged | None


def study(experiment: Experiment, *, share: float = 1.0, seed: int = 0, progress: Progress = Silent()) -> Study:
    """Study an experiment; policies are also judged at a `share` of the customers below 1. The same seed, the same study."""
    with progress.step(f"Effects on {experiment.name}"):
        effects, odd = arm_effects(experiment), unbalanced(experiment)
    if experiment.counts.min() < LEAST_TO_LEARN or not experiment.names:
        return Study(experiment, odd, effects, None, None)
    learned = learn_uplift(experiment, seed, progress)
    with progress.step("Judging who should be treated"):
        judged = judge(experiment, learned.unseen, learned.scores, share, seed)
    return Study(experiment, odd, _with_robust(effects, learned), learned.model, judged)


def judge_elsewhere(model: UpliftModel, experiment: Experiment, *, share: float = 1.0, seed: int = 0) -> Judged:
    """Judge a model on another experiment with the same arms and features, of customers that it did not learn from."""
    scores = robust_scores(experiment, model.learners.expected(experiment.matrix))
    return judge(experiment, model.uplift(experiment.matrix), scores, share, seed)


def judge(experiment: Experiment, uplift: Uplift, scores: Floats, share: float, seed: int) -> Judged:
    """Hold what was told of each customer against what came; `scores` (n, arms) are doubly robust."""
    places = {arm: place for place, arm in enumerate(experiment.arms) if place != CONTROL}
    above = scores - scores[:, [CONTROL]]
    curves = {
        arm: qini(experiment, uplift.effect[:, place], np.full(len(experiment), place), seed) for arm, place in places.items()
    }
    if len(places) > 1:
        treatments = uplift.effect[:, CONTROL + 1 :]
        curves[BEST] = qini(experiment, treatments.max(axis=1), treatments.argmax(axis=1) + CONTROL + 1, seed)
    return Judged(
        experiment,
        uplift,
        policies=policy_values(experiment, policies(experiment, uplift, scores, share, seed), seed),
        curves=curves,
        groups={arm: calibration(uplift.effect[:, at], above[:, at], experiment.customer) for arm, at in places.items()},
        harmed={arm: disturbed(uplift, scores, at, experiment.customer) for arm, at in places.items()},
    )


def unbalanced(experiment: Experiment) -> dict[str, float]:
    """Features that differ between an arm and the control more than chance allows, with the standard errors by which they do.

    Ranks are compared, which a few large values cannot hide, and what is missing. What was known before the draw cannot differ:
    what does was written down after it, or the draw was none.
    """
    tests = max(1, len(experiment.names) * (len(experiment.arms) - 1))
    most = float(norm.isf(FALSE_ALARM / 2 / tests))
    errors = {name: _imbalance(experiment, column) for name, column in zip(experiment.names, experiment.matrix.T, strict=True)}
    return {name: error for name, error in errors.items() if error > most}


def _imbalance(experiment: Experiment, column: Floats) -> float:
    """The most standard errors by which an arm differs from the control in the ranks of a column (n,), or in what it lacks."""
    nothing = np.empty((len(experiment), 0))
    missing = np.isnan(column)
    ranks = rankdata(column, nan_policy="omit")
    centred = np.where(missing, 0.0, ranks - (1 + (~missing).sum()) / 2)
    figures = (
        effect(replace(experiment, outcome=each), place, nothing, experiment.propensity)
        for each in (centred, missing.astype(float))
        for place in range(CONTROL + 1, len(experiment.arms))
    )
    return max(abs(each.value) / max(each.standard_error, NEARLY_NONE) for each in figures)


def _with_robust(effects: tuple[ArmEffect, ...], learned: Learned) -> tuple[ArmEffect, ...]:
    averages = (blend.average for blend in learned.model.blends)
    return tuple(
        replace(each, estimates=each.estimates | {"doubly robust": average})
        for each, average in zip(effects, averages, strict=True)
    )

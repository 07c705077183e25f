"""Recipes tried at a past date: members fitted as they could have been then, and held against what came.

What does not depend on the recipe is made once: the rows, their bins, and the linear members of a few penalties.
"""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from features.asof import day_date
from training.arrays import Floats, probability_of
from training.data import TrainingData
from training.evaluation.outcomes import outcome_of
from training.fitting import fit_linear_amount, fit_linear_churn, is_enough, positive_values, season_at
from training.members.trees import BinnedRows, TreeModel, TreeSettings, binned, fit_stopping_trees
from training.metrics.weighted import Outcome
from training.recipe import Recipe
from training.scorer import Predictions
from training.season import Season
from training.splits import cut_days, sampled_customers, study_ends

TRIAL_ROWS = 40_000
"""Rows that a trial learns from, and as many that judge it: settings are compared, not finished."""

LINEAR_ROWS = 15_000
"""Rows that its linear member learns from."""

MOST_DATES = 3
RESAMPLES = 50
MOST_ROUNDS = 300


@dataclass(frozen=True)
class Rehearsal:
    """One date: rows to learn from, rows that judge, and the season as it came; `memo` keeps what trials share."""

    learn: TrainingData
    judge: TrainingData
    season: Season
    memo: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def as_of(self) -> date:
        """The date at which the recipes are tried."""
        return day_date(int(self.judge.day[0]))

    @property
    def outcome(self) -> Outcome:
        """What came of the customers who judge."""
        return outcome_of(self.judge)

    @property
    def resamples(self) -> Floats:
        """Weights (RESAMPLES, n) of the customers who judge, by a Poisson bootstrap: a customer weighs the same at every date."""
        if "resamples" not in self.memo:
            drawn = np.random.default_rng(0).poisson(1.0, (int(self.judge.customer.max()) + 1, RESAMPLES))
            self.memo["resamples"] = np.ascontiguousarray(drawn[self.judge.customer].T, dtype=float)
        weights: Floats = self.memo["resamples"]
        return weights

    def forecast(self, recipe: Recipe, seed: int) -> tuple[Predictions, tuple[int, int]]:
        """What the mean of the two learning members forecasts, and how many rounds its trees of churn and amount took.

        The level is the season's matter and not the recipe's: the total is brought to the one that came.
        """
        with ThreadPoolExecutor(2) as both:  # each on a thread of its own: the same trees, sooner
            fits = [
                both.submit(self._trees, target, settings, seed)
                for target, settings in (("churn", recipe.churn_trees), ("amount", recipe.amount_trees))
            ]
            churn_trees, amount_trees = (fit.result() for fit in fits)
        log_odds = (self._linear("churn", recipe.churn_ridge) + churn_trees.predict(self.judge.matrix)) / 2
        log_amount = (self._linear("amount", recipe.amount_ridge) + amount_trees.predict(self.judge.matrix)) / 2
        churn, amount = probability_of(log_odds + self.season.offsets(self.judge.day)[0]), np.exp(log_amount)
        level = max(float(self.judge.value.sum()), 1e-9) / float(((1 - churn) * amount).sum())
        expected = level * (1 - churn) * amount
        return Predictions(churn, expected, level * amount, expected, expected), (churn_trees.rounds, amount_trees.rounds)

    def _trees(self, target: str, settings: TreeSettings, seed: int) -> TreeModel:
        learn, judge = self._binned(target)
        return fit_stopping_trees(learn, judge, replace(settings, rounds=MOST_ROUNDS), seed)

    def _binned(self, target: str) -> tuple[BinnedRows, BinnedRows]:
        if target not in self.memo:
            learn = _bins(self.learn, self.season, target, None)
            self.memo[target] = learn, _bins(self.judge, self.season, target, learn)
        rows: tuple[BinnedRows, BinnedRows] = self.memo[target]
        return rows

    def _linear(self, target: str, ridge: float) -> Floats:
        """The linear member's forecast (n,) for the rows that judge."""
        if (target, ridge) not in self.memo:
            fit = fit_linear_churn if target == "churn" else fit_linear_amount
            self.memo[target, ridge] = fit(self.learn, self.season, ridge, LINEAR_ROWS).predict(self.judge.matrix)
        forecast: Floats = self.memo[target, ridge]
        return forecast


def rehearsals(data: TrainingData) -> tuple[Rehearsal, ...]:
    """The dates at which a study tries recipes, newest first: two, three ... horizons before `data.as_of`.

    Their labels end one horizon before it, so that the newest backtest date judges a recipe that has not seen it. Dates with too
    little to learn from or to judge by are left out.
    """
    ends = study_ends(data.as_of_day, data.horizon_days)
    found = (_rehearsal(data, day) for day in cut_days(data.labelled_days, ends, data.horizon_days, MOST_DATES))
    return tuple(one for one in found if one is not None)


def _rehearsal(data: TrainingData, day: int) -> Rehearsal | None:
    learn, judge = data.known_at(day), data.at(day)
    if not is_enough(learn) or not is_enough(judge):
        return None
    learn, judge = (rows.rows(sampled_customers(rows.customer, TRIAL_ROWS)) for rows in (learn, judge))
    return Rehearsal(learn, judge, season_at(data, study_ends(data.as_of_day, data.horizon_days)))


def _bins(rows: TrainingData, season: Season, target: str, like: BinnedRows | None) -> BinnedRows:
    if target == "churn":
        return binned(rows.matrix, rows.churned, season.offsets(rows.day)[0], objective="binary", like=like)
    active = rows.rows(rows.churned == 0)
    return binned(active.matrix, positive_values(active.value), season.offsets(active.day)[1], objective="gamma", like=like)

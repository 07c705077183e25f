"""Learners fitted to labelled customers, and forecasts of customers that they have not learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.arrays import Flags, Floats, Ints
from training.flat.data import FlatData
from training.flat.model import FlatModel, Learner
from training.flat.recipe import FlatRecipe
from training.leaks.groups import auc
from training.members.linear import fit_logistic, fit_ridge
from training.members.rules import fit_steps
from training.members.stack import Blend, fit_amount_blend, fit_churn_blend
from training.members.trees import TreeSettings, fit_trees
from training.season import log_level

FOLDS = 5
FEW_ROWS = 20_000
"""Up to here three cross-validations and three fits of trees are affordable; of more rows one says as much."""

LINEAR_FEATURES = 300
"""Beyond, the linear learner would have more weights than most flat tables have rows: trees speak alone."""

Fit = Callable[[FlatData, FlatRecipe, int], Learner]

DEFAULT_TREES = TreeSettings(rounds=100, learning_rate=0.1, leaves=31, leaf_rows=20, feature_share=1.0, ridge=0.0)
"""LightGBM's own defaults."""


@dataclass(frozen=True)
class Kind:
    """A kind of learner: how it learns to forecast churn (log-odds), and how often, each time with another seed."""

    name: str
    fit: Fit
    fits: int = 1


def repeats(data: FlatData) -> int:
    """How many cross-validations, and fits of the same trees, are made."""
    return 3 if len(data) <= FEW_ROWS else 1


def churn_kinds(data: FlatData) -> tuple[Kind, ...]:
    """The learners of the procedure: trees, and where there are not too many features a sum of curves."""
    trees = replace(CHURN_TREES_ONCE, fits=repeats(data))
    return (trees, Kind("linear", _logistic)) if len(data.names) <= LINEAR_FEATURES else (trees,)


def rival_kinds(data: FlatData) -> tuple[Kind, ...]:
    """The simple rivals: LightGBM as it comes, logistic regression, the best rule that looks at one column."""
    linear = (Kind("logistic", _logistic),) if len(data.names) <= LINEAR_FEATURES else ()
    return (Kind("lightgbm", _default_trees), *linear, Kind("one_column", _best_column))


def amount_kinds(data: FlatData) -> tuple[Kind, ...]:
    """The learners of what those bring who stay, as logarithms."""
    trees = Kind("trees", _amount_trees, repeats(data))
    return (trees, Kind("linear", _ridge)) if len(data.names) <= LINEAR_FEATURES else (trees,)


def fitted(kinds: Sequence[Kind], data: FlatData, recipe: FlatRecipe, seed: int) -> tuple[tuple[Learner, ...], ...]:
    """The fits of each kind to all of `data`."""
    return tuple(tuple(kind.fit(data, recipe, 1_000 * seed + each) for each in range(kind.fits)) for kind in kinds)


def unseen_forecasts(kinds: Sequence[Kind], data: FlatData, learn: Flags, recipe: FlatRecipe, fold: Ints, *, seed: int) -> Floats:
    """What each kind forecasts (n, kinds) for each customer fitted to those of other folds for whom `learn` (n,) holds."""
    found = np.empty((len(data), len(kinds)))
    for place in np.unique(fold):
        held = fold == place
        for column, fits in enumerate(fitted(kinds, rows(data, ~held & learn), recipe, seed)):
            found[held, column] = np.mean([each.predict(data.matrix[held]) for each in fits], axis=0)
    return found


def rows(data: FlatData, keep: Flags) -> FlatData:
    """The customers where `keep` (n,) holds."""
    parts = {name: getattr(data, name)[keep] for name in ("matrix", "customer_id", "churned", "value")}
    return replace(data, **parts)


def calibrated(forecasts: Floats, churned: Floats, fold: Ints, recipe: FlatRecipe) -> Floats:
    """Log-odds (n,): each fold's forecasts (n, kinds), blended as those of the other folds deserve."""
    found = np.empty(len(churned))
    for place in np.unique(fold):
        held = fold == place
        found[held] = churn_blend(forecasts[~held], churned[~held], recipe).combine(forecasts[held])
    return found


def churn_blend(forecasts: Floats, churned: Floats, recipe: FlatRecipe) -> Blend:
    """The blend of unseen forecasts (n, kinds) of log-odds: their weights, their confidence, their level."""
    return fit_churn_blend(forecasts, churned, np.zeros(len(churned)), recipe.prior_rows)


def amount_blend(forecasts: Floats, value: Floats, recipe: FlatRecipe) -> Blend:
    """The blend of unseen forecasts (n, kinds) of log amounts."""
    return fit_amount_blend(forecasts, value, np.zeros(len(value)), recipe.prior_rows)


def model(fits: Sequence[Sequence[Learner]], blend: Blend) -> FlatModel:
    """A model whose fits of one kind share the weight of that kind."""
    weights = tuple(weight / len(each) for weight, each in zip(blend.weights, fits, strict=True) for _ in each)
    return FlatModel(tuple(one for each in fits for one in each), replace(blend, weights=weights))


def _churn_trees(data: FlatData, recipe: FlatRecipe, seed: int) -> Learner:
    return _trees_of_churn(data, recipe.churn_trees, seed)


def _default_trees(data: FlatData, _: FlatRecipe, seed: int) -> Learner:
    return _trees_of_churn(data, DEFAULT_TREES, seed)


def _trees_of_churn(data: FlatData, settings: TreeSettings, seed: int) -> Learner:
    nothing, ones = np.zeros(len(data)), np.ones(len(data))
    return fit_trees(data.matrix, data.churned, nothing, ones, objective="binary", settings=settings, seed=seed)


def _logistic(data: FlatData, recipe: FlatRecipe, _: int) -> Learner:
    return fit_logistic(data.matrix, data.churned, np.zeros(len(data)), np.ones(len(data)), recipe.churn_ridge)


def _best_column(data: FlatData, _: FlatRecipe, __: int) -> Learner:
    """The rule of the column that alone tells best, on the customers that it learns from, who leaves."""
    rules = [fit_steps(data.matrix, column, data.churned, "logit") for column in range(len(data.names))]
    return max(rules, key=lambda rule: auc(rule.predict(data.matrix), data.churned == 1)[0])


def _amount_trees(data: FlatData, recipe: FlatRecipe, seed: int) -> Learner:
    nothing, ones = np.zeros(len(data)), np.ones(len(data))
    value = np.maximum(data.value, 0)
    return fit_trees(data.matrix, value, nothing, ones, objective="tweedie", settings=recipe.amount_trees, seed=seed)


def _ridge(data: FlatData, recipe: FlatRecipe, _: int) -> Learner:
    """Least squares of logarithms, moved from the median that they meet to the mean that is asked for."""
    floor = float(np.quantile(data.value[data.value > 0], 0.02))
    fit = fit_ridge(data.matrix, np.log(np.maximum(data.value, floor)), np.ones(len(data)), recipe.amount_ridge)
    return replace(fit, intercept=fit.intercept + log_level(np.maximum(data.value, 0), fit.predict(data.matrix)))


CHURN_TREES_ONCE = Kind("trees", _churn_trees)
"""The kind of learner that a study tunes."""

"""The simple rivals of the procedure, each a scorer of its own.

last_period   who bought in the last period, and for how much, does so again
recency       the longer ago, the less likely; then everyone spends their mean
lifetime      BG/NBD and Gamma-Gamma, as they come
logistic      logistic regression and least squares on logarithms
lightgbm      LightGBM with its default settings
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.data import TrainingData
from training.fitting import fit_linear_member, fit_tree_member, is_enough, lifetime_at
from training.members.kinds import LifetimeMember, Member
from training.members.rules import RuleMember, fit_steps
from training.members.trees import TreeSettings
from training.procedure import assemble
from training.recipe import Recipe
from training.scorer import Scorer
from training.season import no_season

WINDOWS = (30, 90, 180, 365)
RIVALS = ("last_period", "recency", "lifetime", "logistic", "lightgbm")

DEFAULTS = TreeSettings(rounds=100, learning_rate=0.1, leaves=31, leaf_rows=20, feature_share=1.0, ridge=0.0)
"""LightGBM's own defaults."""


def rivals_at(data: TrainingData, day: int) -> tuple[str, ...]:
    """The rivals that can be fitted at a date; without enough labels only the one that needs none."""
    return RIVALS if is_enough(data.known_at(day)) else (LifetimeMember.name,)


def fit_rival(data: TrainingData, day: int, name: str, recipe: Recipe, seed: int) -> Scorer:
    """The scorer of a rival as it would have been trained at `day`; it learns from the same dates as the procedure."""
    member = _member(data, day, name, recipe, seed)
    return assemble(data, day, recipe, (member,), None, family=name)


def _member(data: TrainingData, day: int, name: str, recipe: Recipe, seed: int) -> Member:
    if name == LifetimeMember.name:
        return lifetime_at(data, day)
    known = data.known_at(day)
    if name == "logistic":
        return fit_linear_member(known, no_season(known), recipe)
    if name == "lightgbm":
        return fit_tree_member(known, no_season(known), replace(recipe, churn_trees=DEFAULTS, amount_trees=DEFAULTS), seed)
    window = min(WINDOWS, key=lambda days: abs(days - data.horizon_days))
    columns = {
        "last_period": (f"purchase_days_{window}d", f"spend_{window}d"),
        "recency": ("recency_days", "spend_mean_all"),
    }
    return _rule(known, *columns[name])


def _rule(known: TrainingData, churn_column: str, amount_column: str) -> RuleMember:
    active = known.rows(known.churned == 0)
    return RuleMember(
        fit_steps(known.matrix, known.names.index(churn_column), known.churned, "logit"),
        fit_steps(active.matrix, known.names.index(amount_column), np.maximum(active.value, 0), "log"),
    )

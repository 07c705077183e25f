"""Members fitted to the labels known at a date, each date's season taken out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from training.arrays import Floats, at_once
from training.data import TrainingData
from training.members.btyd import fit_purchases, fit_spend
from training.members.kinds import HISTORY, LifetimeMember, LinearMember, Member, TreeMember
from training.members.linear import LinearModel, fit_logistic, fit_ridge
from training.members.own import MemberRows, fit_own_members
from training.members.trees import Objective, TreeModel, TreeSettings, fit_trees
from training.recipe import Recipe
from training.season import Season, Windows, churn_windows, log_level, measure_season
from training.splits import sampled_customers

LEAST_ROWS, LEAST_CLASS = 300, 30
"""Rows, and rows of each answer, that a member needs to learn from."""

LINEAR_ROWS = 60_000
"""Rows that the linear member learns from: more of them no longer move its weights."""

OWN_SPREAD = "spend_sd_all"
"""The feature that tells how much a customer's own purchases differ."""

SMALLEST_SHARE = 0.02
"""The share of the lowest positive values that sets the floor for refunded customers."""


def lifetime_at(data: TrainingData, day: int) -> LifetimeMember:
    """Buy-till-you-die as it could be fitted at `day`."""
    key = ("lifetime", day)
    if key not in data.memo:
        data.memo[key] = fit_lifetime(data, day)
    lifetime: LifetimeMember = data.memo[key]
    return lifetime


def members_at(data: TrainingData, day: int, recipe: Recipe, seed: int) -> tuple[Member, ...]:
    """The members as they could be fitted at `day`: those that there is enough to learn from, buy-till-you-die always last."""
    key = (day, recipe, seed)
    if key not in data.memo:
        known = data.known_at(day)
        season = season_at(data, day)
        learned: tuple[Member, ...] = ()
        if is_enough(known):
            learned = at_once(
                partial(fit_linear_member, known, season, recipe), partial(fit_tree_member, known, season, recipe, seed)
            )
            learned += fit_own_members(_member_rows(known, season, seed))
        data.memo[key] = (*learned, lifetime_at(data, day))
    fitted: tuple[Member, ...] = data.memo[key]
    return fitted


def _member_rows(known: TrainingData, season: Season, seed: int) -> MemberRows:
    """What members of one's own learn from."""
    return MemberRows(known.names, known.matrix, known.churned, known.value, *season.offsets(known.day), seed)


def fit_lifetime(data: TrainingData, day: int) -> LifetimeMember:
    """Buy-till-you-die from the purchases known at `day`."""
    columns = tuple(data.names.index(name) for name in HISTORY)
    history = data.at(day).matrix[:, columns]
    purchase_days, recency, age, mean_spend = history.T
    return LifetimeMember(
        purchases=fit_purchases(purchase_days - 1, age - recency, age, usual=True),
        spend=fit_spend(purchase_days, mean_spend, data.at(day).column(OWN_SPREAD)),
        horizon_days=data.horizon_days,
        columns=columns,
        reference=tuple(map(float, np.median(history, axis=0))),
    )


def is_enough(known: TrainingData) -> bool:
    """Whether labelled rows suffice for members that learn from labels."""
    churned = int(known.churned.sum())
    return len(known) >= LEAST_ROWS and min(churned, len(known) - churned) >= LEAST_CLASS


def season_at(data: TrainingData, day: int) -> Season:
    """The effects of the dates whose horizon ends at or before `day`, as they could be measured then."""
    key = ("season", day)
    if key not in data.memo:
        data.memo[key] = measure_season(data.known_at(day), lifetime_at(data, day))
    season: Season = data.memo[key]
    return season


def outlook_at(data: TrainingData, day: int) -> Windows:
    """The effects on churn of all windows that were over at `day`, as they could be measured then."""
    key = ("outlook", day)
    if key not in data.memo:
        data.memo[key] = churn_windows(data, day, lifetime_at(data, day))
    windows: Windows = data.memo[key]
    return windows


def fit_linear_member(known: TrainingData, season: Season, recipe: Recipe) -> LinearMember:
    """The linear member from labelled rows, their dates' effects taken out."""
    churn = fit_linear_churn(known, season, recipe.churn_ridge)
    # With the same units, logarithms are taken once for both.
    return LinearMember(churn, fit_linear_amount(known, season, recipe.amount_ridge, unit=churn.encoder.unit))


def fit_linear_churn(known: TrainingData, season: Season, ridge: float, most_rows: int = LINEAR_ROWS) -> LinearModel:
    """Log-odds of churn from `most_rows` labelled rows."""
    few = known.rows(sampled_customers(known.customer, most_rows))
    return fit_logistic(few.matrix, few.churned, season.offsets(few.day)[0], np.ones(len(few)), ridge)


def fit_linear_amount(
    known: TrainingData, season: Season, ridge: float, most_rows: int = LINEAR_ROWS, unit: Floats | None = None
) -> LinearModel:
    """The logarithm of what active customers bring, from `most_rows` labelled rows of them; `unit` as in `fit_encoder`."""
    active = known.rows(known.churned == 0)
    active = active.rows(sampled_customers(active.customer, most_rows))
    offset = season.offsets(active.day)[1]
    amount = fit_ridge(active.matrix, np.log(positive_values(active.value)) - offset, np.ones(len(active)), ridge, unit)
    # Least squares of logarithms meet the median; what is asked for is the mean.
    level = log_level(active.value, amount.predict(active.matrix) + offset)
    return replace(amount, intercept=amount.intercept + level)


def fit_tree_member(known: TrainingData, season: Season, recipe: Recipe, seed: int) -> TreeMember:
    """The tree member from labelled rows, their dates' effects taken out."""
    active = known.rows(known.churned == 0)
    churn_offset, amount_offset = season.offsets(known.day)[0], season.offsets(active.day)[1]
    amount = positive_values(active.value)
    churn_trees, amount_trees = at_once(
        partial(_trees, known, known.churned, churn_offset, objective="binary", settings=recipe.churn_trees, seed=seed),
        partial(_trees, active, amount, amount_offset, objective="gamma", settings=recipe.amount_trees, seed=seed),
    )
    return TreeMember(churn_trees, amount_trees)


def _trees(
    rows: TrainingData, y: Floats, offset: Floats, *, objective: Objective, settings: TreeSettings, seed: int
) -> TreeModel:
    return fit_trees(rows.matrix, y, offset, np.ones(len(rows)), objective=objective, settings=settings, seed=seed)


def positive_values(value: Floats) -> Floats:
    """Values of active customers; refunds beyond the purchases count as the smallest usual value."""
    positive = value[value > 0]
    floor = float(np.quantile(positive, SMALLEST_SHARE)) if len(positive) else 1.0
    return np.maximum(value, floor)

"""A procedure: everything that turns the labels known at a date into a scorer, so that it can be tried at earlier dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.asof import day_date
from training.arrays import Floats, probability_of
from training.btyd import fit_purchases, fit_spend
from training.data import TrainingData, population_edges
from training.linear import fit_logistic, fit_ridge
from training.members import HISTORY, LifetimeMember, LinearMember, Member, TreeMember
from training.quantiles import DEFAULT_RATIOS, HIGH, Spread, fit_spread
from training.recipe import Recipe
from training.scorer import REFUNDED, ModelInfo, Scorer
from training.splits import cut_days, sampled_customers
from training.stack import Blend, equal_blend, fit_amount_blend, fit_churn_blend
from training.trees import Objective, TreeModel, TreeSettings, fit_trees

CALIBRATION_CUTS = 2
"""How many horizons back members are fitted again, to be forecast out of time."""

LEAST_ROWS, LEAST_CLASS = 300, 30
"""Rows, and rows of each answer, that a member needs to learn from."""

LINEAR_ROWS = 60_000
"""Rows that the linear member learns from: more of them no longer move its weights."""

SMALLEST_SHARE = 0.02
"""The share of the lowest positive values that sets the floor for refunded customers."""

MOST_REFUNDED = 0.2
ENSEMBLE = "ensemble"
UNGRADED = "none"
DEFAULT_SPREAD = Spread((), (DEFAULT_RATIOS,), (HIGH,))


@dataclass(frozen=True)
class OutOfTime:
    """Members' forecasts of rows that none of them has learned from, and what came."""

    logits: Floats
    log_amounts: Floats
    churned: Floats
    value: Floats
    recent_spend: Floats

    @property
    def refund_rate(self) -> float:
        """What those who bought nothing were refunded, as a share of their last 90 days' spend."""
        stayed_away = self.churned == 1
        spent = float(np.nansum(self.recent_spend[stayed_away]))
        return float(np.clip(-self.value[stayed_away].sum() / spent, 0, MOST_REFUNDED)) if spent > 0 else 0.0


def fit_procedure(data: TrainingData, day: int, recipe: Recipe, seed: int) -> Scorer:
    """The scorer that would have been trained at `day` (a date of the panel): only labels that end at or before it count.

    Weights, levels and quantiles come from forecasts out of time, the members then learn from all complete dates. Where there
    is too little for that, buy-till-you-die speaks alone: it needs no labels.
    """
    members = members_at(data, day, recipe, seed)
    trial = out_of_time(data, day, tuple(member.name for member in members), recipe, seed)
    if trial is None and len(members) > 1:
        members = members[-1:]
        trial = out_of_time(data, day, (LifetimeMember.name,), recipe, seed)
    family = ENSEMBLE if len(members) > 1 else LifetimeMember.name
    return assemble(data, day, recipe, members, trial, family=family)


def assemble(
    data: TrainingData, day: int, recipe: Recipe, members: tuple[Member, ...], trial: OutOfTime | None, *, family: str
) -> Scorer:
    """Blend members as their forecasts out of time deserve; without any, all count alike and nothing is calibrated."""
    churn, amount = (equal_blend(len(members)),) * 2 if trial is None else fit_blends(trial, recipe)
    return Scorer(
        info=_info(data, day, family),
        recipe=recipe,
        members=members,
        churn=churn,
        amount=amount,
        spread=DEFAULT_SPREAD if trial is None else _spread(trial, churn, amount),
        refund_rate=0.0 if trial is None else trial.refund_rate,
    )


def members_at(data: TrainingData, day: int, recipe: Recipe, seed: int) -> tuple[Member, ...]:
    """The members as they could be fitted at `day`: those that there is enough to learn from, buy-till-you-die always last."""
    key = (day, recipe, seed)
    if key not in data.memo:
        known = data.known_at(day)
        learned = (fit_linear_member(known, recipe), fit_tree_member(known, recipe, seed)) if is_enough(known) else ()
        data.memo[key] = (*learned, fit_lifetime(data, day))
    fitted: tuple[Member, ...] = data.memo[key]
    return fitted


def fit_lifetime(data: TrainingData, day: int) -> LifetimeMember:
    """Buy-till-you-die from the purchases known at `day`."""
    columns = tuple(data.names.index(name) for name in HISTORY)
    history = data.at(day).matrix[:, columns]
    purchase_days, recency, age, mean_spend = history.T
    return LifetimeMember(
        purchases=fit_purchases(purchase_days - 1, age - recency, age),
        spend=fit_spend(purchase_days, mean_spend),
        horizon_days=data.horizon_days,
        columns=columns,
        reference=tuple(map(float, np.median(history, axis=0))),
    )


def is_enough(known: TrainingData) -> bool:
    """Whether labelled rows suffice for members that learn from labels."""
    churned = int(known.churned.sum())
    return len(known) >= LEAST_ROWS and min(churned, len(known) - churned) >= LEAST_CLASS


def fit_linear_member(known: TrainingData, recipe: Recipe) -> LinearMember:
    """The linear member from labelled rows."""
    few = known.rows(sampled_customers(known.customer, LINEAR_ROWS))
    active = known.rows(known.churned == 0)
    few_active = active.rows(sampled_customers(active.customer, LINEAR_ROWS))
    return LinearMember(
        churn=fit_logistic(few.matrix, few.churned, np.zeros(len(few)), np.ones(len(few)), recipe.churn_ridge),
        amount=fit_ridge(few_active.matrix, _log_value(few_active.value), np.ones(len(few_active)), recipe.amount_ridge),
    )


def fit_tree_member(known: TrainingData, recipe: Recipe, seed: int) -> TreeMember:
    """The tree member from labelled rows."""
    active = known.rows(known.churned == 0)
    return TreeMember(
        churn=_trees(known, known.churned, "binary", recipe.churn_trees, seed),
        amount=_trees(active, np.exp(_log_value(active.value)), "gamma", recipe.amount_trees, seed),
    )


def _trees(rows: TrainingData, y: Floats, objective: Objective, settings: TreeSettings, seed: int) -> TreeModel:
    zeros, ones = np.zeros(len(rows)), np.ones(len(rows))
    return fit_trees(rows.matrix, y, zeros, ones, rows.names, objective=objective, settings=settings, seed=seed)


def _log_value(value: Floats) -> Floats:
    """Logarithms of the values of active customers; refunds beyond the purchases count as the smallest usual value."""
    positive = value[value > 0]
    floor = float(np.quantile(positive, SMALLEST_SHARE)) if len(positive) else 1.0
    return np.log(np.maximum(value, floor))


def out_of_time(data: TrainingData, day: int, names: Sequence[str], recipe: Recipe, seed: int) -> OutOfTime | None:
    """Forecasts by members fitted a horizon, two ... before `day`, of the dates since; None where no such members exist."""
    parts = []
    for cut in cut_days(data.labelled_days, day, data.horizon_days, CALIBRATION_CUTS):
        members = [member for member in members_at(data, cut, recipe, seed) if member.name in names]
        if len(members) == len(names):
            rows = data.known_at(day)
            parts.append((members, rows.rows((rows.day >= cut) & (rows.day < cut + data.horizon_days))))
    if not parts:
        return None
    return OutOfTime(
        logits=np.concatenate([_side_by_side([each.churn_logit(rows.matrix) for each in members]) for members, rows in parts]),
        log_amounts=np.concatenate(
            [_side_by_side([each.log_amount(rows.matrix) for each in members]) for members, rows in parts]
        ),
        churned=np.concatenate([rows.churned for _, rows in parts]),
        value=np.concatenate([rows.value for _, rows in parts]),
        recent_spend=np.concatenate([rows.column(REFUNDED) for _, rows in parts]),
    )


def _side_by_side(forecasts: Sequence[Floats]) -> Floats:
    return np.column_stack(forecasts)


def fit_blends(trial: OutOfTime, recipe: Recipe) -> tuple[Blend, Blend]:
    """Weights and levels of churn and amount."""
    bought = trial.churned == 0
    churn = fit_churn_blend(trial.logits, trial.churned, np.zeros(len(bought)), recipe.prior_rows)
    if not bought.any():
        return churn, equal_blend(trial.logits.shape[1])
    amount = fit_amount_blend(trial.log_amounts[bought], trial.value[bought], np.zeros(bought.sum()), recipe.prior_rows)
    return churn, amount


def _spread(trial: OutOfTime, churn: Blend, amount: Blend) -> Spread:
    active = 1 - probability_of(churn.combine(trial.logits))
    return fit_spread(active, np.exp(amount.combine(trial.log_amounts)), trial.value, trial.churned)


def _info(data: TrainingData, day: int, family: str) -> ModelInfo:
    ends = [labelled + data.horizon_days for labelled in data.labelled_days if labelled + data.horizon_days <= day]
    return ModelInfo(
        company=data.company,
        horizon_days=data.horizon_days,
        trained_as_of=day_date(day),
        # Without labels nothing after the data was looked at.
        labels_until=day_date(max(ends)) if ends else min(data.data_until, day_date(day)),
        data_until=min(data.data_until, day_date(day)),
        feature_names=data.names,
        family=family,
        grade=UNGRADED,
        backtest_dates=0,
        version="",
        tables=data.tables,
        decimals=data.decimals,
        edges=population_edges(data, day),
        zone=data.zone,
    )

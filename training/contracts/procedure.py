"""The procedure for contracts: everything that turns the labels known at a date into a scorer, and its trial at earlier dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from features.asof import day_date, day_number
from keepwell.errors import HistoryError
from training.arrays import Flags, Floats, probability_of
from training.contracts.data import ContractData, enough
from training.evaluation.backtest import MOST_FOLDS, NOT_TESTED, Backtest, Fold
from training.flat.data import FlatData
from training.flat.fitting import CHURN_TREES_ONCE, Kind, amount_kinds, churn_blend, churn_kinds, fitted, rival_kinds, rows
from training.flat.labels import LEAST_EACH
from training.flat.model import FlatScorer
from training.flat.recipe import FlatRecipe
from training.flat.validation import FAMILY, Unseen, alone, fit_flat, in_a_row, judged, unseen
from training.gate import log_losses
from training.members.trees import TreeSettings
from training.procedure import CALIBRATION_CUTS
from training.scorer import ModelInfo
from training.splits import cut_days, study_ends

RECIPE = FlatRecipe(churn_trees=TreeSettings(ridge=5.0), churn_ridge=30.0, prior_rows=500.0)
"""Cautious trees: dates of one panel resemble each other, and the next one will be different."""


def fit_contracts(data: ContractData, day: int, recipe: FlatRecipe, seed: int, rival: str = "") -> FlatScorer:
    """The scorer that would have been trained at `day`: only labels that end at or before it count.

    Weights, level and spread come from forecasts of later dates than the learners saw; where the history is too short for that,
    of customers that they have not seen. HistoryError where too few labels are known.
    """
    known = learnable(data, day)
    found = out_of_time(data, day, recipe, seed) or unseen(known, recipe, seed)
    return fit_flat(known, found, recipe, _info(data, day, rival or FAMILY), seed=seed, rival=rival)


def learnable(data: ContractData, day: int) -> FlatData:
    """The labelled rows whose horizon is over at `day`; HistoryError where they are too few to learn from."""
    known = data.part(data.known_at(day))
    if not enough(known.churned):
        left = int(known.churned.sum())
        raise HistoryError(
            f"of {len(known):,} customers and dates with a horizon over by {day_date(day)}, {left:,} left: too few to learn from",
            hint="choose a longer or shorter horizon or a later --as-of, or bring more contracts, ended ones too",
        )
    return known


def out_of_time(data: ContractData, day: int, recipe: FlatRecipe, seed: int, most: int = CALIBRATION_CUTS) -> Unseen | None:
    """Forecasts by learners fitted a horizon, two ... before `day`, of the dates since; None where too little was known then."""
    parts = []
    for cut in cut_days(data.labelled_days, day, data.table.horizon_days, most):
        learn, judge = data.known_at(cut), data.known_at(day) & (data.day >= cut) & (data.day < cut + data.table.horizon_days)
        if enough(data.table.churned[learn]) and judge.any():
            parts.append(_forecast(data.part(learn), data.part(judge), recipe, seed))
    if not parts:
        return None
    whole = in_a_row(parts)
    if not enough(whole.churned):
        return None
    blended = churn_blend(whole.churn, whole.churned, recipe).combine(whole.churn)
    is_told = int((whole.value[whole.paid] > 0).sum()) >= LEAST_EACH  # prices may have begun, or ended, to be written down
    return replace(whole, log_odds=blended, amount=whole.amount if is_told else None)


def _forecast(learn: FlatData, judge: FlatData, recipe: FlatRecipe, seed: int) -> Unseen:
    def of(kinds: tuple[Kind, ...], part: FlatData) -> Floats:
        fits = fitted(kinds, part, recipe, seed)
        return np.column_stack([np.mean([each.predict(judge.matrix) for each in fit], axis=0) for fit in fits])

    churn, rivals = of(churn_kinds(learn), learn), of(rival_kinds(learn), learn)
    return Unseen(
        customer_id=judge.customer_id,
        churned=judge.churned,
        value=judge.value,
        churn=churn,
        log_odds=churn.mean(axis=1),
        rivals=dict(zip((kind.name for kind in rival_kinds(learn)), rivals.T, strict=True)),
        amount=of(amount_kinds(learn), rows(learn, learn.paid)) if learn.has_values else None,
    )


def backtest_contracts(data: ContractData, recipe: FlatRecipe, seed: int) -> Backtest:
    """Try the procedure one, two and three horizons before `data.as_of`, as far as labels allow.

    The newest date judges `recipe`, which has not seen its labels; earlier ones the default.
    """
    as_of_day, horizon_days = day_number(data.as_of), data.table.horizon_days
    days = [day for day in cut_days(data.labelled_days, as_of_day, horizon_days, MOST_FOLDS) if _testable(data, day)]
    tried = {day: recipe if day >= study_ends(as_of_day, horizon_days) else RECIPE for day in days}
    folds = tuple(_fold(data, day, each, seed) for day, each in tried.items())
    return judged(folds, seed) if folds else NOT_TESTED


def _testable(data: ContractData, day: int) -> bool:
    return enough(data.table.churned[data.known_at(day)]) and enough(data.table.churned[_judging(data, day)])


def _judging(data: ContractData, day: int) -> Flags:
    there: Flags = (data.day == day) & ~np.isnan(data.table.churned)
    return there


def _fold(data: ContractData, day: int, recipe: FlatRecipe, seed: int) -> Fold:
    part = data.part(_judging(data, day))
    scorer = fit_contracts(data, day, recipe, seed)
    known = data.part(data.known_at(day))
    # Rivals of churn: what customers bring is forecast for them as the procedure does it.
    rivals = {kind.name: replace(scorer, churn=alone(kind, known, recipe, seed)) for kind in rival_kinds(known)}
    return Fold(
        as_of=day_date(day),
        customer_id=part.customer_id,
        matrix=part.matrix,
        churned=part.churned == 1,
        value=part.value,
        predictions=scorer.predict(part.matrix),
        rivals={name: rival.predict(part.matrix) for name, rival in rivals.items()},
        campaign=data.table.campaign,
    )


def later_loss(data: ContractData, seed: int) -> Callable[[FlatRecipe], float] | None:
    """The log loss of a recipe's trees on dates after those that they learned from; None where the history has none to spare.

    Only labels that end before the newest backtest date are seen.
    """
    ends = study_ends(day_number(data.as_of), data.table.horizon_days)
    cuts = cut_days(data.labelled_days, ends, data.table.horizon_days, 1)
    if not cuts or not enough(data.table.churned[data.known_at(cuts[0])]):
        return None
    learn, judge = data.part(data.known_at(cuts[0])), data.part(data.known_at(ends) & (data.day >= cuts[0]))
    if not enough(judge.churned):
        return None

    def loss_of(recipe: FlatRecipe) -> float:
        found = fitted((CHURN_TREES_ONCE,), learn, recipe, seed)[0][0].predict(judge.matrix)
        return float(log_losses(judge.churned == 1, probability_of(found)).mean())

    return loss_of


def _info(data: ContractData, day: int, family: str) -> ModelInfo:
    table = data.table
    ends = [each + table.horizon_days for each in data.labelled_days if each + table.horizon_days <= day]
    return ModelInfo(
        company=table.company,
        horizon_days=table.horizon_days,
        trained_as_of=day_date(day),
        labels_until=day_date(max(ends, default=day)),
        data_until=min(data.data_until, day_date(day)),
        feature_names=table.names,
        family=family,
        grade="none",
        backtest_dates=0,
        version="",
        tables=data.tables,
        decimals=table.decimals,
        edges={},
        zone=table.zone,
        attribution_days=data.attribution_days,
        churn="contracts",
    )

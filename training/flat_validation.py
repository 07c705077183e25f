"""How good the procedure for flat tables is: cross-validation by customer, several times over, against simple rivals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.arrays import Floats, probability_of
from training.backtest import Backtest, Fold, graded
from training.flat_data import FlatData
from training.flat_fitting import (
    FOLDS,
    amount_blend,
    amount_kinds,
    calibrated,
    churn_blend,
    churn_kinds,
    fitted,
    model,
    repeats,
    rival_kinds,
    rows,
    unseen_forecasts,
)
from training.flat_model import FlatModel, FlatScorer, Worth, forecast
from training.flat_recipe import FlatRecipe
from training.gate import log_losses
from training.metrics import METRICS, Interval, interval, resampled_weights
from training.quantiles import fit_spread
from training.scorer import ModelInfo, Predictions
from training.stack import Blend
from training.weighted import Outcome, Weighted

RIVAL_METRICS = ("churn_auc", "churn_log_loss", "churn_calibration_error")
FAMILY = "ensemble"
ALONE = Blend((1.0,), 0.0)
"""A rival's forecast counts as it comes."""

MONEY = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")
NO_MATRIX = np.empty((0, 0))
"""The customers' features are in the data: a fold of several validations would hold them several times."""


@dataclass(frozen=True)
class Unseen:
    """Forecasts of customers by fits that have not seen them: a row a customer and cross-validation, one after another.

    `churn` and `amount` are those of each kind of learner (rows, kinds), log-odds and logarithms; `log_odds` is the calibrated
    blend (rows,), `rivals` the log-odds (rows,) of each simple rival. `amount` is None where labels have no values.
    """

    churn: Floats
    log_odds: Floats
    rivals: Mapping[str, Floats]
    amount: Floats | None


def unseen(data: FlatData, recipe: FlatRecipe, seed: int) -> Unseen:
    """Forecast every customer `repeats` times, each time with other folds, by fits to the customers of the other folds."""
    parts = [_one_validation(data, recipe, 1_000 * seed + each) for each in range(repeats(data))]
    return Unseen(
        churn=np.concatenate([part.churn for part in parts]),
        log_odds=np.concatenate([part.log_odds for part in parts]),
        rivals={name: np.concatenate([part.rivals[name] for part in parts]) for name in parts[0].rivals},
        amount=np.concatenate([part.amount for part in parts if part.amount is not None]) if data.has_values else None,
    )


def _one_validation(data: FlatData, recipe: FlatRecipe, seed: int) -> Unseen:
    fold, everyone = data.folds(FOLDS, seed), np.ones(len(data), dtype=bool)
    churn = unseen_forecasts(churn_kinds(data), data, everyone, recipe, fold, seed=seed)
    rivals = unseen_forecasts(rival_kinds(data), data, everyone, recipe, fold, seed=seed)
    amount = unseen_forecasts(amount_kinds(data), data, data.paid, recipe, fold, seed=seed) if data.has_values else None
    named = dict(zip((kind.name for kind in rival_kinds(data)), rivals.T, strict=True))
    return Unseen(churn, calibrated(churn, data.churned, fold, recipe), named, amount)


def fit_flat(data: FlatData, found: Unseen, recipe: FlatRecipe, seed: int) -> FlatScorer:
    """The procedure's scorer: learners fitted to all customers, blended as their forecasts of unseen ones deserve."""
    blend = churn_blend(found.churn, _each_time(data.churned, found), recipe)
    churn = model(fitted(churn_kinds(data), data, recipe, seed), blend)
    return _scorer(data, found, FAMILY, churn, recipe, seed=seed)


def fit_flat_rival(data: FlatData, found: Unseen, name: str, recipe: FlatRecipe, seed: int) -> FlatScorer:
    """The scorer of a simple rival of churn; what customers bring is forecast as the procedure does it."""
    kind = next(kind for kind in rival_kinds(data) if kind.name == name)
    return _scorer(data, found, name, model(fitted((kind,), data, recipe, seed), ALONE), recipe, seed=seed)


def _scorer(data: FlatData, found: Unseen, family: str, churn: FlatModel, recipe: FlatRecipe, *, seed: int) -> FlatScorer:
    info, amount = _info(data, family), None
    if found.amount is not None:
        fits = fitted(amount_kinds(data), rows(data, data.paid), recipe, seed)
        amount = model(fits, _amount_blend(data, found, recipe))
    log_odds = found.rivals.get(family, found.log_odds)
    return FlatScorer(info, recipe, churn, amount, _worth(data, found, log_odds, recipe))


def predictions(data: FlatData, found: Unseen, recipe: FlatRecipe, rival: str = "") -> Predictions:
    """What was forecast of unseen customers (rows,), by the procedure or by a rival of its churn."""
    log_odds = found.rivals[rival] if rival else found.log_odds
    log_amount = None if found.amount is None else _amount_blend(data, found, recipe).combine(found.amount)
    return forecast(log_odds, log_amount, _worth(data, found, log_odds, recipe))


def _amount_blend(data: FlatData, found: Unseen, recipe: FlatRecipe) -> Blend:
    assert found.amount is not None
    paid = _each_time(data.paid, found)
    return amount_blend(found.amount[paid], _each_time(data.value, found)[paid], recipe)


def _worth(data: FlatData, found: Unseen, log_odds: Floats, recipe: FlatRecipe) -> Worth | None:
    """How the amounts of unseen customers spread, and how much of them leavers still brought."""
    if found.amount is None:
        return None
    value, churned = _each_time(data.value, found), _each_time(data.churned, found)
    amount = np.exp(_amount_blend(data, found, recipe).combine(found.amount))
    known = ~np.isnan(value)
    left = known & (churned == 1)
    share = float(np.clip(np.maximum(value[left], 0).sum() / amount[left].sum(), 0, 1)) if left.any() else 0.0
    return Worth(fit_spread(1 - probability_of(log_odds[known]), amount[known], value[known], churned[known]), share)


def _each_time(column: NDArray[Any], found: Unseen) -> NDArray[Any]:
    """A column (n,) beside the rows of `found`: once for each validation."""
    return np.tile(column, len(found.log_odds) // len(column))


def validated(data: FlatData, found: Unseen, recipe: FlatRecipe, seed: int) -> Backtest:
    """Figures, gains over the rivals and the grade, in the form of a backtest with one fold: the customers, unseen.

    A gain is the share of the rival's log loss that the procedure saves. Intervals are over customers, whose forecasts by several
    validations stay together.
    """
    churned, ours = _each_time(data.churned, found) == 1, predictions(data, found, recipe)
    rivals = {name: predictions(data, found, recipe, name) for name in found.rivals}
    resamples = resampled_weights(_each_time(np.arange(len(data)), found), seed)
    losses = {name: log_losses(churned, rival.churn_probability) for name, rival in rivals.items()}
    gains = {
        name: interval(_saved(log_losses(churned, ours.churn_probability), loss), resamples) for name, loss in losses.items()
    }
    grade, champion = graded(gains, gains)
    value = _each_time(data.value, found)
    return Backtest(
        folds=(Fold(data.as_of, _each_time(data.customer_id, found), NO_MATRIX, churned, value, ours, rivals),),
        figures=_figures(Outcome(churned, value), ours, resamples),
        rival_figures={
            name: {metric: interval(METRICS[metric](Outcome(churned, value), rival), resamples) for metric in RIVAL_METRICS}
            for name, rival in rivals.items()
        },
        gains=gains,
        grade=grade,
        champion=champion,
    )


def _figures(outcome: Outcome, forecast: Predictions, resamples: Floats) -> dict[str, Interval]:
    """Every figure of churn; those of the value over the customers who have one."""
    told = {name: metric for name, metric in METRICS.items() if name.startswith("churn_")}
    figures = {name: interval(metric(outcome, forecast), resamples) for name, metric in told.items()}
    known = ~np.isnan(outcome.value) & ~np.isnan(forecast.expected_value)
    if not known.any():
        return figures
    of_known = Outcome(outcome.churned[known], outcome.value[known])
    parts = {name: getattr(forecast, name)[known] for name in MONEY}
    part = replace(forecast, **parts)
    rest = {name: metric for name, metric in METRICS.items() if name not in told}
    return figures | {name: interval(metric(of_known, part), resamples[:, known]) for name, metric in rest.items()}


def _saved(mine: Floats, theirs: Floats) -> Weighted:
    return lambda weights: float(1 - (weights @ mine) / (weights @ theirs))


def _info(data: FlatData, family: str) -> ModelInfo:
    return ModelInfo(
        company=data.company,
        horizon_days=data.horizon_days,
        trained_as_of=data.as_of + timedelta(days=1),  # a label counts after the date that it looks ahead from
        labels_until=data.as_of,
        data_until=data.as_of,
        feature_names=data.names,
        family=family,
        grade="none",
        backtest_dates=0,
        version="",
        tables=("customers", "labels"),
        decimals=data.decimals,
        edges={},
        zone=data.zone,
        churn="labels",
    )

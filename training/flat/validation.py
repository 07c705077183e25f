"""How good the procedure for flat tables is: cross-validation by customer, several times over, against simple rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.campaign import DEFAULT_CAMPAIGN, Campaign
from training.arrays import Flags, Floats, probability_of
from training.evaluation.backtest import Backtest, Fold, graded
from training.flat.data import FlatData
from training.flat.fitting import (
    FOLDS,
    Kind,
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
from training.flat.model import FlatModel, FlatScorer, Worth, forecast
from training.flat.recipe import FlatRecipe
from training.gate import log_losses
from training.members.stack import Blend
from training.metrics.intervals import METRICS, Interval, interval, resampled_weights
from training.metrics.weighted import Outcome, Weighted
from training.quantiles import fit_spread
from training.scorer import ModelInfo, Predictions
from training.scorer import in_a_row as all_rows

RIVAL_METRICS = ("churn_auc", "churn_log_loss", "churn_calibration_error")
FAMILY = "ensemble"
ALONE = Blend((1.0,), 0.0)
"""A rival's forecast counts as it comes."""

MONEY = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")
NO_MATRIX = np.empty((0, 0))
"""The customers' features are in the data: a fold of several validations would hold them several times."""


@dataclass(frozen=True)
class Unseen:
    """Forecasts of customers by fits that have not seen them, and what came: one row (rows,) for each forecast.

    `churn` and `amount` are those of each kind of learner (rows, kinds), log-odds and logarithms; `log_odds` is the calibrated
    blend (rows,), `rivals` the log-odds (rows,) of each simple rival. `amount` is None where there are no values, and NaN in the
    rows of fits that had none to learn from.
    """

    customer_id: NDArray[Any]
    churned: Floats
    value: Floats
    churn: Floats
    log_odds: Floats
    rivals: Mapping[str, Floats]
    amount: Floats | None

    @property
    def paid(self) -> Flags:
        """Who (rows,) stayed, and has a value that was forecast."""
        stayed: Flags = (self.churned == 0) & ~np.isnan(self.value)
        return stayed if self.amount is None else stayed & ~np.isnan(self.amount).any(axis=1)


def in_a_row(parts: Sequence[Unseen]) -> Unseen:
    """The rows of all parts, one after another."""
    columns = ("customer_id", "churned", "value", "churn", "log_odds")
    return Unseen(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns},
        rivals={name: np.concatenate([part.rivals[name] for part in parts]) for name in parts[0].rivals},
        amount=_amounts(parts),
    )


def _amounts(parts: Sequence[Unseen]) -> Floats | None:
    """The forecasts of amounts of all parts, one after another."""
    told = [part.amount for part in parts if part.amount is not None]
    if not told:
        return None
    nothing = np.full(told[0].shape[1], np.nan)
    rows_of = (np.tile(nothing, (len(part.churned), 1)) if part.amount is None else part.amount for part in parts)
    return np.concatenate(list(rows_of))


def unseen(data: FlatData, recipe: FlatRecipe, seed: int) -> Unseen:
    """Forecast every customer `repeats` times, each time with other folds, by fits to the customers of the other folds."""
    return in_a_row([_one_validation(data, recipe, 1_000 * seed + each) for each in range(repeats(data))])


def _one_validation(data: FlatData, recipe: FlatRecipe, seed: int) -> Unseen:
    fold, everyone = data.folds(FOLDS, seed), np.ones(len(data), dtype=bool)
    churn = unseen_forecasts(churn_kinds(data), data, everyone, recipe, fold, seed=seed)
    rivals = unseen_forecasts(rival_kinds(data), data, everyone, recipe, fold, seed=seed)
    return Unseen(
        customer_id=data.customer_id,
        churned=data.churned,
        value=data.value,
        churn=churn,
        log_odds=calibrated(churn, data.churned, fold, recipe),
        rivals=dict(zip((kind.name for kind in rival_kinds(data)), rivals.T, strict=True)),
        amount=unseen_forecasts(amount_kinds(data), data, data.paid, recipe, fold, seed=seed) if data.has_values else None,
    )


def fit_flat(data: FlatData, found: Unseen, recipe: FlatRecipe, info: ModelInfo, *, seed: int, rival: str = "") -> FlatScorer:
    """A scorer whose learners are fitted to all of `data`, blended as their forecasts of unseen customers deserve.

    With `rival`, the churn is that simple rival's, as it comes.
    """
    if rival:
        churn = alone(next(kind for kind in rival_kinds(data) if kind.name == rival), data, recipe, seed)
    else:
        blend = churn_blend(found.churn, found.churned, recipe)
        churn = model(fitted(churn_kinds(data), data, recipe, seed), blend)
    amount = None
    if found.amount is not None:
        fits = fitted(amount_kinds(data), rows(data, data.paid), recipe, seed)
        amount = model(fits, _amount_blend(found, found.amount, recipe))
    return FlatScorer(info, recipe, churn, amount, _worth(found, found.rivals.get(rival, found.log_odds), recipe))


def alone(kind: Kind, data: FlatData, recipe: FlatRecipe, seed: int) -> FlatModel:
    """One kind of learner as it comes: nothing blended, nothing calibrated."""
    return model(fitted((kind,), data, recipe, seed), ALONE)


def predictions(found: Unseen, recipe: FlatRecipe, rival: str = "") -> Predictions:
    """What was forecast of unseen customers (rows,), by the procedure or by a rival of its churn."""
    log_odds = found.rivals[rival] if rival else found.log_odds
    log_amount = None if found.amount is None else _amount_blend(found, found.amount, recipe).combine(found.amount)
    return forecast(log_odds, log_amount, _worth(found, log_odds, recipe))


def _amount_blend(found: Unseen, amount: Floats, recipe: FlatRecipe) -> Blend:
    return amount_blend(amount[found.paid], found.value[found.paid], recipe)


def _worth(found: Unseen, log_odds: Floats, recipe: FlatRecipe) -> Worth | None:
    """How the amounts of unseen customers spread, and how much of them leavers still brought."""
    if found.amount is None:
        return None
    amount = np.exp(_amount_blend(found, found.amount, recipe).combine(found.amount))
    known = ~np.isnan(found.value) & ~np.isnan(amount)
    left = known & (found.churned == 1)
    share = float(np.clip(np.maximum(found.value[left], 0).sum() / amount[left].sum(), 0, 1)) if left.any() else 0.0
    spread = fit_spread(1 - probability_of(log_odds[known]), amount[known], found.value[known], found.churned[known])
    return Worth(spread, share)


def fold_of(found: Unseen, as_of: date, recipe: FlatRecipe, campaign: Campaign = DEFAULT_CAMPAIGN) -> Fold:
    """Unseen customers as a fold of a backtest."""
    return Fold(
        as_of=as_of,
        customer_id=found.customer_id,
        matrix=NO_MATRIX,
        churned=found.churned == 1,
        value=found.value,
        predictions=predictions(found, recipe),
        rivals={name: predictions(found, recipe, name) for name in found.rivals},
        campaign=campaign,
    )


def judged(folds: tuple[Fold, ...], seed: int) -> Backtest:
    """Figures, gains over the rivals and the grade; the rows of one customer stay together in every resample.

    A gain is the share of the rival's log loss that the procedure saves. A rival replaces the procedure where it is surely
    better over all folds, and in the first.
    """
    churned, value = (np.concatenate([getattr(fold, name) for fold in folds]) for name in ("churned", "value"))
    outcome = Outcome(churned, value, campaign=folds[0].campaign)
    ours, resamples = all_rows([fold.predictions for fold in folds]), _resamples(folds, seed)
    rivals = {name: all_rows([fold.rivals[name] for fold in folds]) for name in folds[0].rivals}
    gains = _gains(folds, resamples)
    grade, champion = graded(gains, _gains(folds[:1], _resamples(folds[:1], seed)))
    return Backtest(
        folds=folds,
        figures=_figures(outcome, ours, resamples),
        rival_figures={
            name: {metric: interval(METRICS[metric](outcome, rival), resamples) for metric in RIVAL_METRICS}
            for name, rival in rivals.items()
        },
        gains=gains,
        grade=grade,
        champion=champion,
    )


def _resamples(folds: Sequence[Fold], seed: int) -> Floats:
    _, customer = np.unique(np.concatenate([fold.customer_id for fold in folds]), return_inverse=True)
    return resampled_weights(customer, seed)


def _gains(folds: Sequence[Fold], resamples: Floats) -> dict[str, Interval]:
    churned = np.concatenate([fold.churned for fold in folds])
    ours = log_losses(churned, np.concatenate([fold.predictions.churn_probability for fold in folds]))
    gains = {}
    for name in folds[0].rivals:
        theirs = log_losses(churned, np.concatenate([fold.rivals[name].churn_probability for fold in folds]))
        gains[name] = interval(_saved(ours, theirs), resamples)
    return gains


def _figures(outcome: Outcome, forecast: Predictions, resamples: Floats) -> dict[str, Interval]:
    """Every figure of churn; those of the value over the customers who have one."""
    told = {name: metric for name, metric in METRICS.items() if name.startswith("churn_")}
    figures = {name: interval(metric(outcome, forecast), resamples) for name, metric in told.items()}
    known = ~np.isnan(outcome.value) & ~np.isnan(forecast.expected_value)
    if not known.any():
        return figures
    of_known = Outcome(outcome.churned[known], outcome.value[known], campaign=outcome.campaign)
    parts = {name: getattr(forecast, name)[known] for name in MONEY}
    part = replace(forecast, **parts)
    rest = {name: metric for name, metric in METRICS.items() if name not in told}
    return figures | {name: interval(metric(of_known, part), resamples[:, known]) for name, metric in rest.items()}


def _saved(mine: Floats, theirs: Floats) -> Weighted:
    return lambda weights: float(1 - (weights @ mine) / (weights @ theirs))


def label_info(data: FlatData, family: str) -> ModelInfo:
    """What a reader must know of a model of a flat table."""
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

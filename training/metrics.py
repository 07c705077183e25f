"""Figures of a forecast, each with an interval over customers.

Names carry direction: `*_loss`, `*_error` and `value_mae` are better when lower, `*_auc`, `*_gini`, `*_precision` and
`*_correlation` when higher, `*_ratio` and `*_share` when nearer to what they promise.

A metric takes what came and what was forecast and gives a function of weights (n,): rows are sorted once, and every bootstrap
resample is only another set of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from training.arrays import Flags, Floats
from training.scorer import Predictions

RESAMPLES = 200
CONFIDENCE = 0.9
BINS = 10

Weighted = Callable[[Floats], float]


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds that hold it with 90 % confidence, by bootstrap over customers."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Outcome:
    """What came, one row a customer and date: `churned`, and `value` in currency units."""

    churned: Flags
    value: Floats


def churn_auc(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The chance that a customer who left was held more likely to leave than one who stayed; ties count half; 0.5 is a guess."""
    levels = rankdata(forecast.churn_probability, method="dense") - 1
    size = int(levels.max()) + 1

    def of(weights: Floats) -> float:
        left = np.bincount(levels, weights * outcome.churned, size)
        stayed = np.bincount(levels, weights * ~outcome.churned, size)
        below = np.cumsum(stayed) - stayed / 2
        return _share(float(left @ below), left.sum() * stayed.sum())

    return of


def churn_average_precision(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean, over those who left, of the share of leavers among customers held at least as likely to leave."""
    levels = rankdata(-forecast.churn_probability, method="dense") - 1
    size = int(levels.max()) + 1

    def of(weights: Floats) -> float:
        left = np.bincount(levels, weights * outcome.churned, size)
        seen = np.cumsum(np.bincount(levels, weights, size))
        return _share(float(left @ (np.cumsum(left) / np.maximum(seen, 1e-12))), left.sum())

    return of


def churn_log_loss(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean natural-log loss of the churn probability."""
    p = forecast.churn_probability
    return _mean_of(-np.where(outcome.churned, np.log(p), np.log1p(-p)))


def churn_brier_loss(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean squared error of the churn probability."""
    return _mean_of((outcome.churned - forecast.churn_probability) ** 2)


def churn_calibration_error(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean gap of forecast and observed churn in ten groups of equal size."""
    p = forecast.churn_probability
    order = np.argsort(p, kind="stable")
    group = np.empty(len(p), dtype=np.int64)
    group[order] = np.arange(len(p)) * BINS // len(p)
    gaps = outcome.churned - p

    def of(weights: Floats) -> float:
        return _share(np.abs(np.bincount(group, weights * gaps, BINS)).sum(), weights.sum())

    return of


def value_rank_correlation(outcome: Outcome, forecast: Predictions) -> Weighted:
    """Spearman's correlation of expected and actual value; ties take their mean rank."""
    a, b = rankdata(outcome.value), rankdata(forecast.expected_value)

    def of(weights: Floats) -> float:
        total = weights.sum()
        x, y = a - weights @ a / total, b - weights @ b / total
        return _share(float(weights @ (x * y)), float(np.sqrt((weights @ x**2) * (weights @ y**2))))

    return of


def value_gini(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The gain curve of the expected value against that of a perfect order; refunds count as 0; 1 is perfect, 0 a guess."""
    value = np.maximum(outcome.value, 0)
    by_forecast, by_value = (np.argsort(-each, kind="stable") for each in (forecast.expected_value, value))

    def of(weights: Floats) -> float:
        return _share(_gain_area(value, weights, by_forecast), _gain_area(value, weights, by_value))

    return of


def value_mae(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean absolute error of the expected value, in currency units."""
    return _mean_of(np.abs(outcome.value - forecast.expected_value))


def value_rmse(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The root of the mean squared error of the expected value, in currency units."""
    squared = _mean_of((outcome.value - forecast.expected_value) ** 2)
    return lambda weights: float(np.sqrt(squared(weights)))


def value_total_ratio(outcome: Outcome, forecast: Predictions) -> Weighted:
    """All expected value over all value that came: 1 promises neither too much nor too little."""
    return lambda weights: _share(float(weights @ forecast.expected_value), float(weights @ outcome.value))


def value_above_high_share(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The share of customers above `value_high`: at most one tenth is promised."""
    return _mean_of((outcome.value > forecast.value_high).astype(float))


def value_below_low_share(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The share of customers below `value_low`: at most one tenth is promised."""
    return _mean_of((outcome.value < forecast.value_low).astype(float))


METRICS: Mapping[str, Callable[[Outcome, Predictions], Weighted]] = {
    metric.__name__: metric
    for metric in (
        churn_auc,
        churn_average_precision,
        churn_log_loss,
        churn_brier_loss,
        churn_calibration_error,
        value_rank_correlation,
        value_gini,
        value_mae,
        value_rmse,
        value_total_ratio,
        value_above_high_share,
        value_below_low_share,
    )
}


def resampled_weights(customer: NDArray[np.int64], seed: int) -> Floats:
    """Weights (RESAMPLES, n): whole customers are drawn with replacement, so that their rows at several dates stay together."""
    _, place = np.unique(customer, return_inverse=True)
    size = int(place.max()) + 1
    random = np.random.default_rng(seed)
    draws = (np.bincount(random.integers(0, size, size), minlength=size)[place] for _ in range(RESAMPLES))
    return np.array(list(draws), dtype=np.float64)


def interval(metric: Weighted, resamples: Floats) -> Interval:
    """The figure with all weights 1, and the bounds over the resamples."""
    figures = np.array([metric(weights) for weights in resamples])
    known = figures[~np.isnan(figures)]
    bounds = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    low, high = np.quantile(known, bounds) if len(known) else (np.nan, np.nan)
    return Interval(metric(np.ones(resamples.shape[1])), float(low), float(high))


def _mean_of(losses: Floats) -> Weighted:
    return lambda weights: float(weights @ losses / weights.sum())


def _gain_area(value: Floats, weights: Floats, order: NDArray[np.int64]) -> float:
    """The area between the gain curve in the given order and the diagonal."""
    w, v = weights[order], (weights * value)[order]
    if v.sum() <= 0:
        return float("nan")
    return float((w @ np.cumsum(v)) / (w.sum() * v.sum()) - 0.5)


def _share(part: float, whole: float) -> float:
    """The quotient, missing where there is nothing to divide by."""
    return float(part / whole) if whole else float("nan")

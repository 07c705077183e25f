"""Figures of a forecast, each with an interval over customers.

Names carry direction: `*_loss`, `*_error`, `value_mae` and `value_rmse` are better when lower, `*_auc`, `*_gini`, `*_precision`,
`*_correlation`, `*_lift`, `*_quality`, `*_captured`, `*_empc` and `*_profit` when higher, `*_ratio` and `*_share` when nearer to
what they promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.arrays import Floats
from training.metrics import churn as churn_metrics
from training.metrics import value as value_metrics
from training.metrics.weighted import Outcome, Weighted
from training.scorer import Predictions

RESAMPLES = 200
CONFIDENCE = 0.9

LOWER = ("_loss", "_error", "_mae", "_rmse")
HIGHER = ("_auc", "_gini", "_precision", "_correlation", "_lift", "_quality", "_captured", "_empc", "_profit")


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds that hold it with 90 % confidence, by bootstrap over customers."""

    value: float
    low: float
    high: float


METRICS: Mapping[str, Callable[[Outcome, Predictions], Weighted]] = {
    metric.__name__: metric
    for metric in (
        churn_metrics.churn_auc,
        churn_metrics.churn_average_precision,
        churn_metrics.churn_log_loss,
        churn_metrics.churn_brier_loss,
        churn_metrics.churn_calibration_error,
        churn_metrics.churn_top_decile_lift,
        churn_metrics.churn_lift_quality,
        churn_metrics.churn_empc,
        value_metrics.value_campaign_profit,
        value_metrics.value_rank_correlation,
        value_metrics.value_gini,
        value_metrics.value_top_decile_captured,
        value_metrics.value_decile_error,
        value_metrics.value_mae,
        value_metrics.value_rmse,
        value_metrics.value_total_ratio,
        value_metrics.value_above_high_share,
        value_metrics.value_above_high_worst_share,
        value_metrics.value_below_low_share,
        value_metrics.value_quantile_loss_ratio,
    )
}


def direction(metric: str) -> int:
    """1 where a higher figure is better, -1 where a lower one is, 0 where it is to be near to what it promises.

    >>> direction("churn_auc"), direction("churn_log_loss"), direction("value_total_ratio")
    (1, -1, 0)
    """
    return 1 if metric.endswith(HIGHER) else -1 if metric.endswith(LOWER) else 0


def resampled_weights(customer: NDArray[np.int64], seed: int) -> Floats:
    """Weights (RESAMPLES, n): whole customers are drawn with replacement, so that their rows at several dates stay together."""
    _, place = np.unique(customer, return_inverse=True)
    size = int(place.max()) + 1
    random = np.random.default_rng(seed)
    draws = (np.bincount(random.integers(0, size, size), minlength=size)[place] for _ in range(RESAMPLES))
    return np.array(list(draws), dtype=np.float64)


def interval(metric: Weighted, resamples: Floats) -> Interval:
    """The figure with all weights 1, and the bounds over the resamples."""
    return bounded(metric(np.ones(resamples.shape[1])), np.array([metric(weights) for weights in resamples]))


def bounded(value: float, resampled: Floats) -> Interval:
    """A figure with the bounds that most of its resampled values (k,) keep to; missing ones are left out."""
    known = resampled[~np.isnan(resampled)]
    bounds = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    low, high = np.quantile(known, bounds) if len(known) else (np.nan, np.nan)
    return Interval(value, float(low), float(high))

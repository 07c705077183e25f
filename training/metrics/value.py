"""How well the value was foretold: metrics of the expected value, each a function of weights (`training.metrics.weighted`)."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from training.arrays import Floats, Ints
from training.metrics.profit import campaign_gains, curve_by_level
from training.metrics.weighted import TENTHS, Outcome, Weighted, at_levels, falling, gathered, mean_of, share
from training.scorer import Predictions

QUANTILES = (0.1, 0.9)
"""What `value_low` and `value_high` are."""


def value_campaign_profit(outcome: Outcome, forecast: Predictions) -> Weighted:
    """What the best such campaign earns a customer by value at risk, in currency, when each is worth what they spent before.

    What a customer is worth is known before the forecast, so that none can talk it up; the mean customer is worth as much as
    every one is to `churn_empc`. Tied customers are contacted together.
    """
    levels = falling(forecast.churn_probability * forecast.value_if_active)
    worth = np.ones(len(outcome.churned)) if outcome.worth is None else outcome.worth
    gains = campaign_gains(outcome.churned, worth, outcome.campaign)
    return lambda weights: float(curve_by_level(gains, levels, weights)[1].max())


def value_rank_correlation(outcome: Outcome, forecast: Predictions) -> Weighted:
    """Spearman's correlation of expected and actual value; ties take their mean rank."""
    a, b = rankdata(outcome.value), rankdata(forecast.expected_value)

    def of(weights: Floats) -> float:
        total = weights.sum()
        x, y = a - weights @ a / total, b - weights @ b / total
        return share(float(weights @ (x * y)), float(np.sqrt((weights @ x**2) * (weights @ y**2))))

    return of


def value_gini(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The gain curve of the expected value against that of a perfect order; refunds count as 0; 1 is perfect, 0 a guess."""
    value = np.maximum(outcome.value, 0)
    by_forecast, by_value = falling(forecast.expected_value), falling(value)
    return lambda weights: share(*(_gain_area(levels, value, weights) for levels in (by_forecast, by_value)))


def value_top_decile_captured(outcome: Outcome, forecast: Predictions) -> Weighted:
    """What the tenth with the highest expected value brought, as a share of what the best tenth brought; refunds count as 0."""
    value = np.maximum(outcome.value, 0)
    by_forecast, by_value = falling(forecast.expected_value), falling(value)
    return lambda weights: share(*(float(gathered(levels, value, weights, TENTHS)[1]) for levels in (by_forecast, by_value)))


def value_decile_error(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean share by which the total of a tenth of the customers, by expected value, was missed.

    The decile-level MAPE of Wang, Liu and Miao, "A deep probabilistic model for customer lifetime value prediction" (2019).
    A tenth that brought nothing has no such share and is left out.
    """
    levels = falling(forecast.expected_value)

    def of(weights: Floats) -> float:
        came, said = (np.diff(gathered(levels, each, weights, TENTHS)) for each in (outcome.value, forecast.expected_value))
        paid = came > 0
        return float(np.mean(np.abs(said - came)[paid] / came[paid])) if paid.any() else float("nan")

    return of


def value_mae(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean absolute error of the expected value, in currency units."""
    return mean_of(np.abs(outcome.value - forecast.expected_value))


def value_rmse(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The root of the mean squared error of the expected value, in currency units."""
    squared = mean_of((outcome.value - forecast.expected_value) ** 2)
    return lambda weights: float(np.sqrt(squared(weights)))


def value_total_ratio(outcome: Outcome, forecast: Predictions) -> Weighted:
    """All expected value over all value that came: 1 promises neither too much nor too little."""
    return lambda weights: share(float(weights @ forecast.expected_value), float(weights @ outcome.value))


def value_above_high_share(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The share of customers above `value_high`: at most one tenth is promised."""
    return mean_of((outcome.value > forecast.value_high).astype(float))


def value_below_low_share(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The share of customers below `value_low`: at most one tenth is promised."""
    return mean_of((outcome.value < forecast.value_low).astype(float))


def value_above_high_worst_share(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The largest share of customers above `value_high` in a tenth of them by expected value; at most 0.18 is wanted."""
    tenth = np.empty(len(outcome.value), dtype=np.int64)
    tenth[np.argsort(forecast.expected_value, kind="stable")] = np.arange(len(tenth)) * 10 // len(tenth)
    above = outcome.value > forecast.value_high

    def of(weights: Floats) -> float:
        sizes, beyond = (np.bincount(tenth, each, 10) for each in (weights, weights * above))
        return float((beyond / np.maximum(sizes, 1e-12)).max())

    return of


def value_quantile_loss_ratio(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The pinball loss of `value_low` and `value_high` over that of earlier spend's own quantiles; below 1 is better.

    Missing where nothing is known of earlier spend.
    """
    worth = outcome.worth if outcome.worth is not None else np.full(len(outcome.value), np.nan)
    low, high = (np.full(len(worth), np.quantile(worth, level)) for level in QUANTILES)
    ours = _pinball_losses(outcome.value, forecast.value_low, forecast.value_high)
    plain = _pinball_losses(outcome.value, low, high)
    return lambda weights: share(float(weights @ ours), float(weights @ plain))


def _pinball_losses(value: Floats, *quantiles: Floats) -> Floats:
    """What each customer (n,) costs who is not at the QUANTILES: a unit above one costs its level, a unit below it the rest."""
    gaps = (value - quantile for quantile in quantiles)
    return np.asarray(sum(np.maximum(level * gap, (level - 1) * gap) for level, gap in zip(QUANTILES, gaps, strict=True)))


def _gain_area(levels: Ints, value: Floats, weights: Floats) -> float:
    """The area between the gain curve by falling levels and the diagonal, as a share of all value; 0 without any."""
    seen, found = (np.append(0.0, np.cumsum(at_levels(levels, each))) for each in (weights, weights * value))
    return float(np.trapezoid(found, seen) / (seen[-1] * found[-1]) - 0.5) if found[-1] > 0 else 0.0

"""How well churn was foretold: metrics of the churn probability, each a function of weights (`training.metrics.weighted`)."""

from __future__ import annotations

import numpy as np

from training.arrays import Floats
from training.metrics.profit import contacts_by_level, expected_maximum_profit
from training.metrics.weighted import TENTHS, Outcome, Weighted, at_levels, falling, gathered, mean_of, share
from training.scorer import Predictions


def churn_auc(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The chance that a customer who left was held more likely to leave than one who stayed; ties count half; 0.5 is a guess."""
    levels = falling(forecast.churn_probability)

    def of(weights: Floats) -> float:
        left, stayed = (at_levels(levels, weights * each) for each in (outcome.churned, ~outcome.churned))
        below = stayed.sum() - np.cumsum(stayed) + stayed / 2
        return share(float(left @ below), left.sum() * stayed.sum())

    return of


def churn_average_precision(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean, over those who left, of the share of leavers among customers held at least as likely to leave."""
    levels = falling(forecast.churn_probability)

    def of(weights: Floats) -> float:
        left, seen = at_levels(levels, weights * outcome.churned), np.cumsum(at_levels(levels, weights))
        return share(float(left @ (np.cumsum(left) / np.maximum(seen, 1e-12))), left.sum())

    return of


def churn_log_loss(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean natural-log loss of the churn probability."""
    p = forecast.churn_probability
    return mean_of(-np.where(outcome.churned, np.log(p), np.log1p(-p)))


def churn_brier_loss(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean squared error of the churn probability."""
    return mean_of((outcome.churned - forecast.churn_probability) ** 2)


def churn_calibration_error(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean gap of forecast and observed churn in ten groups of equal size."""
    levels, gaps = falling(forecast.churn_probability), outcome.churned - forecast.churn_probability
    return lambda weights: share(np.abs(np.diff(gathered(levels, gaps, weights, TENTHS))).sum(), weights.sum())


def churn_top_decile_lift(outcome: Outcome, forecast: Predictions) -> Weighted:
    """How many times as often the riskiest tenth of the customers left as all did; 1 is a guess.

    Neslin et al., "Defection detection", Journal of Marketing Research 43 (2006). Ties count in part.
    """
    levels, left = falling(forecast.churn_probability), outcome.churned.astype(float)
    return lambda weights: share(float(gathered(levels, left, weights, TENTHS)[1]), 0.1 * float(weights @ left))


def churn_lift_quality(outcome: Outcome, forecast: Predictions) -> Weighted:
    """The mean lift over the riskiest 1 %, 2 %, ... of the customers, beyond a guess's; 1 is a perfect order, 0 a guess.

    After Rosset et al., "Evaluation of prediction models for marketing campaigns", KDD 2001. The first customers count most.
    """
    levels, depths, left = falling(forecast.churn_probability), np.arange(1, 101) / 100, outcome.churned.astype(float)

    def of(weights: Floats) -> float:
        total, all_left = weights.sum(), weights @ left
        found, most = gathered(levels, left, weights, depths), np.minimum(depths * total, all_left)
        beyond, best = (float((each / depths).mean()) - all_left for each in (found, most))
        return share(beyond, best)

    return of


def churn_empc(outcome: Outcome, forecast: Predictions) -> Weighted:
    """What a retention campaign earns a customer by this order, in currency: EMPC, each worth the same (docs/training)."""
    levels = falling(forecast.churn_probability)

    def of(weights: Floats) -> float:
        left, stayed = (at_levels(levels, weights * each) for each in (outcome.churned, ~outcome.churned))
        return expected_maximum_profit(contacts_by_level(left, stayed), outcome.campaign).profit

    return of

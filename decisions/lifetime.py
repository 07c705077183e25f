"""Lifetime value from the models: what a customer is expected to bring while they last, discounted."""

from __future__ import annotations

import numpy as np

from decisions.columns import Floats


def geometric_sum(factor: Floats, periods: Floats) -> Floats:
    """`1 + factor + factor**2 + ...` over `periods` terms, the last one in part where `periods` is no whole number.

    `factor` lies in [0, 1]; missing stays missing.

    >>> geometric_sum(np.array([1.0, 0.5]), np.array([2.5, 2.0]))
    array([2.5, 1.5])
    """
    whole = np.floor(periods)
    below_one = np.where(factor < 1, factor, 0.0)
    full = np.where(factor < 1, (1 - below_one**whole) / (1 - below_one), whole)
    total: Floats = full + (periods - whole) * factor**whole
    return np.where(np.isnan(factor), np.nan, total)


def horizon_discount(yearly_rate: float, horizon_days: Floats) -> Floats:
    """What one unit of money a horizon from now is worth today.

    >>> horizon_discount(0.1, np.array([365.0])).round(4)
    array([0.9091])
    """
    discount: Floats = (1 + yearly_rate) ** (-horizon_days / 365)
    return discount


def lifetime_value(
    churn_probability: Floats, expected_value: Floats, horizon_days: Floats, *, yearly_rate: float, years: float
) -> Floats:
    """Expected value of the next `years` years: each horizon brings `expected_value` to those who are still there.

    The customer is there in the k-th horizon with probability `(1 - churn_probability) ** (k - 1)` (the first one is already in
    the expected value), and each horizon is paid at its end. At no churn and no discount it is the number of horizons times
    `expected_value`. The churn of the next horizon stands for all later ones: that is the assumption of the geometric model.
    """
    discount = horizon_discount(yearly_rate, horizon_days)
    return expected_value * discount * geometric_sum((1 - churn_probability) * discount, 365 * years / horizon_days)

"""What if: the value of all customers under other terms than today's, one lever at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from decisions.columns import Floats
from decisions.lifetimes.lifetime import lifetime_value
from keepwell.errors import ConfigError


@dataclass(frozen=True)
class Terms:
    """What the value of a customer depends on beside the predictions.

    `retention`: points taken off the churn probability of a horizon; `income`: by which share a customer's spend rises; `margin`:
    the share of spend that is left after what was sold; `discount_rate`: a year; `years`: how far to look; `referral_rate`: the
    income that referred customers bring, as a share of the referrer's; `keep_cost`: a year, while the customer is there;
    `marketing_cost`: once, now.
    """

    retention: float = 0.0
    income: float = 0.0
    margin: float = 1.0
    discount_rate: float = 0.1
    years: float = 3.0
    referral_rate: float = 0.0
    keep_cost: float = 0.0
    marketing_cost: float = 0.0


BOUNDS: Mapping[str, tuple[float, float]] = {
    "retention": (-1.0, 1.0),
    "income": (-1.0, 100.0),
    "margin": (0.0, 1.0),
    "discount_rate": (0.0, 1.0),
    "years": (0.01, 50.0),
    "referral_rate": (0.0, 10.0),
    "keep_cost": (0.0, 1e12),
    "marketing_cost": (0.0, 1e12),
}
"""The lowest and the highest value of each lever."""


def customer_value(
    churn_probability: Floats, expected_value: Floats, value_at_risk: Floats, horizon_days: Floats, terms: Terms
) -> Floats:
    """The lifetime value of each customer under these terms, shape (n,).

    Who is kept spends what an active customer spends: `value_at_risk` is the churn probability times that. With the default
    terms, and the rate and years of the policy, it is the lifetime value of the scores.
    """
    churn = np.clip(churn_probability - terms.retention, 0.0, 1.0)
    active_value = np.where(
        churn_probability > 0, value_at_risk / np.where(churn_probability > 0, churn_probability, 1.0), expected_value
    )
    spend = (expected_value + (churn_probability - churn) * active_value) * (1 + terms.income)
    net = spend * terms.margin * (1 + terms.referral_rate) - terms.keep_cost * horizon_days / 365
    value = lifetime_value(churn, net, horizon_days, yearly_rate=terms.discount_rate, years=terms.years)
    return value - terms.marketing_cost


def changed(terms: Terms, lever: str, value: float) -> Terms:
    """The terms with one lever set to `value`. Raises ConfigError for an unknown lever and a value out of its bounds."""
    if lever not in BOUNDS:
        raise ConfigError(f"there is no lever {lever!r}", hint=f"choose among {', '.join(BOUNDS)}")
    low, high = BOUNDS[lever]
    if not low <= value <= high:
        raise ConfigError(f"{lever} must lie between {low:g} and {high:g}, found {value:g}", hint="choose another value")
    return replace(terms, **{lever: value})

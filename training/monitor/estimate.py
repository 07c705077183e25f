"""How good the scores must be if they mean what they say: performance before any label has come.

A calibrated probability tells how often it will be wrong, so a figure can be expected over the labels that are still to come
(confidence-based performance estimation). It sees a change of customers; it cannot see that customers of the same kind have
begun to behave otherwise, which only labels show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from features.campaign import DEFAULT_CAMPAIGN, Campaign
from training.arrays import Floats
from training.metrics.intervals import Interval
from training.metrics.profit import campaign_gains, contacts_by_level, expected_maximum_profit, profit_curve
from training.metrics.weighted import at_levels, falling

DRAWS = 400
LEVELS = 2_000
"""Customers of like probability are drawn together: the same interval at any size."""
BOUNDS = (0.05, 0.95)


@dataclass(frozen=True)
class Estimate:
    """What the scores promise: `auc` with the bounds within which labels will put it with 90 %, if the scores are right.

    `log_loss` and `churned` (share) are means over customers; `profit` is the EMPC and `profit_own_value` the most that is earned
    with each customer's own value, both in currency a customer for the company's campaign (`training.metrics.profit`),
    which `campaign` tells in words.
    """

    customers: int
    churned: float
    auc: Interval
    log_loss: float
    profit: float
    profit_own_value: float
    campaign: str


def estimate(churn_probability: Floats, value_if_active: Floats, campaign: Campaign = DEFAULT_CAMPAIGN) -> Estimate:
    """Expected figures of calibrated probabilities (n,) and of what each customer is worth if active (n,)."""
    p = churn_probability
    return Estimate(
        customers=len(p),
        churned=float(p.mean()),
        auc=auc_interval(p),
        log_loss=estimated_log_loss(p),
        profit=estimated_profit(p, campaign),
        profit_own_value=estimated_profit_own_value(p, value_if_active, campaign),
        campaign=campaign.told,
    )


def estimated_auc(p: Floats) -> float:
    """The AUC to expect of probabilities (n,): over pairs of different customers, those in the right order; ties count half.

    NaN where there is no pair.

    >>> estimated_auc(np.array([0.5, 0.5, 0.5]))
    0.5
    >>> round(estimated_auc(np.array([0.999, 0.001])), 3)
    1.0
    """
    left, stayed = _by_rising_level(p)
    alone = float((p * (1 - p)).sum())
    right = float(left @ (np.cumsum(stayed) - stayed / 2)) - alone / 2
    pairs = float(p.sum() * (1 - p).sum()) - alone
    return right / pairs if pairs > 0 else float("nan")


def estimated_log_loss(p: Floats) -> float:
    """The mean natural-log loss to expect: the entropy of the probabilities (n,).

    >>> round(estimated_log_loss(np.array([0.5, 0.5])), 3)
    0.693
    """
    return float((entr(p) + entr(1 - p)).mean())


def estimated_profit(p: Floats, campaign: Campaign = DEFAULT_CAMPAIGN) -> float:
    """The expected maximum profit (EMPC) to expect of probabilities (n,)."""
    levels = falling(p)
    return expected_maximum_profit(contacts_by_level(at_levels(levels, p), at_levels(levels, 1 - p)), campaign).profit


def estimated_profit_own_value(p: Floats, worth: Floats, campaign: Campaign = DEFAULT_CAMPAIGN) -> float:
    """The most to expect of a campaign that contacts the riskiest first, where each customer has a value of their own."""
    left, stays = (campaign_gains(np.full(len(p), churned), worth, campaign) for churned in (True, False))
    return float(profit_curve(p * left + (1 - p) * stays, p)[1].max())


def auc_interval(p: Floats) -> Interval:
    """The expected AUC, and the bounds that hold the AUC of labels drawn from the probabilities with 90 %."""
    order = np.sort(p)
    sizes = np.array([len(part) for part in np.array_split(order, min(LEVELS, len(order)))])
    means = np.add.reduceat(order, np.append(0, np.cumsum(sizes)[:-1])) / sizes
    left = np.random.default_rng(0).binomial(sizes, means, (DRAWS, len(sizes)))
    stayed = sizes - left
    below = np.cumsum(stayed, axis=1) - stayed / 2
    pairs = left.sum(axis=1) * stayed.sum(axis=1)
    drawn = (left * below).sum(axis=1)[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(drawn, BOUNDS) if len(drawn) else (np.nan, np.nan)
    return Interval(estimated_auc(p), float(low), float(high))


def _by_rising_level(p: Floats) -> tuple[Floats, Floats]:
    levels = falling(-p)
    return at_levels(levels, p), at_levels(levels, 1 - p)

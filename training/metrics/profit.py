"""What a retention campaign earns that contacts the riskiest customers first.

A contact costs `contact`. Of those who would leave, a share takes the offer (`incentive`) and stays, worth `customer_value`; who
would have stayed takes the offer, too. The share that takes it is not known: it follows a Beta(alpha, beta). The profit, and its
expectation when every share is met with the best number of contacts (EMPC), are those of Verbraken, Verbeke and Baesens, "A novel
profit maximizing metric for measuring classification performance of customer churn prediction models", IEEE Transactions on
Knowledge and Data Engineering 25 (2013).

Profits are in currency a customer, over all customers, contacted or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import betainc

from features.campaign import DEFAULT_CAMPAIGN, Campaign
from training.arrays import Flags, Floats, Ints
from training.metrics.weighted import at_levels, falling


@dataclass(frozen=True)
class Profit:
    """`profit` in currency a customer, and the share of the customers who are contacted for it."""

    profit: float
    contacted: float


@dataclass(frozen=True)
class Contacts:
    """Who has been reached when the riskiest were contacted: shares of all customers (k,), from nobody to everybody.

    `left` would leave, `stayed` would not; only sensible places to stop are among them (the convex hull of the ROC curve), and
    `rate` (k - 1,) is the share of leavers between one and the next, falling.
    """

    left: Floats
    stayed: Floats
    rate: Floats


def expected_maximum_profit(contacts: Contacts, campaign: Campaign = DEFAULT_CAMPAIGN) -> Profit:
    """The EMPC, and the share of customers that it contacts on average.

    >>> churned = np.array([0, 1, 0, 1, 0, 1, 0, 1], dtype=bool)
    >>> risk = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9])
    >>> found = expected_maximum_profit(sorted_contacts(churned, risk))
    >>> round(found.profit, 12), round(found.contacted, 12)
    (23.875593418348, 0.874370076349)
    """
    # Between two of these shares, one place to stop is best; the first is at nobody.
    edges = np.concatenate([[0.0], np.minimum(_worthwhile_acceptance(contacts.rate, campaign), 1.0), [1.0]])
    chance = np.diff(betainc(campaign.alpha, campaign.beta, edges))
    taken = campaign.acceptance * np.diff(betainc(campaign.alpha + 1, campaign.beta, edges))
    reached = contacts.left + contacts.stayed
    kept = (campaign.customer_value - campaign.incentive) * contacts.left @ taken
    spent = (campaign.contact * reached + campaign.incentive * contacts.stayed) @ chance
    return Profit(float(kept - spent), float(reached @ chance))


def maximum_profit(contacts: Contacts, acceptance: float, campaign: Campaign = DEFAULT_CAMPAIGN) -> Profit:
    """The most that is earned when the share who take the offer is known: what EMPC becomes when its Beta has no width.

    >>> contacts = sorted_contacts(np.array([True, False]), np.array([0.9, 0.1]))
    >>> maximum_profit(contacts, 0.3)
    Profit(profit=28.0, contacted=0.5)
    """
    kept = acceptance * (campaign.customer_value - campaign.incentive) * contacts.left
    reached = contacts.left + contacts.stayed
    profits = kept - campaign.contact * reached - campaign.incentive * contacts.stayed
    best = int(np.argmax(profits))
    return Profit(float(profits[best]), float(reached[best]))


def sorted_contacts(churned: Flags, risk: Floats) -> Contacts:
    """Contacts by falling `risk` (n,) of customers who did or did not churn (n,); only the order of the risks counts."""
    levels = falling(risk)
    return contacts_by_level(*(at_levels(levels, each.astype(float)) for each in (churned, ~churned)))


def contacts_by_level(left: Floats, stayed: Floats) -> Contacts:
    """Contacts from how many (or which weight) left and stayed at each level of risk (k,), the riskiest level first."""
    total = left + stayed
    left, stayed, total = (each[total > 0] / total.sum() for each in (left, stayed, total))
    # Pooling neighbours until rates fall is the convex hull of the ROC curve (Fawcett and Niculescu-Mizil 2007).
    pooled = isotonic_regression(left / total, weights=total, increasing=False)
    starts = pooled.blocks[:-1]
    left, stayed = (np.append(0.0, np.cumsum(np.add.reduceat(each, starts))) for each in (left, stayed))
    return Contacts(left, stayed, np.clip(pooled.x[starts], 0.0, 1.0))


def _worthwhile_acceptance(rate: Floats, campaign: Campaign) -> Floats:
    """The share of takers from which customers are worth a contact of whom `rate` (k,) would leave; inf where nobody would."""
    cost = campaign.contact + campaign.incentive * (1 - rate)
    kept = (campaign.customer_value - campaign.incentive) * rate
    worthwhile: Floats = np.divide(cost, kept, out=np.full(len(rate), np.inf), where=kept > 0)
    return worthwhile


def campaign_gains(churned: Flags, worth: Floats, campaign: Campaign = DEFAULT_CAMPAIGN) -> Floats:
    """What the contact of each customer (n,) brings or costs, each with a value of their own.

    The mean customer is worth `campaign.customer_value`, one with twice the mean `worth` (n,; never negative) twice as much.

    >>> campaign_gains(np.array([True, True, False]), np.array([3.0, 1.0, 2.0])).round(6)
    array([ 86.,  26., -11.])
    """
    mean = float(worth.mean())
    value = campaign.customer_value * (worth / mean if mean > 0 else np.ones(len(worth)))
    kept = campaign.acceptance * (value - campaign.incentive)
    return np.where(churned, kept, -campaign.incentive) - campaign.contact


def profit_curve(gains: Floats, risk: Floats) -> tuple[Floats, Floats]:
    """(share contacted, profit a customer) when customers are contacted by falling `risk` (n,), tied ones together.

    >>> contacted, profit = profit_curve(np.array([4.0, -2.0, 6.0]), np.array([0.9, 0.1, 0.5]))
    >>> contacted.round(2), profit.round(2)
    (array([0.  , 0.33, 0.67, 1.  ]), array([0.  , 1.33, 3.33, 2.67]))
    """
    return curve_by_level(gains, falling(risk), np.ones(len(gains)))


def curve_by_level(gains: Floats, levels: Ints, weights: Floats) -> tuple[Floats, Floats]:
    """As `profit_curve`, of rows (n,) with weights (n,) whose level of risk (n,) counts from 0, the riskiest."""
    contacted, profit = (np.append(0.0, np.cumsum(at_levels(levels, each))) for each in (weights, weights * gains))
    return contacted / weights.sum(), profit / weights.sum()

"""Where a customer's lifetime value comes from: six parts that add up to the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats


@dataclass(frozen=True)
class Sources:
    """What the parts are made of, each of shape (n,); all years are alike, amounts are net of refunds.

    `first_price` and `acquisition_cost`: what the first purchase brought, and what it took to win the customer. `income`: a
    year's spend. `premium_share`: the part of it that is price above what customers usually pay, negative below. `cross_share`:
    the part of the rest that is for other categories than the first ones, 0 to 1. `service_cost`: a year's cost to serve;
    `usual_service_cost`: that of a usual customer. `referrals`: customers won by this one in a year, each worth `referral_value`.
    """

    first_price: Floats
    acquisition_cost: Floats
    income: Floats
    premium_share: Floats
    cross_share: Floats
    service_cost: Floats
    usual_service_cost: Floats
    referrals: Floats
    referral_value: Floats


def whole(sources: Sources, present_years: Floats) -> Floats:
    """The lifetime value with first purchase, cost to serve and referrals, where a yearly unit is worth `present_years` (n,)."""
    yearly = sources.income - sources.service_cost + sources.referrals * sources.referral_value
    return sources.first_price - sources.acquisition_cost + present_years * yearly


def parts(sources: Sources, present_years: Floats) -> Mapping[str, Floats]:
    """The six parts of `whole`, which they add up to.

    Repeats bear the cost of a usual customer; what this one costs less, or more, is a part of its own.
    """
    premium = sources.income * sources.premium_share
    plain = sources.income - premium
    return {
        "first_purchase": sources.first_price - sources.acquisition_cost,
        "repeats": present_years * (plain * (1 - sources.cross_share) - sources.usual_service_cost),
        "cross_sell": present_years * plain * sources.cross_share,
        "service_savings": present_years * (sources.usual_service_cost - sources.service_cost),
        "referral": present_years * sources.referrals * sources.referral_value,
        "price_premium": present_years * premium,
    }


def price_premium_share(paid: Floats, list_prices: Floats) -> Floats:
    """How much of what each customer paid is more than they would have paid at everybody's usual discount; negative where less.

    `paid` and `list_prices` are sums over the same purchases, (n,); nothing at list prices is no known premium: 0.

    >>> price_premium_share(np.array([100.0, 80.0, 50.0]), np.array([100.0, 100.0, 0.0])).round(3)
    array([ 0.1  , -0.125,  0.   ])
    """
    counted = (list_prices > 0) & (paid > 0)
    if not counted.any():
        return np.zeros(paid.shape)
    usual = paid[counted].sum() / list_prices[counted].sum()
    return np.where(counted, 1 - usual * list_prices / np.where(counted, paid, 1.0), 0.0)

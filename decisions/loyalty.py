"""Loyalty: repeat buying against attachment, and what else may hold a customer."""

from __future__ import annotations

import numpy as np

from decisions.columns import Bools, Floats, Ints
from decisions.labels import Loyalty
from decisions.policy import LoyaltyPolicy


def attached(
    *,
    recommend: Floats,
    complaint_satisfaction: Floats,
    active_month_share: Floats,
    days_since_first_purchase: Floats,
    complaints_open: Floats,
    policy: LoyaltyPolicy,
) -> Bools:
    """Whether the customer is attached, and not only in the habit.

    Their own word decides where there is one: the last answer to "would you recommend us" (0 to 10), else the satisfaction with
    the last settled complaint (1 to 5). Else faithful over time: a long relation, active in most months. An open complaint
    denies it.
    """
    faithful = (days_since_first_purchase >= policy.attached_days) & (active_month_share >= policy.attached_month_share)
    heard = np.where(np.isnan(complaint_satisfaction), faithful, complaint_satisfaction >= 4)
    said = np.where(np.isnan(recommend), heard, recommend >= 9)
    verdict: Bools = said & ~(complaints_open > 0)
    return verdict


def loyalty_codes(
    *,
    repeats: Bools,
    is_attached: Bools,
    no_alternative: Bools,
    discount_share: Floats,
    contacts_accepted: Floats,
    policy: LoyaltyPolicy,
) -> Ints:
    """The position in `Loyalty`; who does not buy again and again has none, whatever they say.

    Among the others the strongest hold comes first: no alternative, then discounts, then offers accepted, then attachment.
    """
    order = list(Loyalty)
    holds = [
        (~repeats, Loyalty.NONE),
        (no_alternative, Loyalty.MONOPOLY),
        (discount_share >= policy.price_discount_share, Loyalty.PRICE),
        (contacts_accepted >= policy.incentive_acceptances, Loyalty.INCENTIVE),
        (is_attached, Loyalty.PREMIUM),
    ]
    return np.select([hold for hold, _ in holds], [order.index(label) for _, label in holds], order.index(Loyalty.INERTIA))

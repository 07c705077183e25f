"""Loyalty: repeat buying against attachment, and what else may hold a customer."""

from __future__ import annotations

import numpy as np

from decisions.columns import Bools, Floats
from decisions.labels import Loyalty
from decisions.policy import LoyaltyPolicy
from decisions.schemes.verdict import Case, History, Verdict, first_case, held, sides


def attached(
    *,
    recommend: Floats,
    complaint_satisfaction: Floats,
    active_month_share: Floats,
    days_since_first_purchase: Floats,
    complaints_open: Floats,
    policy: LoyaltyPolicy,
    history: History = History(),
) -> Bools:
    """Whether the customer is attached, and not only in the habit.

    Their own word decides where there is one: the last answer to "would you recommend us" (0 to 10), else the satisfaction with
    the last settled complaint (1 to 5). Else faithful over time: a long relation, active in most months. An open complaint
    denies it.
    """
    side = sides(history.previous, {Loyalty.PREMIUM}, recommend.size)
    months = held(policy.attached_month_share, side, history.band, most=1.0)
    faithful = (days_since_first_purchase >= policy.attached_days) & (active_month_share >= months)
    heard = np.where(np.isnan(complaint_satisfaction), faithful, complaint_satisfaction >= 4)
    said = np.where(np.isnan(recommend), heard, recommend >= 9)
    verdict: Bools = said & ~(complaints_open > 0)
    return verdict


def loyalty(
    *,
    purchase_days: Floats,
    is_attached: Bools,
    no_alternative: Bools,
    discount_share: Floats,
    contacts_accepted: Floats,
    policy: LoyaltyPolicy,
    history: History = History(),
) -> Verdict:
    """Who does not buy again and again (`purchase_days` of the last year) has none, whatever they say.

    Among the others the strongest hold comes first: no alternative, then discounts, then offers accepted, then attachment.
    """
    rows, previous, band = purchase_days.size, history.previous, history.band
    often = held(policy.repeat_purchase_days, -sides(previous, {Loyalty.NONE}, rows), band)
    cheap = held(policy.price_discount_share, sides(previous, {Loyalty.PRICE}, rows), band, most=1.0)
    accepting = held(policy.incentive_acceptances, sides(previous, {Loyalty.INCENTIVE}, rows), band)
    seldom = "purchase days in the last year: {:.0f}, wanted {:.1f}"
    return first_case(
        Case(Loyalty.NONE, ~(purchase_days >= often), seldom, (purchase_days, often)),
        Case(Loyalty.MONOPOLY, no_alternative, "has no alternative"),
        Case(Loyalty.PRICE, discount_share >= cheap, "discounts took off {:.3f}, at least {:.3f}", (discount_share, cheap)),
        Case(
            Loyalty.INCENTIVE,
            contacts_accepted >= accepting,
            "offers accepted: {:.0f}, wanted {:.1f}",
            (contacts_accepted, accepting),
        ),
        Case(Loyalty.PREMIUM, is_attached, "attached, by their own word or by long habit"),
        otherwise=Loyalty.INERTIA,
        why="buys again and again, and nothing says attached",
    )

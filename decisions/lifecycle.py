"""Status, lifecycle and relation: how near a customer is to leaving, where the relation stands, what kind it is.

A comparison with a missing number is false, so every rule ends in a case that needs none: each scheme is total.
"""

from __future__ import annotations

import numpy as np

from decisions.columns import Floats, Ints
from decisions.labels import Lifecycle, Relation, Status
from decisions.policy import LifecyclePolicy, RelationPolicy, StatusPolicy


def status_codes(churn_probability: Floats, days_since_first_purchase: Floats, policy: StatusPolicy) -> Ints:
    """The position in `Status`: new by age; else by churn probability, and never nearer to lost with a lower one."""
    order = list(Status)
    return np.select(
        [
            days_since_first_purchase <= policy.new_days,
            churn_probability >= policy.lost_from,
            churn_probability >= policy.lapsing_from,
        ],
        [order.index(Status.NEW), order.index(Status.LOST), order.index(Status.LAPSING)],
        order.index(Status.ACTIVE),
    )


def lifecycle_codes(
    *,
    churn_probability: Floats,
    purchase_days: Floats,
    days_since_first_purchase: Floats,
    overdue_ratio: Floats,
    spend_growth: Floats,
    policy: LifecyclePolicy,
) -> Ints:
    """The position in `Lifecycle`.

    Exploration while there are few purchase days; then decline when the customer is likely to leave, or overdue by their own
    rhythm (`overdue_ratio`: time since the last purchase over the usual gap); then build-up while young or growing
    (`spend_growth`: spend of the last 180 days over that of the 180 days before); else stable.
    """
    order = list(Lifecycle)
    return np.select(
        [
            purchase_days <= policy.exploration_purchase_days,
            (churn_probability >= policy.decline_from) | (overdue_ratio >= policy.decline_overdue_ratio),
            (days_since_first_purchase <= policy.build_up_days) | (spend_growth >= policy.build_up_growth),
        ],
        [order.index(Lifecycle.EXPLORATION), order.index(Lifecycle.DECLINE), order.index(Lifecycle.BUILD_UP)],
        order.index(Lifecycle.STABLE),
    )


def relation_codes(
    purchase_days: Floats, days_since_first_purchase: Floats, discount_share: Floats, policy: RelationPolicy
) -> Ints:
    """The position in `Relation`: relational after enough purchase days over enough time, unless mostly bought at a discount.

    `discount_share` is the share of the last year's spend at list prices that discounts took off; missing counts as not mostly
    discounted.
    """
    order = list(Relation)
    steady = (purchase_days >= policy.purchase_days) & (days_since_first_purchase >= policy.days)
    deal_seeker = discount_share >= policy.deal_seeker_discount_share
    return np.where(steady & ~deal_seeker, order.index(Relation.RELATIONAL), order.index(Relation.TRANSACTIONAL))

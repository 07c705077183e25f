"""Status, lifecycle and relation: how near a customer is to leaving, where the relation stands, what kind it is.

A comparison with a missing number is false, so every rule ends in a case that needs none: each scheme is total.
"""

from __future__ import annotations

from decisions.columns import Bools, Floats
from decisions.labels import Lifecycle, Relation, Status
from decisions.policy import LifecyclePolicy, RelationPolicy, StatusPolicy
from decisions.schemes.verdict import Case, History, Verdict, first_case, held, sides

CHURN = "churn probability {:.3f}, at least {:.3f}"


def status(
    churn_probability: Floats, days_since_first_purchase: Floats, policy: StatusPolicy, history: History = History()
) -> Verdict:
    """New by age; else by churn probability, and never nearer to lost with a lower one."""
    rows, previous = churn_probability.size, history.previous
    lost = held(policy.lost_from, sides(previous, {Status.LOST}, rows), history.band, most=1.0)
    lapsing = held(policy.lapsing_from, sides(previous, {Status.LOST, Status.LAPSING}, rows), history.band, most=1.0)
    new = days_since_first_purchase <= policy.new_days
    return first_case(
        Case(Status.NEW, new, "first purchase {:.0f} days ago", (days_since_first_purchase,)),
        Case(Status.LOST, churn_probability >= lost, CHURN, (churn_probability, lost)),
        Case(Status.LAPSING, churn_probability >= lapsing, CHURN, (churn_probability, lapsing)),
        Case(Status.ACTIVE, churn_probability < lapsing, "churn probability {:.3f}, below {:.3f}", (churn_probability, lapsing)),
        otherwise=Status.ACTIVE,
        why="no churn probability",
    )


def lifecycle(
    *,
    churn_probability: Floats,
    purchase_days: Floats,
    days_since_first_purchase: Floats,
    overdue_ratio: Floats,
    spend_growth: Floats,
    policy: LifecyclePolicy,
    history: History = History(),
) -> Verdict:
    """Exploration, decline, build-up or stable.

    Exploration while there are few purchase days; then decline when the customer is likely to leave, or overdue by their own
    rhythm (`overdue_ratio`: time since the last purchase over the usual gap); then build-up while young or growing
    (`spend_growth`: spend of the last 180 days over that of the 180 days before); else stable.
    """
    rows, previous, band = churn_probability.size, history.previous, history.band
    declined, grown = sides(previous, {Lifecycle.DECLINE}, rows), sides(previous, {Lifecycle.BUILD_UP}, rows)
    leaving = held(policy.decline_from, declined, band, most=1.0)
    overdue = held(policy.decline_overdue_ratio, declined, band)
    growing = held(policy.build_up_growth, grown, band)
    young = days_since_first_purchase <= policy.build_up_days
    return first_case(
        Case(
            Lifecycle.EXPLORATION,
            purchase_days <= policy.exploration_purchase_days,
            "purchase days so far: {:.0f}",
            (purchase_days,),
        ),
        Case(Lifecycle.DECLINE, churn_probability >= leaving, CHURN, (churn_probability, leaving)),
        Case(
            Lifecycle.DECLINE,
            overdue_ratio >= overdue,
            "away for {:.2f} times the usual gap, at least {:.2f}",
            (overdue_ratio, overdue),
        ),
        Case(Lifecycle.BUILD_UP, young, "first purchase {:.0f} days ago", (days_since_first_purchase,)),
        Case(Lifecycle.BUILD_UP, spend_growth >= growing, "spend grew to {:.2f} times, at least {:.2f}", (spend_growth, growing)),
        otherwise=Lifecycle.STABLE,
        why="neither likely to leave, nor overdue, nor young, nor growing",
    )


def new_to_category(days_since_first_purchase: Floats, days_since_newest_category: Floats, policy: LifecyclePolicy) -> Bools:
    """Whether a customer past build-up lately came to a category: False where that is not known."""
    verdict: Bools = (days_since_first_purchase > policy.build_up_days) & (days_since_newest_category <= policy.new_category_days)
    return verdict


def relation(
    purchase_days: Floats,
    days_since_first_purchase: Floats,
    discount_share: Floats,
    policy: RelationPolicy,
    history: History = History(),
) -> Verdict:
    """Relational after enough purchase days over enough time, unless mostly bought at a discount.

    `discount_share` is the share of the last year's spend at list prices that discounts took off; missing counts as not mostly
    discounted.
    """
    side = -sides(history.previous, {Relation.RELATIONAL}, purchase_days.size)
    limit = held(policy.deal_seeker_discount_share, side, history.band, most=1.0)
    steady = (purchase_days >= policy.purchase_days) & (days_since_first_purchase >= policy.days)
    return first_case(
        Case(
            Relation.TRANSACTIONAL,
            ~steady,
            "purchase days: {:.0f}, days since the first: {:.0f}",
            (purchase_days, days_since_first_purchase),
        ),
        Case(
            Relation.TRANSACTIONAL, discount_share >= limit, "discounts took off {:.3f}, at least {:.3f}", (discount_share, limit)
        ),
        otherwise=Relation.RELATIONAL,
        why="comes back over a long time, mostly without discounts",
    )

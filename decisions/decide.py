"""From predictions and features to the decision columns: one pure function of columns and a policy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from decisions.columns import Columns, Texts, number, require, words
from decisions.credit import credit_grade
from decisions.labels import Lifecycle, Loyalty, Relation, ServiceLevel, Status
from decisions.lifecycle import lifecycle_codes, relation_codes, status_codes
from decisions.lifetime import lifetime_value
from decisions.loyalty import attached, loyalty_codes
from decisions.policy import Policy
from decisions.tiers import potential_value, quadrant_codes, quadrant_words, service_codes, tier_codes, tier_words

REQUIRED = ("churn_probability", "expected_value", "value_if_active", "horizon_days")
"""The predictions, without which nothing can be decided."""

OPTIONAL = (
    "net_spend_365d",
    "purchase_days_all",
    "purchase_days_365d",
    "days_since_first_purchase",
    "active_month_share",
    "overdue_ratio",
    "spend_180d_to_previous",
    "complaints_open",
    "complaint_satisfaction_last",
    "survey_recommend_last",
    "discount_share_365d",
    "contact_acceptances_365d",
    "no_alternative",
    "late_payment_share_all",
    "oldest_overdue_payment_days",
    "wallet",
    "service_cost",
    "previous_tier",
    "next_category",
)
"""Columns that sharpen the decisions; `docs/decisions.md` says what stands in where one is missing."""


def missing_inputs(columns: Columns) -> tuple[str, ...]:
    """The optional columns that `columns` lack, to be said beside the decisions."""
    return tuple(name for name in OPTIONAL if name not in columns)


def decide(columns: Columns, policy: Policy) -> dict[str, npt.NDArray[np.generic]]:
    """The decision columns of customers, each of shape (n,).

    `columns` holds arrays of shape (n,) (a scalar stands for all): the predictions of `REQUIRED`, and any of `OPTIONAL`. Missing
    numbers are NaN, missing texts None. Raises DataError where a required column is missing. Labels are texts and never missing,
    except credit_grade (no invoices) and next_category (no category left, or none known), which are None then.
    """
    require(columns, REQUIRED, "a decision")
    rows = int(np.shape(columns["churn_probability"])[0])
    of = {name: number(columns, name, rows) for name in (*REQUIRED, *OPTIONAL) if name not in {"previous_tier", "next_category"}}
    churn, expected, horizon = of["churn_probability"], of["expected_value"], of["horizon_days"]
    current = of["net_spend_365d"]
    potential = potential_value(of["wallet"], current, expected, horizon)
    tier = tier_codes(expected, policy.tiers, columns.get("previous_tier"))
    cost = np.where(np.isnan(of["service_cost"]), policy.lifetime.service_cost, of["service_cost"])
    service = service_codes(tier, expected * 365 / horizon, cost)
    terms = policy.lifetime
    return {
        "value_at_risk": churn * of["value_if_active"],
        "current_value": current,
        "potential_value": potential,
        "lifetime_value": lifetime_value(churn, expected, horizon, yearly_rate=terms.discount_rate, years=terms.years),
        "value_tier": tier_words(tier),
        "quadrant": quadrant_words(quadrant_codes(current, potential, policy.quadrants)),
        **_behaviour(of, policy),
        "credit_grade": credit_grade(of["late_payment_share_all"], of["oldest_overdue_payment_days"], policy.credit),
        "service_level": words(ServiceLevel, service),
        "next_category": _texts(columns, "next_category", rows),
    }


def _behaviour(of: Columns, policy: Policy) -> dict[str, Texts]:
    """Status, lifecycle, loyalty and relation: what the history of purchases says."""
    churn, age, bought = of["churn_probability"], of["days_since_first_purchase"], of["purchase_days_all"]
    lifecycle = lifecycle_codes(
        churn_probability=churn,
        purchase_days=bought,
        days_since_first_purchase=age,
        overdue_ratio=of["overdue_ratio"],
        spend_growth=of["spend_180d_to_previous"],
        policy=policy.lifecycle,
    )
    is_attached = attached(
        recommend=of["survey_recommend_last"],
        complaint_satisfaction=of["complaint_satisfaction_last"],
        active_month_share=of["active_month_share"],
        days_since_first_purchase=age,
        complaints_open=of["complaints_open"],
        policy=policy.loyalty,
    )
    loyalty = loyalty_codes(
        repeats=of["purchase_days_365d"] >= policy.loyalty.repeat_purchase_days,
        is_attached=is_attached,
        no_alternative=of["no_alternative"] == 1,
        discount_share=of["discount_share_365d"],
        contacts_accepted=of["contact_acceptances_365d"],
        policy=policy.loyalty,
    )
    return {
        "status": words(Status, status_codes(churn, age, policy.status)),
        "lifecycle": words(Lifecycle, lifecycle),
        "loyalty": words(Loyalty, loyalty),
        "relation": words(Relation, relation_codes(bought, age, of["discount_share_365d"], policy.relation)),
    }


def _texts(columns: Columns, name: str, rows: int) -> Texts:
    """The column as Python texts, None where missing, all None where there is no such column."""
    if name not in columns:
        return np.full(rows, None, dtype=object)
    return np.asarray(columns[name], dtype=object)

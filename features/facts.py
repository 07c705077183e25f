"""Which features tell the same fact about a customer, only otherwise measured: together they are one reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from features.builders.attributes import parsed

_WINDOW = re.compile(r"_(\d+d|all)(?=_|$)")

RHYTHM = "rhythm"

FACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        RHYTHM: (
            *("recency_days", "overdue_ratio", "gap_days_mean", "gap_days_sd", "gap_days_max"),
            *("purchase_days_all", "orders_all", "days_since_first_purchase"),
        ),
        "frequency": ("purchase_days", "orders", "active_month_share"),
        "spend": ("spend", "net_spend", "spend_mean", "spend_max", "spend_sd", "last_amount", "basket_spend_mean", "margin"),
        "quantity": ("quantity", "quantity_mean", "quantity_max", "quantity_sd", "basket_lines_mean"),
        "trend": ("spend_to_previous", "purchase_days_to_previous"),
        "season": ("spend_to_year_ago", "purchase_days_to_year_ago", "spend_next_year_ago", "season_turn"),
        "tenure": ("days_since_joined", "days_joined_to_first_purchase", "tenure_stage"),
        "variety": (
            *("categories", "products", "new_categories", "days_since_newest_category"),
            *("top_category_share", "top_product_share"),
        ),
        "channels": ("channels", "top_channel_share"),
        "discounts": ("discount_share", "discounted_line_share"),
        "refunds": ("refunds", "refund_share", "days_since_refund"),
        "deliveries": (
            *("late_deliveries", "late_delivery_share", "deliveries_overdue", "days_since_late_delivery"),
            *("last_delivery_late", "delivery_delay_days_mean", "delivery_days_mean"),
        ),
        "complaints": (
            *("complaints", "days_since_complaint", "complaints_per_order", "complaints_reopened", "complaints_recovered"),
            *("bought_after_complaint", "complaint_severity_mean", "complaint_severity_max"),
        ),
        "open complaints": ("complaints_open", "complaints_unanswered", "oldest_open_complaint_days"),
        "answers": ("first_response_hours_mean", "resolve_hours_mean"),
        "contentment": ("complaint_satisfaction_last", "complaint_satisfaction_mean", "complaint_satisfaction_trend"),
        "late payments": ("late_payments", "late_payment_share", "payment_days_late_mean", "payment_days_late_max"),
        "overdue payments": ("payments_overdue", "payment_amount_overdue", "oldest_overdue_payment_days"),
        "surveys": ("surveys", "days_since_survey"),
        "satisfaction": ("survey_satisfaction_last", "survey_satisfaction_mean", "survey_satisfaction_trend"),
        "expectation": ("survey_expectation_last", "survey_expectation_mean", "survey_expectation_trend"),
        "quality": (
            *("survey_quality_last", "survey_quality_mean", "survey_quality_trend"),
            *("survey_quality_gap_last", "survey_quality_gap_mean"),
        ),
        "perceived value": ("survey_perceived_value_last", "survey_perceived_value_mean", "survey_perceived_value_trend"),
        "loyalty": ("survey_loyalty_last", "survey_loyalty_mean", "survey_loyalty_trend"),
        "recommendation": (
            *("survey_recommend_last", "survey_recommend_mean", "survey_recommend_trend"),
            *("survey_promoter", "survey_passive", "survey_detractor"),
        ),
        "contacts": ("contacts", "days_since_contact"),
        "responses": (
            *("contact_acceptances", "contact_conversions", "contact_response_share", "days_since_contact_accepted"),
            "contacts_declined_since_accepted",
        ),
    }
)
"""Fact -> the features that tell it, without their windows; one that stands here with its window tells it with that one alone."""

TOLD_BY: Mapping[str, tuple[str, ...]] = MappingProxyType({RHYTHM: ("recency_days", "overdue_ratio")})
"""Fact -> those of its features that say it in a way which reads right, where others do not.

Who has bought often and is now silent has more surely left than who bought once: in numbers many purchases raise the risk, in
words it is the silence.
"""

_FACT_OF = {feature: fact for fact, features in FACTS.items() for feature in features}


def fact_of(name: str) -> str:
    """The fact that a feature tells; one that shares it with no other tells its own, and all values of an attribute tell one.

    >>> fact_of("spend_90d"), fact_of("purchase_days_all"), fact_of("purchase_days_90d"), fact_of("margin_share_365d")
    ('spend', 'rhythm', 'frequency', 'margin_share')
    >>> fact_of("attr_plan_is_gold")
    'customers.plan'
    """
    attribute = parsed(name)
    if attribute:
        return f"customers.{attribute.column}"
    return _FACT_OF.get(name) or _FACT_OF.get(stem(name), stem(name))


def stem(name: str) -> str:
    """The name of a feature without its window.

    >>> stem("spend_90d_to_previous"), stem("recency_days")
    ('spend_to_previous', 'recency_days')
    """
    return _WINDOW.sub("", name)


def tells(name: str) -> bool:
    """Whether a reason may be named after a feature where its fact has others.

    >>> tells("recency_days"), tells("purchase_days_all"), tells("spend_90d")
    (True, False, True)
    """
    fact = fact_of(name)
    return name in TOLD_BY.get(fact, (name,))

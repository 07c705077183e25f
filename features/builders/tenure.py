"""Tenure: how long a customer has been with the company, how regularly, and how new to what they buy."""

from __future__ import annotations

from functools import partial

from features.asof import Column, month_of
from features.definitions import Aggregate, Feature, Operations, feature
from features.formulas import month_number, same

STAGE_DAYS = (30, 90, 365, 730)
"""Days since the first purchase at which a stage ends: first month, quarter, year, second year."""

NOT_JOINED = "not known to have joined before as_of"

_tenure = partial(feature, table="transactions", builder="tenure")
_of_joining = partial(_tenure, table="customers", unit="days", needs=("customers.joined_at",), missing=NOT_JOINED)

FIRST_PURCHASE = Aggregate("purchase_days", "max", "age")
JOINING = Aggregate("joinings", "max", "age")
ACTIVE_MONTHS = Aggregate("purchase_days", "sum", "opens_month")
NEWEST_CATEGORY = Aggregate("category_days", "min", "age", where="first_ever")


def _active_month_share(c: Operations, active_months: Column, first_purchase_age: Column) -> Column:
    months = month_of(c.as_of_day - 1) - month_number(c, c.as_of_day - first_purchase_age) + 1
    return c.divide(active_months, months)


def _joined_to_first_purchase(_: Operations, joining_age: Column, first_purchase_age: Column) -> Column:
    return joining_age - first_purchase_age


def _stage(c: Operations, first_purchase_age: Column) -> Column:
    return sum(c.where(first_purchase_age > days, 1, 0) for days in STAGE_DAYS)


FEATURES: tuple[Feature, ...] = (
    _tenure(
        "days_since_first_purchase",
        same,
        (FIRST_PURCHASE,),
        ("Days since first purchase", "距首次购买天数"),
        "A first purchase yesterday is 1.",
        unit="days",
        low=1,
    ),
    _of_joining("days_since_joined", same, (JOINING,), ("Days since joining", "入会天数"), "Who joined yesterday has 1.", low=1),
    _of_joining(
        "days_joined_to_first_purchase",
        _joined_to_first_purchase,
        (JOINING, FIRST_PURCHASE),
        ("Days from joining to first purchase", "入会到首购天数"),
        "Negative for those who bought before they joined.",
        low=None,
    ),
    _tenure(
        "active_month_share",
        _active_month_share,
        (ACTIVE_MONTHS, FIRST_PURCHASE),
        ("Share of active months", "活跃月占比"),
        "Calendar months with a purchase over all months from that of the first purchase to that of the day before as_of.",
        unit="share",
        high=1,
    ),
    _tenure(
        "days_since_newest_category",
        same,
        (NEWEST_CATEGORY,),
        ("Days since a new category", "距上次尝新品类天数"),
        "Days since the customer last bought in a category that was new to them.",
        unit="days",
        low=1,
        needs=("transactions.category",),
        missing="no purchase of known category",
    ),
    _tenure(
        "tenure_stage",
        _stage,
        (FIRST_PURCHASE,),
        ("Tenure stage", "客龄阶段"),
        "Since the first purchase: 0 first month, 1 first quarter, 2 first year, 3 second year, 4 older.",
        unit="stage",
        high=4,
    ),
)
"""All features of this builder, in catalog order."""

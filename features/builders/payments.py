"""Payments: what fell due, what was paid late and how late, and what is overdue now. Credit notes are left out.

An invoice counts from the day after it fell due; by then it is known whether it was paid in time. Windows look at due days.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from features.asof import Column
from features.definitions import ALL_TIME, SHARE_WINDOWS, WINDOWS, Aggregate, Feature, Operations, Summary, Window, feature
from features.formulas import ratio, same

PAID = ("payments.paid_at",)
NOTHING_PAID = "no invoice that fell due was paid yet"
NOTHING_OVERDUE = "nothing overdue"

_payments = partial(feature, table="payments", builder="payments")
_paying = partial(_payments, needs=PAID)
_overdue = partial(_paying, actionable=True)


def _due(window: Window = ALL_TIME, where: str = "") -> Aggregate:
    return Aggregate("payments", "count", window=window, where=where)


def _late(window: Window) -> Aggregate:
    return Aggregate("payments", "sum", "late", window)


def _all(how: Summary, column: str, where: str) -> Aggregate:
    return Aggregate("payments", how, column, where=where)


def _money(c: Operations, amount: Column) -> Column:
    return c.money(amount, "payments.amount")


def _counts(window: Window) -> Iterator[Feature]:
    titles, meaning = ("Payments due", "到期账单数"), "Invoices that fell due."
    yield _payments("payments_due", same, (_due(window),), titles, meaning, unit="invoices", window=window)
    titles, meaning = ("Late payments", "逾期账单数"), "Invoices that fell due and were not paid by the end of that day."
    yield _paying("late_payments", same, (_late(window),), titles, meaning, unit="invoices", window=window)


def _share(window: Window) -> Feature:
    inputs, titles = (_late(window), _due(window)), ("Share of late payments", "逾期账单占比")
    meaning, missing = "Late payments over all payments due.", "nothing fell due in the window"
    return _paying("late_payment_share", ratio, inputs, titles, meaning, unit="share", window=window, high=1, missing=missing)


FEATURES: tuple[Feature, ...] = (
    *(made for window in WINDOWS for made in _counts(window)),
    *map(_share, SHARE_WINDOWS),
    _paying(
        "payment_days_late_mean",
        ratio,
        (_all("sum", "days_late", "paid"), _due(where="paid")),
        ("Mean days late", "平均付款逾期天数"),
        "Mean days from due to paid, of invoices that are paid; those paid in time count as 0.",
        unit="days",
        missing=NOTHING_PAID,
    ),
    _paying(
        "payment_days_late_max",
        same,
        (_all("max", "days_late", "paid"),),
        ("Most days late", "最长付款逾期天数"),
        "Most days from due to paid, of invoices that are paid; 0 where all were paid in time.",
        unit="days",
        missing=NOTHING_PAID,
    ),
    _overdue(
        "payments_overdue",
        same,
        (_due(where="overdue"),),
        ("Overdue payments", "当前逾期未付账单数"),
        "Invoices that fell due and are still not paid.",
        unit="invoices",
    ),
    _overdue(
        "payment_amount_overdue",
        _money,
        (_all("sum", "amount", "overdue"),),
        ("Overdue amount", "当前逾期未付金额"),
        "Sum of the invoices that fell due and are still not paid.",
        unit="currency",
    ),
    _overdue(
        "oldest_overdue_payment_days",
        same,
        (_all("max", "age", "overdue"),),
        ("Age of the oldest overdue payment", "最早逾期未付账单天数"),
        "Days since the oldest invoice that is still not paid fell due.",
        unit="days",
        low=1,
        missing=NOTHING_OVERDUE,
    ),
)
"""All features of this builder, in catalog order."""

"""Credit: the payment record of each customer as of a day, and the grade that follows from it."""

from __future__ import annotations

import numpy as np

from decisions.columns import Floats, Ints, Texts
from decisions.labels import CreditGrade
from decisions.policy import CreditPolicy


def payment_record(customer: Ints, due_day: Ints, paid_day: Ints, *, as_of_day: int, customers: int) -> dict[str, Floats]:
    """`payments_late_share` and `payments_overdue_days` of each customer, shape (customers,), missing without invoices.

    `customer` is the position (0 to customers - 1) of the payer of each invoice; `paid_day` of what is not paid is any day after
    `as_of_day`. Only invoices due before `as_of_day` count: late if not paid by the due day; overdue if still not paid, for as
    many days as the oldest one is.
    """
    due = due_day < as_of_day
    who, owed, paid = customer[due], due_day[due], paid_day[due]
    invoices = np.bincount(who, minlength=customers)
    late = np.bincount(who, weights=paid > owed, minlength=customers)
    overdue = np.zeros(customers)
    unpaid = paid >= as_of_day
    np.maximum.at(overdue, who[unpaid], as_of_day - owed[unpaid])
    seen = invoices > 0
    share = np.divide(late, invoices, out=np.full(customers, np.nan), where=seen)
    return {"payments_late_share": share, "payments_overdue_days": np.where(seen, overdue, np.nan)}


def credit_grade(late_share: Floats, overdue_days: Floats, policy: CreditPolicy) -> Texts:
    """A to D, None where there were no invoices; paying later never gives a better grade."""
    grades = list(CreditGrade)
    codes = np.select(
        [
            overdue_days >= policy.d_overdue_days,
            (overdue_days > 0) | (late_share >= policy.c_late_share),
            late_share >= policy.b_late_share,
        ],
        [grades.index(CreditGrade.D), grades.index(CreditGrade.C), grades.index(CreditGrade.B)],
        grades.index(CreditGrade.A),
    )
    known = ~(np.isnan(late_share) | np.isnan(overdue_days))
    return np.array([*map(str, grades), None], dtype=object)[np.where(known, codes, len(grades))]

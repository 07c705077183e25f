"""Credit: the grade that follows from how a customer has paid."""

from __future__ import annotations

import numpy as np

from decisions.columns import Floats, Texts
from decisions.labels import CreditGrade
from decisions.policy import CreditPolicy


def credit_grade(late_share: Floats, overdue_days: Floats, policy: CreditPolicy) -> Texts:
    """A to D, None where no invoice fell due; paying later never gives a better grade.

    `late_share` is the share not paid by the due day, `overdue_days` the days since the oldest unpaid one fell due, NaN where
    nothing is overdue.
    """
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
    return np.array([*map(str, grades), None], dtype=object)[np.where(np.isnan(late_share), len(grades), codes)]

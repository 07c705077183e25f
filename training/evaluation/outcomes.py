"""What came of the customers of a date, as metrics want it."""

from __future__ import annotations

import numpy as np

from training.arrays import Floats
from training.data import TrainingData
from training.metrics.weighted import Outcome

SPENT, AGE, YEAR_DAYS = "spend_365d", "days_since_first_purchase", 365.0


def outcome_of(rows: TrainingData) -> Outcome:
    """Churn and value of labelled rows, and what each customer was worth before."""
    return Outcome(rows.churned == 1, rows.value, worth_of(rows), rows.campaign)


def worth_of(rows: TrainingData) -> Floats | None:
    """What each customer (n,) spent in the year before, a horizon, in currency; None where no purchases are known.

    Whoever came within the year is counted since then, but for a horizon at least: one large first order is no habit.
    """
    if not {SPENT, AGE} <= set(rows.names):
        return None
    days = np.clip(np.nan_to_num(rows.column(AGE)), min(rows.horizon_days, YEAR_DAYS), YEAR_DAYS)
    return np.maximum(np.nan_to_num(rows.column(SPENT)), 0.0) * rows.horizon_days / days

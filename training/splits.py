"""Which dates a model learns from. Every split is by time; the gap between learning and testing is one horizon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.arrays import Flags, Ints

STEP_DAYS = 30
"""Dates are about a month apart: closer ones share nearly all their events."""

MOST_STEPS = 3
"""Steps in a horizon: more of them would leave too few horizons among MOST_DATES."""

MOST_DATES = 12
"""Labelled dates that step back from the newest one; more of them tell little more than these."""

MOST_ROWS = 400_000
"""Rows of a panel; beyond, the same part of the customers is taken at every date."""

LEAST_HISTORY_DAYS = 28
"""History that a labelled date must have behind it: with less, nearly everyone has just come."""

YEAR_DAYS = 364
"""A year of whole weeks, so that a year earlier is the same day of the week."""


def fresh_days(first_day: int, as_of_day: int, horizon_days: int, further: Sequence[int]) -> tuple[int, ...]:
    """The steps between the newest labelled date and `as_of_day` at which a shorter horizon is over: they tell what is new.

    >>> fresh_days(0, 365, 90, (30, 180))
    (305, 335)
    """
    steps, oldest = _steps(horizon_days), first_day + LEAST_HISTORY_DAYS
    days = (as_of_day - (k * horizon_days) // steps for k in range(steps - 1, 0, -1))
    return tuple(day for day in days if day >= oldest and further and day + min(further) <= as_of_day)


def _steps(horizon_days: int) -> int:
    """How many steps of the panel make a horizon."""
    return min(MOST_STEPS, max(1, round(horizon_days / STEP_DAYS)))


FURTHER_DAYS = (30, 90, 180)
"""The horizons that a model tells of beside its own, where the history allows them."""


def further_horizons(first_day: int, as_of_day: int, horizon_days: int) -> tuple[int, ...]:
    """Those of FURTHER_DAYS, other than the model's own, that have passed once since LEAST_HISTORY_DAYS after the first purchase.

    >>> further_horizons(0, 150, 90)
    (30,)
    """
    longest = as_of_day - first_day - LEAST_HISTORY_DAYS
    return tuple(days for days in FURTHER_DAYS if days != horizon_days and days <= longest)


def panel_days(first_day: int, as_of_day: int, horizon_days: int) -> tuple[int, ...]:
    """The labelled dates (day numbers, ascending): from the newest with a complete horizon back in steps, and one a year before.

    A whole number of steps makes a horizon, so that the dates a whole number of horizons before `as_of_day` are among them.

    >>> panel_days(0, 365, 90)
    (35, 65, 95, 125, 155, 185, 215, 245, 275)
    >>> panel_days(0, 365, 100)
    (32, 65, 99, 132, 165, 199, 232, 265)
    >>> panel_days(0, 100, 90)
    ()
    """
    steps = _steps(horizon_days)
    newest, oldest = as_of_day - horizon_days, first_day + LEAST_HISTORY_DAYS
    back = (newest - (k * horizon_days) // steps for k in range(MOST_DATES))
    days = [day for day in back if day >= oldest]
    year_ago = as_of_day - YEAR_DAYS
    if days and oldest <= year_ago < days[-1] - horizon_days // (2 * steps):
        days.append(year_ago)
    return tuple(sorted(days))


def cut_days(days: Sequence[int], as_of_day: int, horizon_days: int, most: int) -> tuple[int, ...]:
    """Dates t, newest first, at which a procedure can be tried: a whole number of horizons before `as_of_day`, and labelled."""
    labelled = set(days)
    back = (as_of_day - k * horizon_days for k in range(1, most + 1))
    return tuple(day for day in back if day in labelled)


def study_ends(as_of_day: int, horizon_days: int) -> int:
    """The day up to which a study sees labels: the newest backtest date, which must judge what has not seen it.

    >>> study_ends(365, 90)
    275
    """
    return as_of_day - horizon_days


def sampled_customers(customer: Ints, rows_wanted: int) -> Flags:
    """Which rows (n,) to keep so that about `rows_wanted` remain: whole customers, the same ones at every date and every run."""
    if len(customer) <= rows_wanted:
        return np.ones(len(customer), dtype=bool)
    # A multiplicative hash spreads neighbouring codes evenly over [0, 1).
    place = (customer.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)
    return place / 2.0**53 < rows_wanted / len(customer)

"""The one door to time: days as integers, and the one function that compares an event with `as_of`.

A day is the number of days since 1970-01-01 in the company's zone; `as_of` is the start of its day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeAlias

NEVER_DAY = 2**31 - 1
"""The day of what has not happened: later than any date, so that no comparison meets a missing value."""

ALWAYS_DAY = -NEVER_DAY
"""The day on which something became known that nobody said was told later: before any date."""

NEVER_US = 2**63 - 1
"""The instant (UTC microseconds) of what has not happened."""

EPOCH = date(1970, 1, 1)

Column: TypeAlias = Any
"""An integer, a NumPy array, a series or a column expression: whatever has the usual operators."""


def day_number(day: date) -> int:
    """Days from 1970-01-01 to `day`; negative before it.

    >>> day_number(date(1970, 1, 2)), day_number(date(1969, 12, 31))
    (1, -1)
    """
    return (day - EPOCH).days


def day_date(day: int) -> date:
    """The calendar day of a day number; the inverse of `day_number`.

    >>> day_date(day_number(date(2024, 2, 29)))
    datetime.date(2024, 2, 29)
    """
    return EPOCH + timedelta(days=day)


def month_of(day: int) -> int:
    """Twelve times the year plus the month of a day number: neighbouring months differ by 1.

    >>> month_of(day_number(date(2024, 1, 1))) - month_of(day_number(date(2023, 12, 31)))
    1
    """
    return day_date(day).year * 12 + day_date(day).month


def known_before(as_of_day: int, known_day: Column, superseded_day: Column = NEVER_DAY) -> Column:
    """Whether a row counts at `as_of_day`: known strictly before it, and not yet replaced by a newer version known before it.

    An event at midnight of `as_of` has `known_day == as_of_day` and does not count; a version that became known on `as_of`
    itself does not yet replace its elder. Works alike on integers, NumPy arrays and column expressions.

    >>> known_before(10, 9), known_before(10, 10), known_before(10, 3, superseded_day=9), known_before(10, 3, superseded_day=10)
    (True, False, False, True)
    """
    return (known_day < as_of_day) & (superseded_day >= as_of_day)

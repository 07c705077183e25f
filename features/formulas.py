"""Row-wise formulas that several builders share. They work on expressions and on arrays alike.

What must be exact is an integer until the last step; so a result is the same in any order of rows and on any engine.
"""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations

SPLIT = 2**20
"""A number is split into `high * SPLIT + low`, so that sums of the products of its parts stay exact 64-bit integers."""

MILLION = 10**6
"""Numbers that are no amounts (quantity, severity ...) are counted in whole millionths, so that their sums are exact."""


def same(_: Operations, column: Column) -> Column:
    """The column as it is."""
    return column


def taken(column: str) -> Computed:
    """A column of the table, as it is."""
    return Computed(same, (column,))


def millionths(c: Operations, number: Column) -> Column:
    """A float as whole millionths; 0 where it is missing, so count the known ones beside it."""
    return c.whole(c.where(c.is_missing(number), 0.0, number) * float(MILLION) + 0.5)


def known(c: Operations, column: Column) -> Column:
    """1 where there is a value, 0 where it is missing."""
    return c.where(c.is_missing(column), 0, 1)


def month_number(day: Column) -> Column:
    """A running number of the calendar month that a day lies in: neighbouring months differ by 1.

    Integer arithmetic after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), with years from March on.

    >>> from datetime import date
    >>> from features.asof import day_number
    >>> days = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29), date(2024, 3, 1)]
    >>> [month_number(day_number(day)) - month_number(day_number(days[0])) for day in days]
    [0, 1, 2, 3]
    """
    since_march_of_year_0 = day + 719_468
    era = since_march_of_year_0 // 146_097
    day_of_era = since_march_of_year_0 - era * 146_097
    year = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    return (year + era * 400) * 12 + (5 * day_of_year + 2) // 153


def ratio(c: Operations, numerator: Column, denominator: Column) -> Column:
    """The quotient; missing over 0."""
    return c.divide(numerator, denominator)


def mean_millionths(c: Operations, total: Column, count: Column) -> Column:
    """The mean of `count` numbers whose sum is `total` millionths; missing without any."""
    return c.divide(total, count * MILLION)


def deviation(c: Operations, count: Column, total: Column, high: Column, squares: tuple[Column, Column, Column]) -> Column:
    """The sample standard deviation from exact sums; missing below two values.

    `total` is the sum, `high` the sum of the high parts, `squares` the sums of high*high, high*low and low*low. The sums are
    moved to the whole number below the mean before anything becomes a float, so nothing cancels.
    """
    high_high, high_low, low_low = squares
    low = total - high * SPLIT
    mean = total // c.where(count > 0, count, 1)
    mean_high = mean // SPLIT
    mean_low = mean - mean_high * SPLIT
    moved_high = high_high - 2 * mean_high * high + count * mean_high * mean_high
    moved_cross = high_low - mean_high * low - mean_low * high + count * mean_high * mean_low
    moved_low = low_low - 2 * mean_low * low + count * mean_low * mean_low
    rest = total - count * mean
    spread = moved_high * float(SPLIT) ** 2 + moved_cross * (2.0 * SPLIT) + moved_low
    return c.root(c.divide(spread - c.divide(rest * rest, count), c.where(count > 1, count - 1)))


def deviation_of_small(c: Operations, count: Column, total: Column, squares: Column) -> Column:
    """The sample standard deviation of integers so small that `count * squares` is exact; missing below two values."""
    return c.root(c.divide(count * squares - total * total, c.where(count > 1, count * (count - 1))))

"""Row-wise formulas that several builders share. They work on expressions and on arrays alike.

What must be exact is an integer until the last step; so a result is the same in any order of rows and on any engine.
"""

from __future__ import annotations

from features.asof import Column, known_before
from features.definitions import Computed, Operations

SPLIT = 2**20
"""A number is split into `high * SPLIT + low`, so that sums of the products of its parts stay exact 64-bit integers."""

EXACT_BELOW = 2.0**61
"""Up to here, rounding included, what floats say tells that 64-bit integers hold it."""

MOST_EXACT = 2**11
"""So many values, of which `columns.fits_exactly` is true, leave room for the products of their sums in 64 bits."""

FEW_VALUES, SMALL_SQUARES = 2**8, 2**12
"""Fewer values, with a smaller sum of high*high, have `count * squares` below EXACT_BELOW.

For a number is at most SPLIT * (high + 1), and so, by Cauchy and Schwarz, `squares` at most SPLIT**2 * (64 + 16)**2.
"""

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


def quotient(c: Operations, whole: Column, number: int) -> Column:
    """The largest integer not above a whole number (below 2**51) over a positive one.

    Half a step keeps the rounding away from the edges; times the inverse, because SQL engines write a divided column many times.
    """
    return c.whole((whole + 0.5) * (1 / number))


def month_number(c: Operations, day: Column) -> Column:
    """`asof.month_of` for a column of days from the year 0 on.

    Years begin in March, so that the leap day is the last. After C. Neri and L. Schneider, "Euclidean affine functions and
    their application to calendar algorithms" (2022).
    """
    quarter_days = 4 * day + (4 * 719_468 + 3)
    century = quotient(c, quarter_days, 146_097)
    day_of_century = 4 * quotient(c, quarter_days - century * 146_097, 4) + 3
    year = quotient(c, day_of_century, 1_461)
    day_of_year = quotient(c, day_of_century - year * 1_461, 4)
    return (100 * century + year) * 12 + quotient(c, 5 * day_of_year + 461, 153)


def difference(_: Operations, value: Column, earlier: Column) -> Column:
    """One column less another."""
    return value - earlier


def change(c: Operations, value: Column, earlier: Column) -> Column:
    """What a row adds to the row before: the sum of changes up to a day is the last value before it."""
    return value - c.where(c.is_missing(earlier), 0, earlier)


def product(_: Operations, a: Column, b: Column) -> Column:
    """One column times another."""
    return a * b


def positive(_: Operations, count: Column) -> Column:
    """Whether a count is above 0."""
    return count > 0


def later_day(c: Operations, day: Column, other_day: Column) -> Column:
    """The later of two days."""
    return c.where(day > other_day, day, other_day)


def happened(c: Operations, day: Column) -> Column:
    """Condition: what a day column tells of happened before `as_of`."""
    return known_before(c.as_of_day, day)


def not_happened(c: Operations, day: Column) -> Column:
    """Condition: what a day column tells of had not happened before `as_of`."""
    return ~known_before(c.as_of_day, day)


def ratio(c: Operations, numerator: Column, denominator: Column) -> Column:
    """The quotient; missing over 0."""
    return c.divide(numerator, denominator)


def mean_millionths(c: Operations, total: Column, count: Column) -> Column:
    """The mean of `count` numbers whose sum is `total` millionths; missing without any."""
    return c.divide(total, count * MILLION)


def rating_trend(c: Operations, points: Column, ratings: Column, last_points: Column, last_ratings: Column) -> Column:
    """The last rating less the mean of those before it, of points in millionths; missing while there is but one day of them."""
    return mean_millionths(c, last_points, last_ratings) - mean_millionths(c, points - last_points, ratings - last_ratings)


def deviation(c: Operations, count: Column, total: Column, *sums: Column) -> Column:
    """The sample standard deviation from exact sums; missing below two values.

    `total` is the sum, `sums` those of high, high*high, high*low and low*low. `count * squares - total * total` is put together
    of three integers: as an integer where it fits into 63 bits, so that nothing cancels; as a float where it is larger, and the
    last bits do not matter. Of more than MOST_EXACT values even the three may leave 64 bits, so they are floats throughout.
    """
    high, high_high, high_low, low_low = sums
    if c.all_below(count, FEW_VALUES) and c.all_below(high_high, SMALL_SQUARES):
        return deviation_of_small(c, count, total, high_high * SPLIT**2 + high_low * (2 * SPLIT) + low_low)
    low = total - high * SPLIT
    highs = count * high_high - high * high
    crossed = count * high_low - high * low
    lows = count * low_low - low * low
    squares = high_high * float(SPLIT) ** 2 + high_low * (2.0 * SPLIT) + low_low
    few = c.once(count <= MOST_EXACT)
    large = c.once(
        c.where(few, highs * float(SPLIT) ** 2 + crossed * (2.0 * SPLIT) + lows, squares * count - (total * 1.0) * total)
    )
    fits = c.once(few & (large < EXACT_BELOW))
    exact = c.where(fits, highs, 0) * SPLIT**2 + c.where(fits, crossed, 0) * (2 * SPLIT) + lows
    return c.once(c.root(c.divide(c.where(fits, exact, large), count * (count - 1))))


def deviation_of_small(c: Operations, count: Column, total: Column, squares: Column) -> Column:
    """The sample standard deviation of integers so small that `count * squares` is exact; missing below two values."""
    return c.root(c.divide(count * squares - total * total, count * (count - 1)))

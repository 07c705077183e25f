"""Some rows of a view, and what they give for each pair of a customer and a date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from features.arrays.extremes import RangeExtremes
from features.arrays.operations import Array, Floats, Integers
from features.definitions import Aggregate

Placed = Callable[[int | None], Integers]
"""Age -> for each pair the position after its rows that are older, as in `Positions.before`."""


class Selection:
    """Those `rows` of a view (None: all) and where the pairs stand among them; no pair has more than `longest` of them.

    `as_of_day` is the day of each pair's date, or that of all.
    """

    def __init__(
        self, columns: Mapping[str, Array], rows: Array | None, before: Placed, as_of_day: Integers | int, longest: int
    ) -> None:
        self._columns, self._rows, self._before = columns, rows, before
        self._as_of_day, self._longest = as_of_day, longest
        self._running: dict[str, Integers] = {}
        self._sums: dict[tuple[str, int | None], Integers] = {}
        self._extremes: dict[tuple[str, str], RangeExtremes] = {}

    def where(self, condition: Array) -> Selection:
        """The rows for which a condition holds."""
        holding = running(condition)
        before = cache(lambda age: holding[self._before(age)])
        return Selection(self._columns, condition, before, self._as_of_day, self._longest)

    def take(self, one: Aggregate) -> Array:
        """One value per pair: counts and sums as int64, minima and maxima as float64, missing where no row counts."""
        first, end = self._before(one.window.oldest), self._before(one.window.newest)
        if one.how == "count":
            return end - first
        if one.column == "age":
            return self._sum_of_ages(one, first, end) if one.how == "sum" else self._age(one.how, first, end)
        if one.how == "sum":
            return self._sum(one.column, one)
        return self._range_extremes(one.how, one.column).of(first, end)

    def _sum(self, name: str, one: Aggregate) -> Integers:
        return np.asarray(self._sum_before(name, one.window.newest) - self._sum_before(name, one.window.oldest))

    def _sum_of_ages(self, one: Aggregate, first: Integers, end: Integers) -> Integers:
        return np.asarray(self._as_of_day * (end - first) - self._sum("day", one))

    def _sum_before(self, name: str, age: int | None) -> Integers:
        """The sum of a column over the rows before the position; windows share their ends, so each is looked up once."""
        if name not in self._running:
            self._running[name] = running(_whole(self._column(name)))
        if (name, age) not in self._sums:
            self._sums[name, age] = self._running[name][self._before(age)]
        return self._sums[name, age]

    def _range_extremes(self, how: str, name: str) -> RangeExtremes:
        if (how, name) not in self._extremes:
            self._extremes[how, name] = RangeExtremes(how, self._column(name), self._longest)
        return self._extremes[how, name]

    def _age(self, how: str, first: Integers, end: Integers) -> Floats:
        """The age of the last row (the least) or of the first (the most)."""
        days = np.append(self._column("day"), 0)  # an empty range may begin, or end, beyond the last row
        age: Floats = (self._as_of_day - days[end - 1 if how == "min" else first]).astype(np.float64)
        np.copyto(age, np.nan, where=first == end)
        return age

    def _column(self, name: str) -> Array:
        return self._columns[name] if self._rows is None else self._columns[name][self._rows]


def running(column: Array) -> Integers:
    """The sum of the rows before each position; int64 may wrap around on the way, the differences taken of it do not."""
    sums = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(column, out=sums[1:])
    return sums


def _whole(column: Array) -> Array:
    """A column of whole numbers as integers, missing ones as 0."""
    return column if column.dtype.kind in "iub" else np.where(np.isnan(column), 0, column).astype(np.int64)

"""Some rows of a view, and what they give for each pair of a customer and a date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from features.arrays.extremes import RangeExtremes
from features.arrays.operations import Array, Floats, Integers
from features.definitions import Aggregate, Window

Placed = Callable[[int | None], Integers]
"""An age -> for each pair the position after its rows that are older."""


class Selection:
    """Those `rows` of a view (None: all) and where the pairs stand among them; no pair has more than `longest` of them.

    `as_of_day` is the day of each pair's date, or that of all.
    """

    def __init__(
        self, columns: Mapping[str, Array], rows: Array | None, placed: Placed, as_of_day: Integers | int, longest: int
    ) -> None:
        self._columns, self._rows, self._placed = columns, rows, placed
        self._as_of_day, self._longest = as_of_day, longest
        self._positions: dict[int | None, Integers] = {}
        self._running: dict[str, Integers] = {}
        self._sums: dict[tuple[str, int | None], Integers] = {}
        self._extremes: dict[tuple[str, str], RangeExtremes] = {}

    def where(self, condition: Array) -> Selection:
        """The rows for which a condition holds."""
        holding = running(condition)
        rows = condition.nonzero()[0]
        return Selection(self._columns, rows, lambda age: holding[self._before(age)], self._as_of_day, self._longest)

    def of_each_date(self, conditions: Sequence[Array], dates: Sequence[slice]) -> Selection:
        """The rows for which the condition of a date holds, date after date; `dates` are the pairs of each."""
        holding = [running(condition) for condition in conditions]
        offsets = np.cumsum([0, *(sums[-1] for sums in holding[:-1])]).tolist()
        parts = list(zip(holding, dates, offsets, strict=True))

        def placed(age: int | None) -> Integers:
            before = self._before(age)
            return np.concatenate([sums[before[pairs]] + offset for sums, pairs, offset in parts])

        rows = np.concatenate([np.flatnonzero(condition) for condition in conditions])
        return Selection(self._columns, rows, placed, self._as_of_day, self._longest)

    def take(self, one: Aggregate) -> Array:
        """One value per pair: counts and sums as int64, minima and maxima as float64, missing where no row counts."""
        if one.how == "count":
            return self._count(one.window)
        if one.how == "sum":
            return self._sum_of_ages(one.window) if one.column == "age" else self._sum(one.column, one.window)
        return self._age(one.how, one.window) if one.column == "age" else self._extreme(one.how, one.column, one.window)

    def _before(self, age: int | None) -> Integers:
        """The positions of one age; each is looked up once."""
        if age not in self._positions:
            self._positions[age] = self._placed(age)
        return self._positions[age]

    def _count(self, window: Window) -> Integers:
        return np.asarray(self._before(window.newest) - self._before(window.oldest))

    def _sum(self, name: str, window: Window) -> Integers:
        if name not in self._running:
            self._running[name] = running(whole(self._column(name)))
        return np.asarray(self._sum_before(name, window.newest) - self._sum_before(name, window.oldest))

    def _sum_before(self, name: str, age: int | None) -> Integers:
        """The running sum at the position of an age; windows share their ends, so each is looked up once."""
        if (name, age) not in self._sums:
            self._sums[name, age] = self._running[name].take(self._before(age))
        return self._sums[name, age]

    def _sum_of_ages(self, window: Window) -> Integers:
        return np.asarray(self._as_of_day * self._count(window) - self._sum("day", window))

    def _age(self, how: str, window: Window) -> Floats:
        """The age of the last row (the least) or of the first (the most)."""
        first, end = self._before(window.oldest), self._before(window.newest)
        days = np.concatenate((self._column("day"), (0,)))  # an empty range may begin, or end, beyond the last row
        age: Floats = (self._as_of_day - days[end - 1 if how == "min" else first]).astype(np.float64)
        np.copyto(age, np.nan, where=first == end)
        return age

    def _extreme(self, how: str, name: str, window: Window) -> Floats:
        if (how, name) not in self._extremes:
            self._extremes[how, name] = RangeExtremes(how, self._column(name), self._longest)
        return self._extremes[how, name].of(self._before(window.oldest), self._before(window.newest))

    def _column(self, name: str) -> Array:
        return self._columns[name] if self._rows is None else self._columns[name][self._rows]


def running(column: Array) -> Integers:
    """The sum of the rows before each position; int64 may wrap around on the way, the differences taken of it do not."""
    sums = np.zeros(len(column) + 1, dtype=np.int64)
    column.cumsum(out=sums[1:])
    return sums


def whole(column: Array) -> Array:
    """A column of whole numbers as integers, missing ones as 0."""
    return column if column.dtype.kind in "iub" else np.where(np.isnan(column), 0, column).astype(np.int64)

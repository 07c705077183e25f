"""Some rows of a view, and what they give for each pair of a customer and a date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from features.arrays.extremes import RangeExtremes
from features.arrays.operations import Array, Floats, Integers
from features.definitions import Aggregate, Window

Placed = Callable[[int | None], Integers]
"""An age -> for each pair the position after its rows that are older."""


class Selection:
    """The rows of a view that are `chosen`, and where the pairs stand among them; no pair has more than `longest` of them.

    `chosen` says it of every row, or of every row again and again, for date after date; None: all are. `as_of_day` is the day of
    each pair's date, or that of all.
    """

    def __init__(
        self, columns: Mapping[str, Array], chosen: Array | None, placed: Placed, as_of_day: Integers | int, longest: int
    ) -> None:
        self._columns, self._chosen, self._placed = columns, chosen, placed
        self._as_of_day, self._longest = as_of_day, longest
        self._positions: dict[int | None, Integers] = {}
        self._running: dict[str, Integers] = {}
        self._newest: dict[str, Integers] = {}
        self._extremes: dict[tuple[str, str], RangeExtremes] = {}

    def where(self, condition: Array) -> Selection:
        """The rows for which a condition holds."""
        holding = running(condition)
        return Selection(self._columns, condition, lambda age: holding.take(self._before(age)), self._as_of_day, self._longest)

    def of_each_date(self, conditions: Sequence[Array], dates: Sequence[slice]) -> Selection:
        """The rows for which the condition of a date holds, date after date; `dates` are the pairs of each."""
        chosen = np.concatenate(conditions)
        holding, rows = running(chosen), len(conditions[0])
        earlier = np.repeat(np.arange(len(dates)) * rows, [pairs.stop - pairs.start for pairs in dates])

        def placed(age: int | None) -> Integers:
            return holding.take(self._before(age) + earlier)

        return Selection(self._columns, chosen, placed, self._as_of_day, self._longest)

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
        earlier = self._running[name].take(self._before(window.oldest))
        return np.subtract(self._until(name, window.newest), earlier, out=earlier)  # no further memory for the cache to hold

    def _until(self, name: str, age: int) -> Integers:
        """The running sum at the position of an age; that of 0, where most windows end, is kept."""
        if age > 0:
            return self._running[name].take(self._before(age))
        if name not in self._newest:
            self._newest[name] = self._running[name].take(self._before(age))
        return self._newest[name]

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
        return self._columns[name] if self._chosen is None else self._columns[name][self._rows]

    @cached_property
    def _rows(self) -> Integers:
        """The numbers of the chosen rows. Most selections only count, and are never asked for them."""
        return np.flatnonzero(np.asarray(self._chosen)) % len(self._columns["day"])


def running(column: Array) -> Integers:
    """The sum of the rows before each position; int64 may wrap around on the way, the differences taken of it do not."""
    sums = np.zeros(len(column) + 1, dtype=np.int64)
    column.cumsum(out=sums[1:])
    return sums


def whole(column: Array) -> Array:
    """A column of whole numbers as integers, missing ones as 0."""
    return column if column.dtype.kind in "iub" else np.where(np.isnan(column), 0, column).astype(np.int64)

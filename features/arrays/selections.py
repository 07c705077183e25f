"""Some rows of a view, and what they give for each pair of a customer and a date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter

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

    def where(self, condition: Array) -> Selection:
        """The rows for which a condition holds."""
        holding, positions = running(condition), {}

        def before(age: int | None) -> Integers:
            if age not in positions:
                positions[age] = holding[self._before(age)]
            return positions[age]

        return Selection(self._columns, condition, before, self._as_of_day, self._longest)

    def take(self, aggregates: Iterable[Aggregate]) -> Iterator[tuple[str, Array]]:
        """Names of aggregates with one value per pair; those of a column should stand side by side.

        Counts and sums are int64, minima and maxima float64, missing where no row counts.
        """
        for (how, column), members in groupby(aggregates, key=attrgetter("how", "column")):
            if how == "count":
                yield from ((one.name, self._count(one)) for one in members)
            elif how == "sum":
                yield from self._sums(column, members)
            elif column == "age":
                yield from ((one.name, self._age(one)) for one in members)
            else:
                yield from self._extremes(how, column, members)

    def _count(self, one: Aggregate) -> Integers:
        return np.asarray(self._before(one.window.newest) - self._before(one.window.oldest))

    def _sums(self, name: str, members: Iterable[Aggregate]) -> Iterator[tuple[str, Integers]]:
        """Differences of the running sum at two positions; windows share their ends, so each is looked up once."""
        sums = running(_whole(self._column("day" if name == "age" else name)))
        taken: dict[int | None, Integers] = {}
        for one in members:
            oldest, newest = one.window.oldest, one.window.newest
            for age in (oldest, newest):
                if age not in taken:
                    taken[age] = sums[self._before(age)]
            total = taken[newest] - taken[oldest]
            yield one.name, self._as_of_day * self._count(one) - total if name == "age" else total

    def _age(self, one: Aggregate) -> Floats:
        """The age of the last row (the least) or of the first (the most)."""
        first, end = self._before(one.window.oldest), self._before(one.window.newest)
        days = np.append(self._column("day"), 0)  # an empty range may begin, or end, beyond the last row
        age: Floats = (self._as_of_day - days[end - 1 if one.how == "min" else first]).astype(np.float64)
        np.copyto(age, np.nan, where=first == end)
        return age

    def _extremes(self, how: str, name: str, members: Iterable[Aggregate]) -> Iterator[tuple[str, Floats]]:
        extremes = RangeExtremes(how, self._column(name), self._longest)
        for one in members:
            yield one.name, extremes.of(self._before(one.window.oldest), self._before(one.window.newest))

    def _column(self, name: str) -> Array:
        return self._columns[name] if self._rows is None else self._columns[name][self._rows]


def running(column: Array) -> Integers:
    """The sum of the rows before each position; int64 may wrap around on the way, the differences taken of it do not."""
    sums = np.zeros(len(column) + 1, dtype=np.int64)
    column.cumsum(out=sums[1:])
    return sums


def _whole(column: Array) -> Array:
    """A column of whole numbers as integers, missing ones as 0."""
    return column if column.dtype.kind in "iub" else np.where(np.isnan(column), 0, column).astype(np.int64)

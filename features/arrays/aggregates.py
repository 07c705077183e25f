"""The aggregates of a view for pairs of customers and dates: differences of running sums, first and last rows, extremes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from features.arrays.ledgers import CUSTOMER
from features.arrays.operations import Array, ArrayOperations, Columns, DateAskedError, Floats, Integers
from features.arrays.positions import Pairs, Positions
from features.definitions import Aggregate, Computed, View

Placed = Callable[[int | None], Integers]
"""Age -> for each pair the position after its rows that are older, as in `Positions.before`."""


class Selection:
    """Rows of a view, and where those of each pair stand among them."""

    def __init__(self, columns: Mapping[str, Array], rows: Array | None, before: Placed, as_of_day: Array) -> None:
        self._columns, self._rows, self._before, self._as_of_day = columns, rows, before, as_of_day
        self._sums: dict[str, Integers] = {}
        self._placed: dict[int | None, Integers] = {}

    def where(self, condition: Array, pairs: slice = slice(None)) -> Selection:
        """The rows for which a condition holds, for some of the pairs."""
        holding = _running(condition)
        return Selection(self._columns, condition, lambda age: holding[self.before(age)[pairs]], self._as_of_day[pairs])

    def before(self, age: int | None) -> Integers:
        """See `Positions.before`; each age is looked up once."""
        if age not in self._placed:
            self._placed[age] = self._before(age)
        return self._placed[age]

    def column(self, name: str) -> Array:
        """A column of these rows."""
        return self._columns[name] if self._rows is None else self._columns[name][self._rows]

    def take(self, one: Aggregate) -> Array:
        """One value per pair: counts and sums as int64, minima and maxima as float64, missing where no row counts."""
        first, end = self.before(one.window.oldest), self.before(one.window.newest)
        if one.how == "count":
            return end - first
        if one.how == "sum":
            return self._sum(one.column, first, end)
        if one.column == "age":
            return self._age(one.how, first, end)
        return _extreme(one.how, self.column(one.column), first, end)

    def _sum(self, name: str, first: Integers, end: Integers) -> Integers:
        if name == "age":
            return np.asarray(self._as_of_day * (end - first) - self._sum("day", first, end))
        if name not in self._sums:
            self._sums[name] = _running(_whole(self.column(name)))
        running = self._sums[name]
        return np.asarray(running[end] - running[first])

    def _age(self, how: str, first: Integers, end: Integers) -> Floats:
        """The age of the last row (the least) or of the first (the most)."""
        days = np.append(self.column("day"), 0)  # an empty range may begin, or end, beyond the last row
        age: Floats = (self._as_of_day - days[end - 1 if how == "min" else first]).astype(np.float64)
        np.copyto(age, np.nan, where=first == end)
        return age


def aggregated(
    view: View, aggregates: Sequence[Aggregate], rows: Columns, pairs: Pairs, operations: ArrayOperations
) -> tuple[Integers | slice, dict[str, Array]]:
    """For which of the pairs there are rows at all, and their aggregates."""
    positions = Positions(rows[CUSTOMER], rows["day"], pairs, [one.window for one in aggregates])
    every = Selection(rows, None, positions.before, np.asarray(pairs.days)[positions.date])
    taken = {}
    for condition in sorted({one.where for one in aggregates}):
        members = [one for one in aggregates if one.where == condition]
        dates = list(zip(pairs.days, positions.slices, strict=True))
        selections = _selections(every, view.conditions.get(condition), rows, dates, operations)
        for one in members:
            parts = [selection.take(one) for selection in selections]
            taken[one.name] = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return positions.chosen, taken


def _selections(
    every: Selection,
    condition: Computed | None,
    rows: Columns,
    dates: Sequence[tuple[int, slice]],
    operations: ArrayOperations,
) -> list[Selection]:
    """The selection under a condition, or one for each date where the condition asks for it."""
    if condition is None:
        return [every]
    if "age" not in condition.inputs:
        try:
            return [every.where(operations.evaluate(condition, rows))]
        except DateAskedError:
            pass
    return [every.where(operations.at(day).evaluate(condition, rows | {"age": day - rows["day"]}), here) for day, here in dates]


def _whole(column: Array) -> Array:
    """A column of whole numbers as integers, missing ones as 0."""
    return column if column.dtype.kind in "iub" else np.where(np.isnan(column), 0, column).astype(np.int64)


def _running(column: Array) -> Integers:
    """The sum of the rows before each position; int64 may wrap around on the way, the differences taken of it do not."""
    running = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(column, out=running[1:])
    return running


def _extreme(how: str, column: Array, first: Integers, end: Integers) -> Floats:
    """The least or greatest known value from each first row to the one before end; missing where there is none."""
    combine, beyond = (np.minimum, np.inf) if how == "min" else (np.maximum, -np.inf)
    values = np.append(column, beyond)
    np.copyto(values, beyond, where=np.isnan(values))
    bounds = np.stack((first, end), axis=1).ravel()
    extreme = combine.reduceat(values, bounds)[::2] if len(first) else np.empty(0)
    return np.where((first == end) | (extreme == beyond), np.nan, extreme)

"""The aggregates of a view for pairs of customers and dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.arrays.ledgers import CUSTOMER
from features.arrays.operations import Array, ArrayOperations, Columns, DateAskedError, Integers
from features.arrays.positions import Pairs, Positions
from features.arrays.selections import Selection, whole
from features.definitions import Aggregate, View


class Aggregates:
    """What is taken of some rows of a view, for those of the pairs whose customer has a row at all: of `chosen` (an index).

    `ages` are the bounds of all windows that will be asked for.
    """

    def __init__(self, view: View, rows: Columns, pairs: Pairs, ages: frozenset[int | None], operations: ArrayOperations) -> None:
        self._view, self._rows, self._operations = view, rows, operations
        self._positions = Positions(rows[CUSTOMER], rows["day"], pairs, ages)
        self._every = Selection(rows, None, self._positions.before, self._positions.as_of_day, self._positions.longest)
        self._selections = {"": self._every}
        self._held: dict[str, Array] = {}

    @property
    def chosen(self) -> Integers | slice:
        """For which of the pairs there is a value."""
        return self._positions.chosen

    def take(self, one: Aggregate) -> Array:
        """The values of an aggregate, as in `Selection.take`."""
        return self._under(one.where).take(one)

    def sums(self, columns: Sequence[tuple[str, str]], ages: tuple[int | None, ...], bounds: Array) -> Integers:
        """Many sums at once, one row each: `bounds` (3, sums) has the number of its column, of its newest and its oldest age.

        A column is a condition and what is summed where it holds; no name of a column stands for 1, and so for a count.
        """
        sums = np.zeros((len(columns), len(self._rows["day"]) + 1), dtype=np.int64)
        for row, (condition, name) in zip(sums, columns, strict=True):
            values = whole(self._rows[name]) if name else 1
            row[1:] = values * self._holding(condition) if condition else values
        sums.cumsum(axis=1, out=sums)
        column, newest, oldest = bounds
        taken = sums[:, self._positions.before_each(ages)]
        return np.asarray(taken[column, newest] - taken[column, oldest])

    def _under(self, condition: str) -> Selection:
        """The rows for which a condition holds; where that depends on the date, those of each date one after another."""
        if condition not in self._selections:
            try:
                self._selections[condition] = self._every.where(self._holding(condition))
            except DateAskedError:
                dates = [self._holds(condition, self._rows, self._operations.at(day)) for day in self._positions.days]
                self._selections[condition] = self._every.of_each_date(dates, self._positions.slices)
        return self._selections[condition]

    def _holding(self, condition: str) -> Array:
        if condition not in self._held:
            self._held[condition] = self._holds(condition, self._rows, self._operations)
        return self._held[condition]

    def _holds(self, condition: str, rows: Columns, operations: ArrayOperations) -> Array:
        """For which rows a condition holds; DateAskedError where it asks for the date and there are several."""
        computed = self._view.conditions[condition]
        if "age" in computed.inputs:
            rows = rows | {"age": operations.as_of_day - rows["day"]}
        return np.asarray(operations.evaluate(computed, rows))

"""Where, among the sorted rows of a view, each customer's rows before a day end: counts and sums are differences of that.

A worked example. The purchase days of a customer are 3, 8, 9 and 20, in rows 0 to 3. At the dates 10 and 30, all time and the
last 10 days ask for the rows before the days 10 and 30, and before 0 and 20: positions 3 and 4, and 0 and 3. So the last 10
days hold 3 - 0 = 3 and 4 - 3 = 1 purchase days, and their spend is the difference of the running sum at the same positions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from features.arrays.operations import Array, Integers
from features.definitions import Window


@dataclass(frozen=True)
class Pairs:
    """Customers at dates, each pair a row to make: date by date, the customers of a date ascending.

    `date` and `customer` are their numbers in the block; the pairs of date number i are `slices[i]`.
    """

    days: Sequence[int]
    customers: int
    date: Integers
    customer: Integers
    slices: Sequence[slice]

    @classmethod
    def of(cls, days: Sequence[int], present: Array) -> Pairs:
        """The pairs that `present` (dates, customers) asks for."""
        date, customer = np.nonzero(present)
        return cls(days, present.shape[1], date, customer, _slices(date, len(days)))

    def __len__(self) -> int:
        return len(self.date)

    def at(self, date: int) -> Pairs:
        """The pairs of one date."""
        customer = self.customer[self.slices[date]]
        return Pairs([self.days[date]], self.customers, np.zeros_like(customer), customer, [slice(0, len(customer))])


def _slices(date: Integers, dates: int) -> list[slice]:
    """Where each date stands in sorted numbers of dates."""
    return [slice(*bounds) for bounds in pairwise(np.searchsorted(date, np.arange(dates + 1)).tolist())]


class Positions:
    """The positions of the pairs whose customer has a row at all: of `chosen` (an index), the others have nothing.

    `customer` and `day` are those of the rows, sorted.
    """

    def __init__(self, customer: Integers, day: Integers, pairs: Pairs, windows: Collection[Window]) -> None:
        counts = np.bincount(customer, minlength=pairs.customers)
        having = np.flatnonzero(counts)
        slot_of = np.cumsum(counts > 0) - 1
        self.chosen: Integers | slice = slice(None)
        if len(having) < pairs.customers:
            self.chosen = np.flatnonzero(counts[pairs.customer])
        self.date, self._slots = pairs.date[self.chosen], len(having)
        self.slices = _slices(self.date, len(pairs.days))
        self._slot = slot_of[pairs.customer[self.chosen]]
        self._starts = (np.cumsum(counts) - counts)[having]
        ages = sorted({age for window in windows for age in (window.newest, window.oldest) if age is not None})
        edges = sorted({as_of_day - age for as_of_day in pairs.days for age in ages})
        self._row_of_edge = {age: np.array([edges.index(as_of_day - age) for as_of_day in pairs.days]) for age in ages}
        self._table = self._counted(np.searchsorted(edges, day, side="right"), slot_of[customer], len(edges))
        self._taken: dict[int | None, Integers] = {}

    def _counted(self, edge: Integers, slot: Integers, edges: int) -> Integers:
        """For each edge and customer the position before that day, flat."""
        cells = np.bincount(edge * self._slots + slot, minlength=(edges + 1) * self._slots)
        before = cells[: edges * self._slots].reshape(edges, self._slots)
        before[:1] += self._starts
        return np.cumsum(before, axis=0, out=before).ravel()

    def before(self, age: int | None) -> Integers:
        """For each chosen pair the position of the first row that is not older than `age` days; None: of the first at all."""
        if age not in self._taken:
            cell = self._slot if age is None else (self._row_of_edge[age] * self._slots)[self.date] + self._slot
            self._taken[age] = (self._starts if age is None else self._table)[cell]
        return self._taken[age]

    def of(self, window: Window) -> tuple[Integers, Integers]:
        """For each chosen pair the positions between which the rows of a window are: the first, and the one after the last."""
        return self.before(window.oldest), self.before(window.newest)

"""Where, among the sorted rows of a view, each customer's rows before a day end: counts and sums are differences of that.

A worked example. The purchase days of a customer are 3, 8, 9 and 20, in rows 0 to 3. At the dates 10 and 30, all time and the
last 10 days ask for the rows before the days 10 and 30, and before 0 and 20: positions 3 and 4, and 0 and 3. So the last 10
days hold 3 - 0 = 3 and 4 - 3 = 1 purchase days, and their spend is the difference of the running sum at the same positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np

from features.arrays.operations import Array, Integers


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

    @cached_property
    def count(self) -> int:
        """How many pairs there are."""
        return len(self.date)

    def at(self, date: int) -> Pairs:
        """The pairs of one date."""
        customer = self.customer[self.slices[date]]
        return Pairs([self.days[date]], self.customers, np.zeros_like(customer), customer, [slice(0, len(customer))])


def _slices(date: Integers, dates: int) -> list[slice]:
    """Where each date stands in sorted numbers of dates."""
    return [slice(*bounds) for bounds in pairwise(np.searchsorted(date, np.arange(dates + 1)).tolist())]


@dataclass(frozen=True)
class Edges:
    """The days, ascending, before which rows are counted: those so many days (ages) before each date.

    `number` says of an age which edges are its own, by date: 1 is the first one; 0, of all time (None), is before every row.
    """

    days: Integers
    number: Mapping[int | None, Integers]
    between: Integers
    """For each day from the one before the first edge to the last edge, how many edges are not after it."""
    _of_many: dict[tuple[int | None, ...], Integers] = field(default_factory=dict, init=False, repr=False)

    def numbers(self, ages: tuple[int | None, ...]) -> Integers:
        """`number` of many ages (rows), by date; made once, for edges serve many blocks and requests."""
        if ages not in self._of_many:
            self._of_many[ages] = np.array([self.number[age] for age in ages])
        return self._of_many[ages]

    def row(self, day: Integers, width: int) -> Integers:
        """Where the row of each day begins in a flat table of this `width`: row n + 1 is for days that n edges are not after."""
        lowest = self.days[0] - 1
        begins = (self.between + 1) * width
        return np.asarray(begins[np.minimum(np.maximum(day, lowest), self.days[-1]) - lowest])


@lru_cache(maxsize=256)
def _edges(dates: tuple[int, ...], ages: frozenset[int | None]) -> Edges:
    known = [age for age in ages if age is not None]
    days = np.unique([as_of_day - age for as_of_day in dates for age in known])
    number: dict[int | None, Integers] = {age: np.searchsorted(days, np.array(dates) - age) + 1 for age in known}
    number[None] = np.zeros(len(dates), dtype=np.int64)
    return Edges(days, number, np.searchsorted(days, np.arange(days[0] - 1, days[-1] + 1), side="right"))


class Positions:
    """The positions of the pairs whose customer has a row at all: of `chosen` (an index), the others have nothing.

    `customer` and `day` are those of the rows, sorted; `ages` are those that will be asked for. Customers with rows are
    numbered by slot.
    """

    def __init__(self, customer: Integers, day: Integers, pairs: Pairs, ages: frozenset[int | None]) -> None:
        counts = np.bincount(customer, minlength=pairs.customers)
        self.longest, self.days = int(counts.max(initial=0)), pairs.days
        self.chosen: Integers | slice = slice(None)
        self._date, self._slot, self._row_slot = pairs.date, pairs.customer, customer
        if not counts.all():
            self._leave_out(counts > 0)
            counts = counts[counts > 0]
        self._starts = counts.cumsum() - counts
        self._edges = _edges(tuple(pairs.days), ages)
        self._table = self._counted(day)
        everyone = len(self._date) == len(self.days) * len(self._starts)
        self._cell = None if everyone else self._date * len(self._starts) + self._slot

    def _leave_out(self, having: Array) -> None:
        """Those who are not among the customers with rows."""
        slot_of = having.cumsum() - 1
        self.chosen = np.flatnonzero(having[self._slot])
        self._date, self._slot = self._date[self.chosen], slot_of[self._slot[self.chosen]]
        self._row_slot = slot_of[self._row_slot]

    @property
    def slices(self) -> list[slice]:
        """Where the chosen pairs of each date stand."""
        return _slices(self._date, len(self.days))

    @property
    def as_of_day(self) -> Integers:
        """The day of the date of each chosen pair."""
        return np.asarray(self.days)[self._date]

    def _counted(self, day: Integers) -> Integers:
        """For each edge (rows) and slot (columns) the position before that day: counts in cells, cumulated over the edges."""
        edges, slots = len(self._edges.days), len(self._starts)
        cells = np.bincount(self._edges.row(day, slots) + self._row_slot, minlength=(edges + 2) * slots)
        table = cells[: (edges + 1) * slots].reshape(edges + 1, slots)
        table[0] = self._starts
        for earlier, row in pairwise(table):  # several times faster than NumPy's cumsum along the first axis
            np.add(row, earlier, out=row)
        return table

    def before(self, age: int | None) -> Integers:
        """For each chosen pair the position after its rows that are older; None: before all rows."""
        of_all = self._table.take(self._edges.number[age], axis=0).ravel()
        return of_all if self._cell is None else of_all.take(self._cell)

    def before_each(self, ages: tuple[int | None, ...]) -> Integers:
        """The same for many ages (rows)."""
        of_all = self._table.take(self._edges.numbers(ages), axis=0).reshape(len(ages), -1)
        return of_all if self._cell is None else of_all.take(self._cell, axis=1)

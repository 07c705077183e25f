"""Feature rows of a block of customers: from the rows of its tables over views and aggregates to formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from features.arrays.aggregates import Aggregates
from features.arrays.ledgers import CUSTOMER, Ledger
from features.arrays.operations import Array, ArrayOperations, Columns, DateAskedError, Floats
from features.arrays.positions import Pairs
from features.arrays.rows import known_rows, view_rows, where
from features.arrays.stacks import stacked_features
from features.definitions import Aggregate, Formula, View
from features.recipe import BASE, Recipe

FEW_PAIRS = 64
"""Up to how many pairs of one date the short way is shorter."""


class Part(NamedTuple):
    """Rows of a table that count together, the pairs for which they do, and where these stand among all pairs."""

    rows: Columns
    pairs: Pairs
    place: slice


class Block:
    """What a recipe makes for pairs whose customers are the places of the ledgers from `first` on.

    A table that is not among the ledgers is not known: what builds on it is missing (NaN).
    """

    def __init__(
        self, recipe: Recipe, ledgers: Mapping[str, Ledger], first: int, pairs: Pairs, operations: ArrayOperations
    ) -> None:
        self._recipe, self._ledgers, self._first, self._pairs = recipe, ledgers, first, pairs
        self._operations = operations.at(pairs.days[0]) if len(pairs.days) == 1 else operations
        self._whole: dict[str, Part] = {}
        self._parts: dict[str, Sequence[Part]] = {}
        self._views: dict[str, Sequence[tuple[slice, Aggregates]]] = {}

    def bought(self) -> Array:
        """Which pairs have a row: those whose customer has a purchase known before the date."""
        return self._taken(BASE) > 0

    def matrix(self) -> Floats:
        """The features (columns) of all pairs (rows)."""
        if self._pairs.count <= FEW_PAIRS and len(self._pairs.days) == 1:
            known = {name: self._of_view(name) for name in self._recipe.views}
            views = {name: parts[0][1] for name, parts in known.items() if parts}
            tables = frozenset(self._ledgers)
            return stacked_features(self._recipe, views, tables, self._pairs.count, self._operations).T
        matrix = np.empty((self._pairs.count, len(self._recipe.features)))
        for column, (_, values) in zip(matrix.T, self.features(), strict=True):
            column[:] = values
        return matrix

    def features(self) -> Iterator[tuple[str, Array]]:
        """The features by name, in order, missing as NaN.

        Each is handed out as soon as it is made, and no aggregate is kept longer than it is needed: so what is at work is
        little, and stays in the cache of the core.
        """
        held: dict[str, Array] = {}
        for name, formula, inputs, done_with in self._recipe.steps:
            columns = []
            for one in inputs:
                if one.name not in held:
                    held[one.name] = self._taken(one)
                columns.append(held[one.name])
            try:
                yield name, formula(self._operations, *columns)
            except DateAskedError:
                yield name, self._date_by_date(formula, columns)
            for done in done_with:
                del held[done]

    def _taken(self, one: Aggregate) -> Array:
        """An aggregate for all pairs: nothing (0 or missing) for those without rows."""
        pairs, parts = self._pairs.count, self._of_view(one.view)
        column: Array | None = None
        for place, aggregates in parts:
            values = aggregates.take(one)
            if len(values) == pairs:
                return values
            if column is None:
                column = np.zeros(pairs, np.int64) if values.dtype == np.int64 else np.full(pairs, np.nan)
            column[place][aggregates.chosen] = values
        return np.full(pairs, np.nan) if column is None else column

    def _of_view(self, name: str) -> Sequence[tuple[slice, Aggregates]]:
        """The aggregates of a view in parts, made when they are first asked for; none where the table is not known."""
        if name not in self._views:
            view, ages, operations = self._recipe.views[name], self._recipe.ages[name], self._operations
            self._views[name] = [
                (part.place, Aggregates(view, view_rows(view, part.rows, operations), part.pairs, ages, operations))
                for part in (self._counted(view) if view.table in self._ledgers else ())
            ]
        return self._views[name]

    def _counted(self, view: View) -> Sequence[Part]:
        """The rows of a view's table, in parts whose rows count from their day on."""
        table = view.table
        if table not in self._whole:
            rows = self._ledgers[table].block(self._first, self._first + self._pairs.customers, self._recipe.reads[table])
            self._whole[table] = Part(rows, self._pairs, slice(None))
            self._parts[table] = self._as_known(table)
        return [self._whole[table]] if view.all_versions else self._parts[table]

    def _as_known(self, table: str) -> Sequence[Part]:
        """Where a customer has rows that became known late or were replaced, their rows are others at each date."""
        whole, late, pairs = self._whole[table], self._ledgers[table].late, self._pairs
        if late is None:
            return [whole]
        changing = late[self._first + whole.rows[CUSTOMER]] if len(pairs.days) > 1 else np.ones(len(whole.rows[CUSTOMER]), bool)
        dates = enumerate(zip(pairs.days, pairs.slices, strict=True))
        parts = [Part(known_rows(where(whole.rows, changing), day), pairs.at(date), place) for date, (day, place) in dates]
        return parts if changing.all() else [Part(where(whole.rows, ~changing), pairs, slice(None)), *parts]

    def _date_by_date(self, formula: Formula, columns: Sequence[Array]) -> Array:
        """The column of a formula that asks for the date."""
        dates = zip(self._pairs.days, self._pairs.slices, strict=True)
        return np.concatenate([formula(self._operations.at(day), *(one[place] for one in columns)) for day, place in dates])

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
        return self._spread(BASE, self._taken(BASE)) > 0

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
        held: dict[str, Sequence[Array]] = {}
        for name, formula, inputs, done_with in self._recipe.steps:
            for one in inputs:
                if one.name not in held:
                    held[one.name] = self._taken(one)
            yield name, self._made(formula, inputs, held)
            for done in done_with:
                del held[done]

    def _made(self, formula: Formula, inputs: Sequence[Aggregate], held: Mapping[str, Sequence[Array]]) -> Array:
        """The column of a formula. Where it takes of one view, only for the pairs with rows there; all others are alike."""
        views = {one.view for one in inputs}
        try:
            if len(views) == 1 and self._is_partial(view := views.pop()):
                return self._of_those_with_rows(formula, view, inputs, held)
            return np.asarray(formula(self._operations, *(self._spread(one, held[one.name]) for one in inputs)))
        except DateAskedError:
            return self._date_by_date(formula, [self._spread(one, held[one.name]) for one in inputs])

    def _of_those_with_rows(
        self, formula: Formula, view: str, inputs: Sequence[Aggregate], held: Mapping[str, Sequence[Array]]
    ) -> Floats:
        parts = self._of_view(view)
        nothing = formula(self._operations, *(_nothing(one, 1, known=bool(parts)) for one in inputs))
        column = np.full(self._pairs.count, nothing[0], dtype=np.float64)
        for number, (place, aggregates) in enumerate(parts):
            column[place][aggregates.chosen] = formula(self._operations, *(held[one.name][number] for one in inputs))
        return column

    def _is_partial(self, view: str) -> bool:
        """Whether there are pairs without rows of a view."""
        parts = self._of_view(view)
        return len(parts) != 1 or not isinstance(parts[0][1].chosen, slice)

    def _taken(self, one: Aggregate) -> Sequence[Array]:
        """An aggregate by the parts of its view."""
        return [aggregates.take(one) for _, aggregates in self._of_view(one.view)]

    def _spread(self, one: Aggregate, taken: Sequence[Array]) -> Array:
        """An aggregate for all pairs, from what was taken by parts: nothing (0 or missing) for those without rows."""
        parts = self._of_view(one.view)
        if not self._is_partial(one.view):
            return taken[0]
        column = _nothing(one, self._pairs.count, known=bool(parts))
        for (place, aggregates), values in zip(parts, taken, strict=True):
            column[place][aggregates.chosen] = values
        return column

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


def _nothing(one: Aggregate, pairs: int, *, known: bool) -> Array:
    """What an aggregate is for pairs without rows: no events where the table is known, else missing."""
    return np.zeros(pairs, np.int64) if known and one.how in ("count", "sum") else np.full(pairs, np.nan)

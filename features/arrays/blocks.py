"""Feature rows of a block of customers: from the rows of its tables over views and aggregates to formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from features.arrays.aggregates import Aggregates
from features.arrays.ledgers import CUSTOMER, Ledger
from features.arrays.operations import Array, ArrayOperations, Columns, DateAskedError
from features.arrays.positions import Pairs
from features.arrays.rows import known_rows, view_rows, where
from features.definitions import Aggregate, Feature, View
from features.recipe import BASE, Recipe


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

    def features(self) -> Iterator[tuple[str, Array]]:
        """The features by name, in order, missing as NaN.

        Each is handed out as soon as it is made, and no aggregate is kept longer than it is needed: so what is at work is
        little, and stays in the cache of the core.
        """
        held: dict[str, Array] = {}
        for feature, done_with in self._recipe.steps:
            for one in feature.inputs:
                if one.name not in held:
                    held[one.name] = self._taken(one)
            yield feature.name, self._evaluated(feature, [held[one.name] for one in feature.inputs])
            for name in done_with:
                del held[name]

    def _taken(self, one: Aggregate) -> Array:
        """An aggregate for all pairs: nothing (0 or missing) for those without rows."""
        view, pairs = self._recipe.views[one.view], len(self._pairs)
        if view.table not in self._ledgers:
            return np.full(pairs, np.nan)
        if one.view not in self._views:
            self._views[one.view] = self._of_view(view)
        column = np.zeros(0)
        for place, aggregates in self._views[one.view]:
            values = aggregates.take(one)
            if len(values) == pairs:
                return values
            if not len(column):
                column = np.zeros(pairs, np.int64) if values.dtype == np.int64 else np.full(pairs, np.nan)
            column[place][aggregates.chosen] = values
        return column

    def _of_view(self, view: View) -> list[tuple[slice, Aggregates]]:
        ages = self._recipe.ages[view.name]
        return [
            (part.place, Aggregates(view, view_rows(view, part.rows, self._operations), part.pairs, ages, self._operations))
            for part in self._counted(view)
        ]

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

    def _evaluated(self, feature: Feature, inputs: Sequence[Array]) -> Array:
        """The column of a feature; date by date where its formula asks for the date."""
        try:
            return np.asarray(feature.formula(self._operations, *inputs))
        except DateAskedError:
            dates = zip(self._pairs.days, self._pairs.slices, strict=True)
            parts = [feature.formula(self._operations.at(day), *(one[place] for one in inputs)) for day, place in dates]
            return np.concatenate(parts)

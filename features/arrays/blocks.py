"""Feature rows of a block of customers: from the rows of its tables over views and aggregates to formulas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from features.arrays.aggregates import aggregated
from features.arrays.ledgers import CUSTOMER, Ledger
from features.arrays.operations import Array, ArrayOperations, Columns, DateAskedError
from features.arrays.positions import Pairs
from features.arrays.rows import known_rows, view_rows, where
from features.definitions import Aggregate, Feature, View
from features.recipe import Recipe

Selected: TypeAlias = Mapping[str, Sequence[Aggregate]]
"""The aggregates of a view by their condition, as in `Recipe.selected`."""


class Part(NamedTuple):
    """Rows of a table that count together, the pairs for which they do, and where these stand among all pairs."""

    rows: Columns
    pairs: Pairs
    place: slice


def block_columns(
    recipe: Recipe, ledgers: Mapping[str, Ledger], first: int, pairs: Pairs, operations: ArrayOperations
) -> dict[str, Array]:
    """The aggregates and features of a recipe for pairs whose customers are the places from `first` on.

    A table that is not among the ledgers is not known: what builds on it is missing (NaN).
    """
    if len(pairs.days) == 1:
        operations = operations.at(pairs.days[0])
    columns: dict[str, Array] = {}
    for table, views in recipe.tables.items():
        if table not in ledgers:
            nothing = np.full(len(pairs), np.nan)
            columns |= {one.name: nothing for view in views for one in recipe.aggregates[view.name]}
            continue
        whole, parts = _rows(ledgers[table], recipe.reads[table], first, pairs)
        for view in views:
            counted = [whole] if view.all_versions else parts
            columns |= _of_view(view, recipe.selected[view.name], counted, len(pairs), operations)
    for made in recipe.features:
        columns[made.name] = _evaluated(made, columns, pairs, operations)
    return columns


def _rows(ledger: Ledger, names: Iterable[str], first: int, pairs: Pairs) -> tuple[Part, list[Part]]:
    """These columns of a table: all rows, and the same in parts as they were known at each date."""
    last = first + pairs.customers
    whole = Part(ledger.block(first, last, names), pairs, slice(None))
    return whole, [whole] if ledger.late is None else _parts(whole, ledger.late[first:last])


def _parts(whole: Part, late: Array) -> list[Part]:
    """All rows, in parts whose rows count from their day on.

    Where a customer has rows that became known late or were replaced, these rows are others at each date.
    """
    rows, pairs, _ = whole
    changing = late[rows[CUSTOMER]] if len(pairs.days) > 1 else np.ones_like(rows[CUSTOMER], dtype=bool)
    parts = [
        Part(known_rows(where(rows, changing), day), pairs.at(date), here)
        for date, (day, here) in enumerate(zip(pairs.days, pairs.slices, strict=True))
    ]
    return parts if changing.all() else [Part(where(rows, ~changing), pairs, slice(None)), *parts]


def _of_view(view: View, selected: Selected, parts: Sequence[Part], pairs: int, operations: ArrayOperations) -> dict[str, Array]:
    """The aggregates of a view for all pairs: nothing (0 or missing) for those without rows."""
    columns: dict[str, Array] = {}
    for part in parts:
        chosen, taken = aggregated(view, selected, view_rows(view, part.rows, operations), part.pairs, operations)
        for name, values in taken.items():
            if len(values) == pairs:
                columns[name] = values
                continue
            if name not in columns:
                columns[name] = np.zeros(pairs, np.int64) if values.dtype == np.int64 else np.full(pairs, np.nan)
            columns[name][part.place][chosen] = values
    return columns


def _evaluated(made: Feature, columns: Mapping[str, Array], pairs: Pairs, operations: ArrayOperations) -> Array:
    """The column of a feature; date by date where its formula asks for the date."""
    inputs = [columns[one.name] for one in made.inputs]
    try:
        return np.asarray(made.formula(operations, *inputs))
    except DateAskedError:
        return np.concatenate(
            [
                made.formula(operations.at(day), *(column[here] for column in inputs))
                for day, here in zip(pairs.days, pairs.slices, strict=True)
            ]
        )

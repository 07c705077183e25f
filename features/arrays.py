"""The executor for a few customers: NumPy arrays, in milliseconds. What the endpoint uses.

It runs the same definitions as `features.frames`. All numbers are float64, in which counts, days, minor units and their sums
are exact up to 2**53; missing is NaN, a missing text is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from features.asof import NEVER_DAY, Column, day_number, known_before
from features.definitions import Aggregate, Computed, Feature, Shared, Total, View, absent
from features.recipe import BASE, is_text, recipe

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float64]
Columns: TypeAlias = dict[str, Array]

CUSTOMER = "customer_id"
"""Inside, this column holds the place of a row's customer among all ids."""


def feature_matrix(
    histories: Mapping[str, Mapping[str, Array]], scales: Mapping[str, int], as_of: date, names: Sequence[str]
) -> tuple[Array, Floats]:
    """The features `names` of the customers in `histories` at `as_of`: their ids, sorted, and a matrix (ids, names).

    `histories` holds normalised tables, as in `Company.tables`: table -> column -> values. A table that is given without rows
    means that nothing happened (counts are 0); one that is not given, that nothing is known (missing). Whoever has no purchase
    known before `as_of` has no row. ConfigError for a name that the catalog lacks.
    """
    asked, operations = recipe(names), ArrayOperations(scales, day_number(as_of))
    ids = sorted(set(np.asarray(histories["transactions"]["customer_id"]).tolist()))
    places = {customer: place for place, customer in enumerate(ids)}
    taken: dict[str, Floats] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, view in asked.views.items():
            rows = _view_rows(view, histories[view.table], places, operations) if view.table in histories else None
            taken |= _aggregated(asked.aggregates[name], view, rows, len(ids), operations)
        steps: tuple[Shared | Feature, ...] = (*asked.shared, *asked.features)
        for made in steps:
            taken[made.name] = made.formula(operations, *(taken[one.name] for one in made.inputs))
    columns = [taken[name] for name in names]
    matrix = np.column_stack(columns) if columns else np.empty((len(ids), 0))
    customers = taken[BASE.name] > 0
    return np.asarray(ids)[customers], matrix[customers]


class ArrayOperations:
    """`Operations` on float64 arrays; missing is NaN."""

    def __init__(self, decimals: Mapping[str, int], as_of_day: int) -> None:
        self.as_of_day, self._decimals = as_of_day, decimals

    def divide(self, numerator: Column, denominator: Column) -> Column:
        """See `Operations`."""
        return np.where(denominator == 0, np.nan, numerator / denominator)

    def over(self, column: Column, number: int) -> Column:
        """See `Operations`."""
        return column / number

    def where(self, condition: Column, value: Column, otherwise: Column = None) -> Column:
        """See `Operations`."""
        return np.where(condition, value, np.nan if otherwise is None else otherwise)

    def is_missing(self, column: Column) -> Column:
        """See `Operations`."""
        if column.dtype != object:
            return np.isnan(column)
        return np.fromiter((value is None for value in column), bool, len(column))

    def whole(self, column: Column) -> Column:
        """See `Operations`."""
        return np.floor(column)

    def root(self, column: Column) -> Column:
        """See `Operations`."""
        return np.sqrt(column)

    def once(self, column: Column) -> Column:
        """See `Operations`."""
        return column

    def money(self, minor_units: Column, amounts: str) -> Column:
        """See `Operations`."""
        return minor_units / 10 ** self._decimals[amounts]

    def evaluate(self, computed: Computed, columns: Columns) -> Array:
        """The formula over these columns."""
        return np.asarray(computed.formula(self, *(columns[name] for name in computed.inputs)))


def _view_rows(view: View, table: Mapping[str, Array], places: Mapping[Any, int], operations: ArrayOperations) -> Columns:
    """The rows of a view that count at `as_of`, sorted by customer and day, with their age."""
    rows = _read(view, table, places)
    if "known_day" in table:
        superseded = NEVER_DAY if view.all_versions else rows.get("superseded_day", NEVER_DAY)
        rows = _where(rows, known_before(operations.as_of_day, rows["known_day"], superseded))
    if view.keep:
        rows = _where(rows, operations.evaluate(view.keep, rows))
    made = {name: operations.evaluate(computed, rows) for name, computed in view.columns.items()}
    made[CUSTOMER] = rows[CUSTOMER]
    rows = _looked_back(view, _grouped(view, made) if view.keys else made)
    for name, computed in view.later.items():
        rows[name] = operations.evaluate(computed, rows)
    rows = _where(rows, rows["day"] < operations.as_of_day)
    rows["age"] = operations.as_of_day - rows["day"]
    return rows


def _read(view: View, table: Mapping[str, Array], places: Mapping[Any, int]) -> Columns:
    """The columns that a view needs, in the two kinds used here, of the customers who have a place."""
    customers = np.asarray(table["customer_id"]).tolist()
    rows: Columns = {CUSTOMER: np.fromiter((places.get(customer, -1) for customer in customers), np.int64, len(customers))}
    for name in view.sources() | ({"known_day", "superseded_day"} & set(table)):
        values = table[name] if name in table else np.full(len(customers), absent(name), dtype=object)
        rows[name] = _texts(values) if is_text(view.table, name, [view]) else np.asarray(values, dtype=np.float64)
    return _where(rows, rows[CUSTOMER] >= 0)


def _texts(values: Array) -> Array:
    """Texts or ids as objects; a missing one is None."""
    texts = np.array(values, dtype=object)
    if values.dtype.kind == "f":
        texts[np.isnan(values)] = None
    return texts


def _where(rows: Columns, condition: Array) -> Columns:
    """The rows for which the condition holds."""
    return rows if condition.all() else {name: column[condition] for name, column in rows.items()}


def _codes(values: Array) -> Floats:
    """Numbers that are equal where the values are; texts have no order of their own here."""
    if values.dtype != object:
        return values
    seen: dict[Any, int] = {}
    return np.fromiter((seen.setdefault(value, len(seen)) for value in values.tolist()), np.float64, len(values))


def _starts(keys: Sequence[Array]) -> Array:
    """Where a new group begins in sorted rows."""
    if not len(keys[0]):
        return np.empty(0, dtype=np.int64)
    changes = reduce(or_, (key[1:] != key[:-1] for key in keys))
    return np.flatnonzero(np.concatenate(([True], changes)))


def _grouped(view: View, rows: Columns) -> Columns:
    """One row per customer and keys, with the totals of a view."""
    keys = [_codes(rows[name]) for name in (CUSTOMER, *view.keys)]
    order = np.lexsort(keys[::-1])
    starts = _starts([key[order] for key in keys])
    groups = {name: rows[name][order][starts] for name in (CUSTOMER, *view.keys)}
    return groups | {name: _total(one, rows[one.column][order], starts) for name, one in view.totals.items()}


def _total(total: Total, column: Array, starts: Array) -> Floats:
    """One column of a grouped view."""
    if total.how == "distinct":
        group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(column)))
        pairs = np.unique(np.stack((group, _codes(column))), axis=1)
        return np.bincount(pairs[0].astype(np.int64), minlength=len(starts)).astype(np.float64)
    combine = np.add if total.how == "sum" else np.minimum
    return combine.reduceat(column, starts)


def _looked_back(view: View, rows: Columns) -> Columns:
    """The rows sorted by customer and day, with what a view takes from the row before."""
    within = [_codes(rows[name]) for name in view.within]
    order = np.lexsort((rows["day"], *within[::-1]))
    rows = {name: column[order] for name, column in rows.items()}
    first = np.zeros(len(order), dtype=bool)
    first[_starts([key[order] for key in within])] = True
    for name, source in view.previous.items():
        rows[name] = np.where(first, np.nan, np.roll(rows[source], 1))
    starts = np.flatnonzero(first)
    for name, source in view.running.items():
        rows[name] = _running_sum(rows[source], starts)
    return rows


def _running_sum(column: Floats, starts: Array) -> Floats:
    """The sum of each row and those before it in its group; the column holds whole numbers."""
    total = np.cumsum(column)
    before = (total - column)[starts]
    return total - np.repeat(before, np.diff(starts, append=len(column)))


def _aggregated(
    aggregates: Sequence[Aggregate], view: View, rows: Columns | None, customers: int, operations: ArrayOperations
) -> dict[str, Floats]:
    """The aggregates of one view, each with one value per place of a customer; `rows` None: the table is not known."""
    if rows is None:
        return {one.name: np.full(customers, np.nan) for one in aggregates}
    starts = _starts([rows[CUSTOMER]])
    present = rows[CUSTOMER][starts]
    counts = {one.selection: _counts(one, view, rows, operations) for one in {one.selection: one for one in aggregates}.values()}
    taken = {}
    for one in aggregates:
        values = taken[one.name] = np.full(customers, 0.0 if one.how in ("count", "sum") else np.nan)
        values[present] = _combined(one, rows, counts[one.selection], starts)
    return taken


def _counts(one: Aggregate, view: View, rows: Columns, operations: ArrayOperations) -> Array:
    """Which rows an aggregate takes in."""
    counts = rows["age"] > one.window.newest
    if one.window.oldest is not None:
        counts &= rows["age"] <= one.window.oldest
    return counts & operations.evaluate(view.conditions[one.where], rows) if one.where else counts


def _combined(one: Aggregate, rows: Columns, counts: Array, starts: Array) -> Floats:
    """The aggregate of each customer who has rows."""
    if one.how == "count":
        return np.add.reduceat(counts, starts, dtype=np.float64)
    column = rows[one.column]
    if one.how == "sum":
        return np.add.reduceat(np.where(counts & ~np.isnan(column), column, 0.0), starts)
    combine = np.fmin if one.how == "min" else np.fmax
    return combine.reduceat(np.where(counts, column, np.nan), starts)

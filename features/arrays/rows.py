"""The rows of a view for a block of customers, in the order of customer and day."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import numpy as np

from features.arrays.ledgers import CUSTOMER
from features.arrays.operations import Array, ArrayOperations, Columns, Floats, Integers, Texts, Values
from features.asof import NEVER_DAY, known_before
from features.definitions import Total, View


def known_rows(rows: Columns, as_of_day: int) -> Columns:
    """The rows of a table that count at `as_of`; where nobody told when rows became known, all do."""
    if "known_day" not in rows:
        return rows
    return where(rows, known_before(as_of_day, rows["known_day"], rows.get("superseded_day", NEVER_DAY)))


def where(rows: Columns, condition: Array) -> Columns:
    """The rows for which the condition holds."""
    return rows if condition.all() else {name: column[condition] for name, column in rows.items()}


def view_rows(view: View, table: Columns, operations: ArrayOperations) -> Columns:
    """The rows of a view from rows of its table, sorted by customer and day."""
    rows = {name: table[name] for name in (*view.sources(), CUSTOMER)}
    if view.keep:
        rows = where(rows, operations.evaluate(view.keep, rows))
    made = {name: operations.evaluate(computed, rows) for name, computed in view.columns.items()}
    made[CUSTOMER] = rows[CUSTOMER]
    rows = _looked_back(view, _grouped(view, made) if view.keys else made)
    for name, computed in view.later.items():
        rows[name] = operations.evaluate(computed, rows)
    return _in_order(rows, [CUSTOMER, "day"])


def _in_order(rows: Columns, names: Sequence[str]) -> Columns:
    """The rows sorted by these columns, those equal in all of them as they came."""
    order = _order([_codes(rows[name]) for name in names])
    return rows if order is None else {name: column[order] for name, column in rows.items()}


def _order(keys: Sequence[Array]) -> Integers | None:
    """The row numbers sorted by integer keys, the first one first; None where the rows are in order already."""
    if len(keys[0]) < 2:
        return None
    packed, bits = _packed(keys)
    if packed is None:
        return np.lexsort(keys[::-1])
    if (packed[1:] >= packed[:-1]).all():
        return None
    row_bits = len(packed).bit_length()
    if bits + row_bits > 63:
        return np.argsort(packed, kind="stable")
    packed = (packed << row_bits) | np.arange(len(packed))
    packed.sort()
    return packed & ((1 << row_bits) - 1)


def _packed(keys: Sequence[Array]) -> tuple[Integers | None, int]:
    """Keys side by side in one integer, and how many bits it takes; None where they do not fit."""
    packed, bits = np.zeros(len(keys[0]), dtype=np.int64), 0
    for key in keys:
        lowest, highest = int(key.min()), int(key.max())
        key_bits = (highest - lowest).bit_length()
        bits += key_bits
        if bits > 63:
            return None, bits
        packed = (packed << key_bits) | (key - lowest)
    return packed, bits


def _codes(values: Values) -> Array:
    """Integers that are equal where the values are."""
    if isinstance(values, Texts):
        return values.codes
    return values if values.dtype.kind == "i" else np.unique(values, return_inverse=True)[1]


def starts_of(keys: Sequence[Array]) -> Integers:
    """Where a new group begins in sorted rows."""
    if not len(keys[0]):
        return np.empty(0, dtype=np.int64)
    changes = reduce(or_, (key[1:] != key[:-1] for key in keys))
    return np.flatnonzero(np.concatenate(([True], changes)))


def _grouped(view: View, rows: Columns) -> Columns:
    """One row per customer and keys, with the totals of a view."""
    keys = (CUSTOMER, *view.keys)
    rows = _in_order(rows, keys)
    starts = starts_of([_codes(rows[name]) for name in keys])
    groups = {name: rows[name][starts] for name in keys}
    return groups | {name: _total(one, rows[one.column], starts) for name, one in view.totals.items()}


def _total(total: Total, column: Array, starts: Integers) -> Array:
    """One column of a grouped view."""
    if total.how == "distinct":
        return _distinct(_codes(column), starts)
    combine = np.add if total.how == "sum" else np.minimum
    return np.asarray(combine.reduceat(column, starts))


def _distinct(codes: Array, starts: Integers) -> Integers:
    """How many different codes there are in each group."""
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(codes)))
    order = _order([group, codes])
    sorted_codes = codes if order is None else codes[order]
    new = np.ones(len(codes), dtype=np.int64)
    new[1:] = sorted_codes[1:] != sorted_codes[:-1]
    new[starts] = 1
    return np.add.reduceat(new, starts)


def _looked_back(view: View, rows: Columns) -> Columns:
    """The rows sorted by customer and day, with what a view takes from the row before."""
    if not (view.previous or view.running):
        return rows
    rows = _in_order(rows, (*view.within, "day"))
    starts = starts_of([_codes(rows[name]) for name in view.within])
    for name, source in view.previous.items():
        rows[name] = _previous(rows[source], starts)
    for name, source in view.running.items():
        rows[name] = _running_sum(rows[source], starts)
    return rows


def _previous(column: Array, starts: Integers) -> Floats:
    """The value of the row before, missing in the first row of a group."""
    previous = np.empty(len(column))
    previous[1:] = column[:-1]
    previous[starts] = np.nan
    return previous


def _running_sum(column: Integers, starts: Integers) -> Integers:
    """The sum of each row and those before it in its group."""
    total = np.cumsum(column)
    before = (total - column)[starts]
    return total - np.repeat(before, np.diff(starts, append=len(column)))

"""Sorting rows of a block by integer keys, where they are not in order already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.arrays.operations import Array, Columns, Integers, Texts, Values
from features.arrays.packing import ROW, sorted_rows


def sorted_by(rows: Columns, names: Sequence[str], order: Sequence[str]) -> Columns:
    """The rows sorted by the columns `names`, those equal in all of them as they came; `order` says how they are sorted now.

    The first of `names` is the customer, by whom rows are always sorted.
    """
    if tuple(order[: len(names)]) == tuple(names):
        return rows
    numbers = _sorting([codes(rows[name]) for name in names])
    return rows if numbers is None else {name: column[numbers] for name, column in rows.items()}


def starts_of(keys: Sequence[Array]) -> Integers:
    """Where a new group of equal keys begins in sorted rows."""
    if not len(keys[0]):
        return np.empty(0, dtype=np.int64)
    begins = np.empty(len(keys[0]), dtype=bool)
    begins[0] = True
    np.not_equal(keys[0][1:], keys[0][:-1], out=begins[1:])
    for key in keys[1:]:
        begins[1:] |= key[1:] != key[:-1]
    return begins.nonzero()[0]


def codes(values: Values) -> Array:
    """Integers that are equal where the values are."""
    if isinstance(values, Texts):
        return values.codes
    return values if values.dtype.kind == "i" else np.unique(values, return_inverse=True)[1]


def row_order(keys: Sequence[Array]) -> Integers:
    """The row numbers sorted by integer keys, the first one first, rows with equal keys as they came.

    >>> row_order([np.array([1, 0, 1]), np.array([5, 7, 4])]).tolist()
    [1, 2, 0]
    """
    return sorted_rows({str(place): key for place, key in enumerate(keys)}).column(ROW)


def _sorting(keys: Sequence[Array]) -> Integers | None:
    """The row numbers in order; None where the rows are in order already."""
    return None if _in_order(keys) else row_order(keys)


def _in_order(keys: Sequence[Array]) -> bool:
    """Whether rows that are sorted by the first key are so by all of them."""
    same = keys[0][1:] == keys[0][:-1]
    for key in keys[1:]:
        if np.count_nonzero(same & (key[1:] < key[:-1])):
            return False
        same &= key[1:] == key[:-1]
    return True

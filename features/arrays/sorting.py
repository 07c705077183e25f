"""Sorting rows of a block by integer keys, quickly where they are few bits, and not at all where they are in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.arrays.operations import Array, Columns, Integers, Texts, Values

FEW_ROWS = 4096
"""Up to here one call of `lexsort` beats packing."""


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

    Keys and row number are packed into one integer where they fit: NumPy sorts plain integers several times faster.

    >>> row_order([np.array([1, 0, 1]), np.array([5, 7, 4])]).tolist()
    [1, 2, 0]
    """
    rows = len(keys[0])
    if rows <= FEW_ROWS:
        return np.lexsort(tuple(reversed(keys)))
    lowest = [int(key.min()) for key in keys]
    bits = [(int(key.max()) - low).bit_length() for key, low in zip(keys, lowest, strict=True)]
    row_bits = rows.bit_length()
    if sum(bits) + row_bits > 63:
        return np.lexsort(tuple(reversed(keys)))
    packed = keys[0] - np.int64(lowest[0])
    for key, low, key_bits in zip(keys[1:], lowest[1:], bits[1:], strict=True):
        packed <<= key_bits
        packed |= key - np.int64(low)
    packed <<= row_bits
    packed |= np.arange(rows)
    packed.sort()
    packed &= (1 << row_bits) - 1
    return packed


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

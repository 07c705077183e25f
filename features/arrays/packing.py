"""Rows packed into one integer each: NumPy sorts plain integers several times faster than rows by several keys.

The keys stand on the left, the first one first. On their right stands all else that is asked of a row, where there is room, or
else its number. So columns are read off the sorted integers one after another, and not fetched from all over a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from features.arrays.cores import over_slices, sort_over_cores
from features.arrays.operations import Array, Integers

ROW = ""
"""The field with the number of a row, as it came; no column is called so."""

FEW_ROWS = 4096
"""Up to here one call of `lexsort` beats packing."""

ROOM_BITS = 63


class Field(NamedTuple):
    """Where packed rows hold a column: `bits` wide, `shift` bits from the right, counted from its `lowest` value."""

    shift: int
    bits: int
    lowest: int


WHOLE = Field(0, ROOM_BITS, 0)
"""Where rows hold one column that is never below 0, and nothing else."""


@dataclass(frozen=True)
class PackedRows:
    """Sorted rows as integers that hold `fields`: their numbers (`ROW`), or all that was asked of them."""

    rows: Integers
    fields: Mapping[str, Field]

    def column(self, name: str, part: slice | Integers = slice(None)) -> Integers:
        """A column of some of the rows."""
        field = self.fields[name]
        if field == WHOLE:
            return np.asarray(self.rows[part])
        shift, bits, lowest = field
        column: Integers = self.rows[part] >> shift
        column &= (1 << bits) - 1
        column += lowest
        return column

    def after(self, rows: int) -> PackedRows:
        """Those that come after so many."""
        return PackedRows(self.rows[rows:], self.fields)

    def starts(self, name: str) -> Integers:
        """Where a new value of the first field, called `name`, begins, and at last where the rows end."""
        shift = self.fields[name].shift

        def changes(part: slice) -> Integers:
            values = self.rows[part.start : part.stop + 1] >> shift  # with the first of the next slice
            return np.asarray(np.flatnonzero(values[1:] != values[:-1]) + (part.start + 1))

        starts: Integers = np.concatenate([[0], *over_slices(changes, len(self.rows)), [len(self.rows)]])
        return starts


def sorted_rows(keys: Mapping[str, Array], others: Mapping[str, Array] | None = None) -> PackedRows:
    """As `packed_rows`; where that packs nothing, the rows are their numbers alone.

    >>> sorted_rows({"day": np.array([7, 5, 7])}).column(ROW).tolist()
    [1, 0, 2]
    """
    return packed_rows(keys, others) or PackedRows(np.lexsort([*keys.values()][::-1]), {ROW: WHOLE})


def packed_rows(keys: Mapping[str, Array], others: Mapping[str, Array] | None = None) -> PackedRows | None:
    """The rows sorted by integer keys, the first one first, with their numbers; rows with equal keys as they came.

    Where `others` are given, and all of them are integers for which there is room, the rows hold them instead of their numbers;
    those with equal keys are then in any order. None where there are few rows, or no room.
    """
    rows = len(next(iter(keys.values())))
    if rows <= FEW_ROWS:
        return None
    whole = others is not None and all(column.dtype.kind == "i" for column in others.values())
    with_others = _packed({**keys, **others}) if others is not None and whole else None
    return with_others or _packed({**keys, ROW: np.arange(rows)})


def _fields(columns: Mapping[str, Array]) -> dict[str, Field]:
    """Where packed rows hold these columns; nothing where they have no room."""
    bounds = {name: _bounds(column) for name, column in columns.items()}
    bits = {name: (highest - lowest).bit_length() for name, (lowest, highest) in bounds.items()}
    shift, fields = sum(bits.values()), {}
    if shift > ROOM_BITS:
        return {}
    for name, width in bits.items():
        shift -= width
        fields[name] = Field(shift, width, bounds[name][0])
    return fields


def _bounds(column: Array) -> tuple[int, int]:
    """The lowest and the highest value."""
    found = over_slices(lambda part: (int(column[part].min()), int(column[part].max())), len(column))
    lowest, highest = zip(*found, strict=True)
    return min(lowest), max(highest)


def _packed(columns: Mapping[str, Array]) -> PackedRows | None:
    """The rows with these columns in order; None where they have no room."""
    fields = _fields(columns)
    if not fields:
        return None
    packed = np.empty(len(next(iter(columns.values()))), dtype=np.int64)

    def pack(part: slice) -> None:
        (first, *others), rows = fields, packed[part]
        np.subtract(columns[first][part], np.int64(fields[first].lowest), out=rows)
        for name in others:
            rows <<= fields[name].bits
            rows |= columns[name][part] - np.int64(fields[name].lowest)

    over_slices(pack, len(packed))
    sort_over_cores(packed)
    return PackedRows(packed, fields)

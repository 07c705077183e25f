"""Customers as numbers, and the rows of each table in the order of customer and day, so that a block of customers is a slice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from features.arrays.operations import NO_TEXT, Array, Columns, Integers, Texts, Values
from features.arrays.sorting import row_order
from features.asof import NEVER_DAY
from features.definitions import absent
from features.recipe import event_day

CUSTOMER = "customer_id"
"""Inside, this column holds the number of a row's customer in the block."""

UNKNOWN_TEXT = -2
"""The code of a text that a column does not hold."""

VERSION_DAYS = {"known_day", "superseded_day"}
"""When a row became known, and when a newer version of it did."""


@dataclass(frozen=True)
class Ledger:
    """What views read of one normalised table, for customers who are numbered by their place among the sorted ids.

    `order` has the rows sorted by place and day; those of place p are `order[starts[p]:starts[p + 1]]`. `late` says of each
    place whether a row became known after its day or was replaced (None: no row was).
    """

    columns: Columns
    order: Array
    starts: Integers
    late: Array | None

    def block(self, first: int, last: int, names: Iterable[str]) -> Columns:
        """These columns of the places `first` to `last - 1`, which are numbers from 0 there, as int64 or float64."""
        bounds = self.starts[first : last + 1]
        rows = self.order[bounds[0] : bounds[-1]]
        needed = {*names, *(() if self.late is None else VERSION_DAYS & set(self.columns))}
        columns: Columns = {name: _gathered(self.columns[name], rows) for name in needed}
        columns[CUSTOMER] = np.repeat(np.arange(last - first), np.diff(bounds))
        return columns


def ledger(table: str, source: Mapping[str, Any], reads: Mapping[str, bool], places: Integers, customers: int) -> Ledger:
    """The ledger of a table from its columns (arrays or series); `places` has each row's customer, -1 for nobody.

    `reads` names the columns that are read, and says whether they hold texts.
    """
    day = event_day(table)
    days = VERSION_DAYS & set(source) | ({day} if day else set())
    kinds = dict.fromkeys(days, False) | dict(reads)
    columns: Columns = {
        name: numbered(source[name], texts=texts) if name in source else _absent(name, len(places), texts=texts)
        for name, texts in kinds.items()
    }
    counts = np.bincount(places + 1, minlength=customers + 1)
    order = row_order([places, columns[day]] if day else [places])
    return Ledger(columns, order[counts[0] :], np.cumsum(counts) - counts[0], _late_places(columns, day, places, customers))


def numbered(values: Any, *, texts: bool) -> Values:  # noqa: ANN401  # a Polars series or an array
    """A column as an array of numbers, missing as NaN, or as coded texts."""
    if texts:
        return _texts(values)
    if isinstance(values, pl.Series):
        return np.asarray((values.cast(pl.Float64) if values.dtype == pl.Boolean else values).to_numpy())
    numbers = np.asarray(values)
    return numbers if numbers.dtype.kind in "iu" else numbers.astype(np.float64)


def _absent(name: str, rows: int, *, texts: bool) -> Values:
    """What a column that the table does not have reads as: nothing, or never."""
    if texts:
        return Texts(np.full(rows, NO_TEXT), lambda _: UNKNOWN_TEXT)
    never = absent(name)
    return np.full(rows, np.nan if never is None else never)


def _texts(values: Any) -> Texts:  # noqa: ANN401  # a Polars series or an array
    """Texts, or ids of any kind, as codes."""
    if isinstance(values, pl.Series):
        encoded = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
        # Through Polars: PyArrow would import pandas for either.
        codes, words = pl.Series(encoded.indices).fill_null(NO_TEXT).to_numpy(), pl.Series(encoded.dictionary)
        return Texts(codes, cache(lambda text: _found(words.index_of(text))))
    texts = values.tolist()
    if values.dtype.kind == "f":
        texts = [None if math.isnan(text) else text for text in texts]
    code_of = dict(zip(texts, range(len(texts)), strict=True)) | {None: NO_TEXT}  # of equal texts, the row of the last
    codes = np.fromiter(map(code_of.__getitem__, texts), np.int64, len(texts))
    return Texts(codes, lambda text: code_of.get(text, UNKNOWN_TEXT))


def _found(index: int | None) -> int:
    return UNKNOWN_TEXT if index is None else index


def _gathered(column: Values, rows: Array) -> Values:
    if isinstance(column, Texts):
        return column[rows]
    taken = column[rows]
    return taken.astype(np.float64 if taken.dtype.kind == "f" else np.int64, copy=False)


def _late_places(columns: Columns, day: str | None, places: Integers, customers: int) -> Array | None:
    """Which places have a row that became known late or was replaced; of what is no event, one whose date was told."""
    if "known_day" not in columns:
        return None
    known, superseded = columns["known_day"], columns.get("superseded_day")
    rows = known > (columns[day] if day else -NEVER_DAY)
    if superseded is not None:
        rows |= superseded != NEVER_DAY
    if not rows.any():
        return None
    late = np.zeros(customers + 1, dtype=bool)
    late[places[rows]] = True  # nobody, -1, is the place after all customers
    return late[:-1]

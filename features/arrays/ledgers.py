"""Customers as numbers, and the rows of each table in the order of customer and day, so that a block of customers is a slice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from features.arrays.cores import over_cores, over_slices
from features.arrays.numbering import coded, coded_numbers, numbered_ids, places_of
from features.arrays.operations import NO_TEXT, Array, Columns, Integers, Texts, Values
from features.arrays.packing import ROW, PackedRows, packed_rows, sorted_rows
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

    `rows` are sorted by place and day; those of place p are `starts[p]` to `starts[p + 1] - 1`. What they do not hold
    themselves is in `columns`, as it came. `late` says of each place whether a row became known after its day or was replaced
    (None: no row was).
    """

    columns: Columns
    rows: PackedRows
    starts: Integers
    late: Array | None

    def block(self, first: int, last: int, names: Iterable[str]) -> Columns:
        """These columns of the places `first` to `last - 1`, which are numbers from 0 there, as int64 or float64."""
        bounds = self.starts[first : last + 1]
        part = slice(bounds[0], bounds[-1])
        needed = {*names, *(() if self.late is None else VERSION_DAYS & set(self.columns))}
        numbers = self.rows.column(ROW, part) if ROW in self.rows.fields else part
        columns: Columns = {name: self._column(name, part, numbers) for name in needed}
        columns[CUSTOMER] = np.repeat(np.arange(last - first), np.diff(bounds))
        return columns

    def _column(self, name: str, part: slice, numbers: Integers | slice) -> Values:
        column = self.columns[name]
        if name not in self.rows.fields:
            return _gathered(column, numbers)
        values = self.rows.column(name, part)
        return Texts(values, column.code_of) if isinstance(column, Texts) else values


def ledger(table: str, source: Mapping[str, Any], reads: Mapping[str, bool], places: Integers, customers: int) -> Ledger:
    """The ledger of a table from its columns (arrays or series); `places` has each row's customer, -1 for nobody.

    `reads` names the columns that are read, and says whether they hold texts.
    """
    return _placed(table, _read(table, source, reads), reads, places, customers)


def ledger_of_all(table: str, source: Mapping[str, pl.Series], reads: Mapping[str, bool]) -> tuple[pl.Series, Ledger]:
    """The different ids of a table, ascending, and its ledger.

    Where rows can be packed with their ids, as integers near each other, nobody has to look for places first.
    """
    ids, columns = source[CUSTOMER], _read(table, source, reads)
    late = _late_rows(table, columns)
    whole = ids.dtype.is_signed_integer()
    rows = packed_rows(_keys(table, columns, ids.to_numpy()), _held(columns, reads, late)) if whole else None
    if rows is None:
        among, places = numbered_ids(ids)
        return among, _placed(table, columns, reads, places, len(among))
    starts = rows.starts(CUSTOMER)
    among = pl.Series(ids.name, rows.column(CUSTOMER, starts[:-1]), dtype=ids.dtype)
    marked = None if late is None else _marked(places_of(ids.filter(pl.Series(late)), among), len(among))
    return among, Ledger(columns, rows, starts, marked)


def _placed(table: str, columns: Columns, reads: Iterable[str], places: Integers, customers: int) -> Ledger:
    """The ledger of columns whose rows have places."""
    late = _late_rows(table, columns)
    rows = sorted_rows(_keys(table, columns, places), _held(columns, reads, late))
    counts = np.bincount(places + 1, minlength=customers + 1)
    starts = np.cumsum(counts) - counts[0]
    return Ledger(columns, rows.after(int(counts[0])), starts, None if late is None else _marked(places[late], customers))


def _read(table: str, source: Mapping[str, Any], reads: Mapping[str, bool]) -> Columns:
    """The columns that are read, and those that say when a row counts."""
    day, rows = event_day(table), len(source[CUSTOMER])
    days = VERSION_DAYS & set(source) | ({day} if day else set())
    kinds = dict.fromkeys(days, False) | dict(reads)

    def column(name: str) -> Values:
        texts = kinds[name]
        return numbered(source[name], texts=texts) if name in source else _absent(name, rows, texts=texts)

    return dict(zip(kinds, over_cores(column, kinds, rows), strict=True))


def _keys(table: str, columns: Columns, customer: Integers) -> dict[str, Array]:
    """What rows are sorted by."""
    day = event_day(table)
    return {CUSTOMER: customer} | ({day: columns[day]} if day else {})


def _held(columns: Columns, reads: Iterable[str], late: Array | None) -> dict[str, Array]:
    """What is asked of a row, as numbers."""
    names = [*reads, *(() if late is None else VERSION_DAYS & set(columns))]
    return {name: values.codes if isinstance(values := columns[name], Texts) else values for name in names}


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
        if (numbers := coded_numbers(values)) is not None:
            return Texts(numbers, lambda _: UNKNOWN_TEXT)
        codes, words = coded(values)
        return Texts(codes, cache(lambda text: _found(words.index_of(text))))
    texts = values.tolist()
    if values.dtype.kind == "f":
        texts = [None if math.isnan(text) else text for text in texts]
    code_of = dict(zip(texts, range(len(texts)), strict=True)) | {None: NO_TEXT}  # of equal texts, the row of the last
    codes = np.fromiter(map(code_of.__getitem__, texts), np.int64, len(texts))
    return Texts(codes, lambda text: code_of.get(text, UNKNOWN_TEXT))


def _found(index: int | None) -> int:
    return UNKNOWN_TEXT if index is None else index


def _gathered(column: Values, rows: Integers | slice) -> Values:
    if isinstance(column, Texts):
        return column[rows]
    taken = column[rows]
    return taken.astype(np.float64 if taken.dtype.kind == "f" else np.int64, copy=False)


def _late_rows(table: str, columns: Columns) -> Array | None:
    """Which rows became known late or were replaced; of what is no event, those whose date was told. None: no row."""
    if "known_day" not in columns:
        return None
    known, superseded, day = columns["known_day"], columns.get("superseded_day"), event_day(table)
    rows, told = np.empty(len(known), dtype=bool), columns[day] if day else np.full(len(known), -NEVER_DAY)

    def compare(part: slice) -> None:
        np.greater(known[part], told[part], out=rows[part])
        if superseded is not None:
            rows[part] |= superseded[part] != NEVER_DAY

    over_slices(compare, len(rows))
    return rows if rows.any() else None


def _marked(places: Integers, customers: int) -> Array:
    """Which places of all are among these."""
    marked = np.zeros(customers + 1, dtype=bool)
    marked[places] = True  # nobody, -1, is the place after all customers
    return marked[:-1]

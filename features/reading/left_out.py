"""What a company wants left out: columns, which are then as if the file did not have them, and customers, by a file of ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from features.company import Note, NoteKind
from features.reading.columns import read_ids
from features.reading.files import open_table, refuse_ragged_lines
from features.reading.refusals import Place, unreadable
from features.tables import INPUTS, Table
from keepwell.errors import DataError

KNOWN_AT = "known_at"
"""Says what was known when: without it, time would be another."""

LIST = "list of customers"
"""What errors call a file of ids: it is no table of the company."""


def columns_of(table: str, names: Collection[str]) -> frozenset[str]:
    """Which columns of a table are among the names of `leave_out`: `column` is one of customers, `table.column` of any table.

    >>> sorted(columns_of("customers", ["age", "complaints.category"])), sorted(columns_of("complaints", ["complaints.category"]))
    (['age'], ['category'])
    """
    return frozenset(column for owner, column in map(_split, names) if owner == table)


def refuse_absent_tables(present: Collection[str], names: Collection[str]) -> None:
    """Raise DataError for a name of `leave_out` whose table there is not."""
    for table, column in map(_split, names):
        if table not in present:
            hint = f"there are {', '.join(sorted(present))}; correct leave_out: in company.yaml"
            raise DataError(table, column, "is to be left out, but there is no such table", hint=hint)


def _split(name: str) -> tuple[str, str]:
    table, dot, column = name.partition(".")
    return (table, column) if dot and table in INPUTS else ("customers", name)


def left_out_columns(table: Table, ours: Mapping[str, str], extra: Collection[str], names: frozenset[str]) -> tuple[str, ...]:
    """The columns to leave out of a table, by the names that they have here: ours (of `ours`: our name -> theirs), else `extra`.

    Raises DataError for a name that there is not, and for a column that cannot be spared.
    """
    unknown = sorted(names - {*ours, *ours.values(), *extra})
    if unknown:
        there = ", ".join(sorted({*ours.values(), *extra} - {"customer_id"})) or "none"
        raise DataError(table.name, unknown[0], "is to be left out, but there is no such column", hint=f"there are {there}")
    listed = [mine for mine, theirs in ours.items() if mine in names or theirs in names]
    needed = next((name for name in listed if name in (*table.required, KNOWN_AT)), None)
    if needed is not None:
        raise DataError(table.name, needed, "cannot be left out: nothing works without it", hint="take it out of leave_out:")
    return (*listed, *(name for name in extra if name in names))


def left_out_notes(table: str, columns: Collection[str]) -> tuple[Note, ...]:
    """That these columns are left out."""
    return tuple(Note(NoteKind.IGNORED, table, column, "left out, as leave_out: in company.yaml says") for column in columns)


def read_customer_ids(path: Path, named_by: str = "leave_out_customers: in company.yaml") -> tuple[str, ...]:
    """The ids in the column customer_id of a CSV or Parquet file, as text, each once.

    Raises DataError where there is none; its hint says how the file was `named_by` the user.
    """
    try:
        return _ids_in(path)
    except DataError as error:
        hint = f"{named_by} must name a CSV file in UTF-8, or a Parquet file, with a column customer_id"
        raise DataError(LIST, error.column, error.rule, hint=hint, rows=error.rows, example=error.example) from error


def _ids_in(path: Path) -> tuple[str, ...]:
    opened = open_table(LIST, path)
    try:
        frame = opened.frame.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        refuse_ragged_lines(LIST, opened.texts)
        raise unreadable(LIST, error) from error
    if "customer_id" not in frame.columns:
        rule = f"is missing: {path.name} has the columns {', '.join(frame.columns)}"
        raise DataError(LIST, "customer_id", rule, hint="name the column in the first line")
    ids = read_ids(Place(LIST, "customer_id"), frame["customer_id"])
    return tuple(ids.cast(pl.String).drop_nulls().unique(maintain_order=True))


def without_customers(table: str, raw: pl.DataFrame, customer_ids: Collection[str]) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The rows of a table, as they were written, without those of these customers, and how many these were."""
    if not customer_ids:
        return raw, ()
    gone = pl.Series(sorted(customer_ids), dtype=pl.String).implode()
    theirs = read_ids(Place(table, "customer_id"), raw["customer_id"]).cast(pl.String).is_in(gone).fill_null(value=False)
    left = raw.filter(~theirs)
    if "referred_by" in raw.columns:
        brought = left["referred_by"]
        still = ~read_ids(Place(table, "referred_by"), brought).cast(pl.String).is_in(gone)
        left = left.with_columns(pl.when(still).then(brought).alias("referred_by"))
    told = "left out, as leave_out_customers: in company.yaml says"
    return left, (Note(NoteKind.IGNORED, table, "customer_id", told, int(theirs.sum())),) if theirs.any() else ()

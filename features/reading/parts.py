"""A table in several files: folders that name values, columns that only some files have, types that differ among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import polars as pl

from features.company import Note, NoteKind
from keepwell.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
"""What may stand between the values of a CSV file."""

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The folder name that stands for a missing value, by the custom of those who write such folders."""


class Part(NamedTuple):
    """One file of a table: the values that its folders name, its columns and their types, the separator of a CSV file."""

    file: Path
    folders: Mapping[str, str | None]
    schema: Mapping[str, pl.DataType]
    separator: str = ""

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """All columns that the part gives; a folder's value goes before a column of the same name in the file."""
        return dict(self.schema) | dict.fromkeys(self.folders, pl.String())


def partition_values(place: Path, file: Path) -> dict[str, str | None]:
    """What the folders between `place` and `file` say, as text, so that an id keeps its zeros.

    >>> partition_values(Path("sales"), Path("sales/year=2024/shop=001/part.parquet"))
    {'year': '2024', 'shop': '001'}
    """
    named = [name.partition("=") for name in file.relative_to(place).parent.parts if "=" in name]
    return {unquote(column): None if value == NO_VALUE else unquote(value) for column, _, value in named}


def joined(
    table: str, parts: Sequence[Part], scan: Callable[[list[Path], str], pl.LazyFrame]
) -> tuple[pl.LazyFrame, tuple[Note, ...]]:
    """(all parts as one frame, notes on what differs among them); files that are alike are scanned together.

    Raises DataError for a column whose types cannot be one.
    """
    alike: dict[object, list[Part]] = {}
    for part in parts:
        key = (tuple(part.folders.items()), tuple(part.schema.items()), part.separator)
        alike.setdefault(key, []).append(part)
    frames = [_scanned(group, scan) for group in alike.values()]
    if len(frames) == 1:
        return frames[0], ()
    notes = [note for name in _all_names(parts) for note in _compared(table, name, parts)]
    return pl.concat([_in_utc(frame) for frame in frames], how="diagonal_relaxed"), tuple(notes)


def _scanned(group: Sequence[Part], scan: Callable[[list[Path], str], pl.LazyFrame]) -> pl.LazyFrame:
    first = group[0]
    values = [pl.lit(value, dtype=pl.String).alias(name) for name, value in first.folders.items()]
    return scan([part.file for part in group], first.separator).with_columns(values)


def _all_names(parts: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in part.columns))


def _compared(table: str, name: str, parts: Sequence[Part]) -> list[Note]:
    """What to tell of the column called `name`; DataError where the files disagree beyond repair."""
    types = {part.file: part.columns[name] for part in parts if name in part.columns}
    notes = []
    if len(types) < len(parts):
        message = f"is only in {len(types)} of {len(parts)} files, and empty in the others"
        notes.append(Note(NoteKind.REPORTED, table, name, message))
    if len(set(types.values())) > 1:
        one = _one_type(table, name, types)
        notes.append(Note(NoteKind.REPORTED, table, name, f"has several types in the files, and is read as {one.base_type()}"))
    return notes


def _one_type(table: str, name: str, types: Mapping[Path, pl.DataType]) -> pl.DataType:
    """The type that holds the values of all files."""
    first_of = {dtype: file.name for file, dtype in reversed(list(types.items()))}
    empty = [_in_utc(pl.LazyFrame(schema={name: dtype})) for dtype in first_of]
    try:
        return pl.concat(empty, how="vertical_relaxed").collect_schema()[name]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        found = " and ".join(f"{dtype} in {file}" for dtype, file in first_of.items())
        raise DataError(table, name, f"cannot be one column: {found}", hint="write it with one type in all files") from error


def _in_utc(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Times with a zone in UTC, so that those of several zones are of one type."""
    zoned = [name for name, dtype in frame.collect_schema().items() if getattr(dtype, "time_zone", None)]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC")) if zoned else frame

"""Parquet and CSV: one file, or a folder of files of one kind, opened lazily."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from features.company import Note, NoteKind
from features.reading.parts import SEPARATORS, Part, joined, partition_values
from features.reading.refusals import unreadable
from features.reading.wrong_files import PACKED, refuse_late_header, refuse_other_kinds
from keepwell.errors import DataError

PARQUET, TEXT = (".parquet", ".pq"), (".csv", ".tsv", ".txt")
FOUND_ALONE = (".parquet", ".csv")
"""The endings that are found without being named in company.yaml."""

UTF_8 = "utf-8"
TABLE_LOGS: Mapping[str, str] = MappingProxyType({"_delta_log": "Delta Lake", ".hoodie": "Hudi"})
"""Folders that say which files of a table count: without reading them, rows would come that were deleted."""

LONGEST_HEADER = 1_000_000


class Opened(NamedTuple):
    """A table that can be collected; `typeless` when all its values are text; notes on how it was opened; its CSV files."""

    frame: pl.LazyFrame
    typeless: bool
    notes: tuple[Note, ...] = ()
    texts: tuple[Part, ...] = ()


class TextFormat(NamedTuple):
    """How CSV files are written: the separator (None: find it in the header) and the encoding."""

    separator: str | None = None
    encoding: str = UTF_8


def find_table(folder: Path, table: str) -> Path | None:
    """The one file or folder of files that holds `table`; None if there is none, DataError if there are two."""
    places = [folder / f"{table}{ending}" for ending in FOUND_ALONE if (folder / f"{table}{ending}").is_file()]
    places += [folder / table] if (folder / table).is_dir() else []
    if len(places) > 1:
        names = " and ".join(place.name for place in places)
        raise DataError(table, None, f"is there twice: {names}", hint="remove one, or name one in company.yaml: file: ...")
    return places[0] if places else None


def open_table(table: str, place: Path, written: TextFormat | None = None) -> Opened:
    """Open the file or folder at `place`, `written` so if it is CSV.

    Files of a folder are one table: a column that only some have is empty in the others, types that differ become one that holds
    both, and folders named column=value give a column of text. Raises DataError where there is neither Parquet nor CSV, or
    nothing, or columns that cannot be one.
    """
    files = _files(table, place)
    if files[0].suffix in PARQUET:
        frame, notes = joined(table, [_parquet_part(table, place, file) for file in files], _scan_parquet)
        return Opened(frame, typeless=False, notes=notes)
    written = written or TextFormat()
    parts = [_text_part(table, place, file, written) for file in files]
    guessed = {part.separator for part in parts} - {written.separator, ","}
    told = [Note(NoteKind.GUESSED, table, None, f"columns are separated by {separator!r}") for separator in sorted(guessed)]
    scan = _scan_csv if written.encoding == UTF_8 else partial(_read_csv, written.encoding)
    frame, notes = joined(table, parts, scan)
    return Opened(frame, typeless=True, notes=(*told, *notes), texts=tuple(parts))


def _files(table: str, place: Path) -> list[Path]:
    """The files of a table, all of one kind, none of them empty."""
    for log, kind in TABLE_LOGS.items():
        if (place / log).is_dir():
            rule = f"{place.name} is a table of {kind}, whose files hold deleted and replaced rows as well"
            raise DataError(table, None, rule, hint="write its rows out as plain Parquet, and give that")
    inside = place.rglob("*") if place.is_dir() else [place]
    files = sorted(file for file in inside if file.is_file() and not any(map(_is_aside, file.relative_to(place).parts)))
    if not files:
        raise DataError(table, None, f"{place} does not exist or is empty", hint="check the path, and file: in company.yaml")
    kinds = {file.suffix in PARQUET for file in files}
    strange = [file for file in files if file.suffix not in PARQUET + TEXT]
    if strange or len(kinds) > 1:
        example = (strange or files)[0]
        hint = PACKED.get(example.suffix, "save it as CSV or Parquet")
        raise DataError(table, None, f"must be Parquet or CSV, and of one kind: found {example.name}", hint=hint)
    empty = [file for file in files if file.stat().st_size == 0]
    if empty:
        raise DataError(table, None, f"is an empty file: {empty[0].name}", hint="check that the export is complete")
    return files


def _is_aside(name: str) -> bool:
    """Whether a file or folder is no part of a table, by the custom of Spark: marks, copies of editors, half-written parts."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _parquet_part(table: str, place: Path, file: Path) -> Part:
    try:
        return Part(file, partition_values(place, file), _scan_parquet([file], "").collect_schema())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(table, error) from error


def _text_part(table: str, place: Path, file: Path, written: TextFormat) -> Part:
    if written.encoding == UTF_8:
        refuse_other_kinds(table, file)
    header = _header(table, file, written.encoding)
    used = written.separator or max(SEPARATORS, key=header.count)  # the first, a comma, when there is none of them
    names = next(csv.reader([header], delimiter=used), [])
    part = Part(file, partition_values(place, file), dict.fromkeys(names, pl.String()), used)
    if len(part.schema) < len(names):
        refuse_late_header(table, [part], written.encoding)
        raise _repeated(table, names)
    return part


def _repeated(table: str, names: Sequence[str]) -> DataError:
    name = next(name for name in names if names.count(name) > 1)
    if name.strip():
        return DataError(table, name[:40], "stands twice in the header line", hint="rename or remove one of the two columns")
    rule = f"has {names.count(name)} columns without a name in its header line"
    return DataError(table, None, rule, hint="give each a name, or remove them: often they are empty columns at the end")


def _header(table: str, file: Path, encoding: str) -> str:
    try:
        with file.open(encoding=encoding) as lines:
            return lines.readline(LONGEST_HEADER).removeprefix("\ufeff")
    except (UnicodeError, OSError) as error:
        name = "UTF-8" if encoding == UTF_8 else encoding
        hint = "save it as CSV in UTF-8, or say encoding: in company.yaml, as windows-1252 or utf-16"
        raise DataError(table, None, f"{file.name} is not {name} text", hint=hint) from error


def refuse_ragged_lines(table: str, parts: Sequence[Part]) -> None:
    """Raise DataError for lines with more values than the header has names: what a reader says of them names no line."""
    for part in parts:
        width, ragged = _ragged_lines(part)
        if ragged:
            line, values = ragged[0]
            rule = f"{part.file.name} has lines with more values than the {width} names of its header"
            hint = "put values that hold the separator in quotes, or correct separator: in company.yaml"
            raise DataError(table, None, rule, hint=hint, rows=len(ragged), example=f"line {line} with {values} values")


def _ragged_lines(part: Part) -> tuple[int, list[tuple[int, int]]]:
    """(number of names in the header, (number of the line, its values) where those are more); none where CSV rules end."""
    with part.file.open(encoding=UTF_8, errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=part.separator)
        try:
            width = len(next(reader, []))
            return width, [(reader.line_num, len(values)) for values in reader if len(values) > width]
        except csv.Error:
            return 0, []


def _scan_parquet(files: list[Path], _: str) -> pl.LazyFrame:
    return pl.scan_parquet(files, hive_partitioning=False, glob=False)  # brackets in a name are no pattern


def _scan_csv(files: list[Path], separator: str) -> pl.LazyFrame:
    return pl.scan_csv(files, infer_schema=False, separator=separator, glob=False)


def _read_csv(encoding: str, files: list[Path], separator: str) -> pl.LazyFrame:
    """Files in another encoding, which Polars cannot scan: brought to UTF-8 in memory."""
    texts = [file.read_bytes().decode(encoding).removeprefix("\ufeff").encode() for file in files]
    return pl.concat(pl.read_csv(text, infer_schema=False, separator=separator) for text in texts).lazy()

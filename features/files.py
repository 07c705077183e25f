"""Parquet and CSV: one file, or a folder of files of one kind, opened lazily."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import polars as pl

from keepwell.errors import DataError

PARQUET, TEXT = (".parquet", ".pq"), (".csv", ".tsv", ".txt")
FOUND_ALONE = (".parquet", ".csv")
"""The endings that are found without being named in company.yaml."""

SEPARATORS = (",", ";", "\t", "|")
LONGEST_HEADER = 1_000_000


class Opened(NamedTuple):
    """A table that can be collected; `typeless` when all its values are text; the CSV separator if it was guessed."""

    frame: pl.LazyFrame
    typeless: bool
    guessed_separator: str | None = None


def find_table(folder: Path, table: str) -> Path | None:
    """The one file or folder of files that holds `table`; None if there is none, DataError if there are two."""
    places = [folder / f"{table}{ending}" for ending in FOUND_ALONE if (folder / f"{table}{ending}").is_file()]
    places += [folder / table] if (folder / table).is_dir() else []
    if len(places) > 1:
        names = " and ".join(place.name for place in places)
        raise DataError(table, None, f"is there twice: {names}", hint="remove one, or name one in company.yaml: file: ...")
    return places[0] if places else None


def open_table(table: str, place: Path, separator: str | None = None) -> Opened:
    """Open the file or folder at `place`; DataError if it is neither Parquet nor CSV, or holds nothing."""
    files = _files(table, place)
    if files[0].suffix in PARQUET:
        # Values of folder names stay text, as an id in them would lose its leading zeros.
        return Opened(pl.scan_parquet(files, hive_partitioning=place.is_dir(), try_parse_hive_dates=False), typeless=False)
    header = _header(table, files[0])
    used = separator or max(SEPARATORS, key=header.count)  # the first, a comma, when there is none of them
    _refuse_repeated_names(table, header, used)
    frame = pl.scan_csv(files, infer_schema=False, separator=used)
    return Opened(frame, typeless=True, guessed_separator=used if used not in (separator, ",") else None)


def _files(table: str, place: Path) -> list[Path]:
    """The files of a table, all of one kind, none of them empty."""
    inside = place.rglob("*") if place.is_dir() else [place]
    files = sorted(file for file in inside if file.is_file() and file.name[0] not in "._")
    if not files:
        raise DataError(table, None, f"{place} does not exist or is empty", hint="check the path, and file: in company.yaml")
    kinds = {file.suffix in PARQUET for file in files}
    strange = [file for file in files if file.suffix not in PARQUET + TEXT]
    if strange or len(kinds) > 1:
        example = (strange or files)[0].name
        raise DataError(
            table, None, f"must be Parquet or CSV, and of one kind: found {example}", hint="save it as CSV or Parquet"
        )
    empty = [file for file in files if file.stat().st_size == 0]
    if empty:
        raise DataError(table, None, f"is an empty file: {empty[0].name}", hint="check that the export is complete")
    return files


def _header(table: str, file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig") as lines:
            return lines.readline(LONGEST_HEADER)
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(table, None, f"{file.name} is not UTF-8 text", hint="save it as CSV in UTF-8") from error


def _refuse_repeated_names(table: str, header: str, separator: str) -> None:
    names = next(csv.reader([header], delimiter=separator), [])
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(table, repeated, "stands twice in the header line", hint="rename or remove one of the two columns")

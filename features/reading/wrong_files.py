"""What a file named .csv is when it is no CSV file, and where its header stands when not in the first line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from features.reading.parts import SEPARATORS, Part
from keepwell.errors import DataError

SAVE_AS_CSV = "open it in a spreadsheet and save the sheet as CSV UTF-8"
UNPACK = "unpack it"
SIGNS: Mapping[bytes, tuple[str, str]] = MappingProxyType(
    {
        b"PK\x03\x04": ("an Excel workbook or another ZIP archive", f"{SAVE_AS_CSV}, or unpack it"),
        b"PK\x05\x06": ("an empty ZIP archive", "check that the export is complete"),
        b"\xd0\xcf\x11\xe0": ("an old Excel workbook", SAVE_AS_CSV),
        b"\x1f\x8b": ("packed by gzip", UNPACK),
        b"PAR1": ("a Parquet file", "give its name the ending .parquet"),
        b"<!": ("a web page", "look at it in a browser: the download may have failed, or want a login"),
        b"<html": ("a web page", "look at it in a browser: the download may have failed, or want a login"),
        b"<?xml": ("XML", SAVE_AS_CSV),
    }
)
"""How files begin that often come under the name of CSV: what they are, and the way out."""

PACKED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((".xlsx", ".xls", ".ods"), SAVE_AS_CSV) | dict.fromkeys((".gz", ".zip", ".7z"), UNPACK)
)
"""Endings of files that hold tables which cannot be read as they are, and the way out."""

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
FIRST_BYTES = 64
FIRST_LINES = 10
LONGEST_LINE = 100_000


def refuse_other_kinds(table: str, file: Path) -> None:
    """Raise DataError for a file that begins as something else than text in UTF-8 or a kindred encoding."""
    with file.open("rb") as content:
        start = content.read(FIRST_BYTES)
    for sign, (kind, way_out) in SIGNS.items():
        if start.lower().startswith(sign.lower()):
            raise DataError(table, None, f"{file.name} is no CSV file, but {kind}", hint=way_out)
    if encoding := _utf_16(start):
        hint = f"say encoding: {encoding} in company.yaml, or save it as CSV in UTF-8"
        raise DataError(table, None, f"{file.name} is not UTF-8 text, but UTF-16", hint=hint)


def _utf_16(start: bytes) -> str | None:
    """The name of the UTF-16 that `start` is written in: by its mark, else by zeros beside Latin letters.

    >>> _utf_16("a,b".encode("utf-16")), _utf_16("a,b".encode("utf-16-be")), _utf_16(b"a,b")
    ('utf-16', 'utf-16-be', None)
    """
    if start.startswith(UTF_16_MARKS):
        return "utf-16"
    if len(start) > 1 and not any(start[1::2]):
        return "utf-16-le"
    return "utf-16-be" if len(start) > 1 and not any(start[0::2]) else None


def refuse_late_header(table: str, parts: Sequence[Part], encoding: str) -> None:
    """Raise DataError where a line below the first seems to hold the names: more of them, and each with a letter.

    For files that could not be read: a file in order has no line with more values than its header has names.
    """
    for part in parts:
        names = {number: _names(line) for number, line in _first_lines(part.file, encoding)}
        late = next((number for number, found in names.items() if found > max(next(iter(names.values())), 1)), None)
        if late:
            rule = f"{part.file.name} seems to have the names of its columns in line {late}, not in the first"
            raise DataError(table, None, rule, hint="remove the lines above it")


def _first_lines(file: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The first lines that are not empty, as readers count them, each with its number."""
    with file.open(encoding=encoding, errors="replace") as lines:
        numbered = enumerate(iter(lambda: lines.readline(LONGEST_LINE), ""), 1)
        yield from islice(((number, line) for number, line in numbered if line.strip()), FIRST_LINES)


def _names(line: str) -> int:
    """How many names a line holds; 0 where one of its values has no letter, and so is no name.

    >>> _names("customer;day;;"), _names("7;2026-01-05;3")
    (2, 0)
    """
    try:
        values = next(csv.reader([line], delimiter=max(SEPARATORS, key=line.count)), [])
    except csv.Error:
        return 0
    given = [value for value in values if value.strip()]
    return len(given) if all(map(is_name, given)) else 0


def is_name(value: str) -> bool:
    """Whether it could be the name of a column: something in it is a letter.

    >>> is_name("Nº"), is_name("2026-01-05")
    (True, False)
    """
    return any(letter.isalpha() for letter in value)

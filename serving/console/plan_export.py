"""A list of what is to do as a CSV file, written line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def table_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A heading and one line per row, as UTF-8 with the mark by which spreadsheets know it; a missing value is empty."""
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line(map(_safe, row))


def _safe(value: object) -> object:
    """Texts that a spreadsheet would run as a formula get an apostrophe before them.

    >>> _safe("=1+1"), _safe(-2.5), _safe(None)
    ("'=1+1", -2.5, '')
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value


def _line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()

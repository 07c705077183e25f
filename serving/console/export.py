"""The list of customers as a CSV file, written line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from serving.store.records import ScoreRow

COLUMNS = (
    *("customer_id", "name", "owner", "churn_probability", "expected_value", "value_low", "value_high", "value_at_risk"),
    *("current_value", "potential_value", "lifetime_value", "status", "value_tier", "quadrant", "lifecycle", "loyalty"),
    *("relation", "credit_grade", "service_level", "next_category", "complaints_open", "action"),
)
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[ScoreRow]) -> Iterator[str]:
    """A heading and one line per row, as UTF-8 with the mark by which spreadsheets know it; a missing value is empty."""
    yield "\ufeff" + _line(COLUMNS)
    for row in rows:
        yield _line(_cell(getattr(row, column)) for column in COLUMNS)


def _cell(value: object) -> object:
    """Texts that a spreadsheet would run as a formula get an apostrophe before them.

    >>> _cell("=1+1"), _cell(-2.5), _cell(None)
    ("'=1+1", -2.5, '')
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value


def _line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()

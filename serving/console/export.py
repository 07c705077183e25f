"""Lists as CSV files, written line by line, and the list of customers as an Excel workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import xlsxwriter

from serving.store.records import ScoreRow

COLUMNS = (
    *("customer_id", "name", "owner", "churn_probability", "expected_value", "value_low", "value_high", "value_at_risk"),
    *("current_value", "potential_value", "lifetime_value", "status", "value_tier", "quadrant", "lifecycle", "loyalty"),
    *("relation", "credit_grade", "service_level", "next_category", "complaints_open", "action", "kind", "account_id"),
)

MOST_IN_WORKBOOK = 100_000
"""Rows; a longer list is a CSV file, which can be sent while it is written."""

_LONGEST_CELL = 32_767  # what Excel takes
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[ScoreRow]) -> Iterator[str]:
    """The list of customers, as `table_lines` writes it."""
    return table_lines(COLUMNS, ([getattr(row, column) for column in COLUMNS] for row in rows))


def table_lines(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A heading and one line per row, as UTF-8 with the mark by which spreadsheets know it; a missing value is empty."""
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line(map(_cell, row))


def write_workbook(rows: Iterable[ScoreRow], path: Path) -> None:
    """Write a heading and one line per row, row by row; a text is never run as a formula, a missing value is an empty cell."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("customers")
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        for line, row in enumerate(rows, start=1):
            for place, column in enumerate(COLUMNS):
                value = getattr(row, column)
                if isinstance(value, str):
                    sheet.write_string(line, place, value[:_LONGEST_CELL])
                elif value is not None:
                    sheet.write_number(line, place, value)


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

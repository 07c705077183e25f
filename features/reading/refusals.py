"""How a column is refused: the rule, the number of rows that break it, and one of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from keepwell.errors import DataError

LONGEST_EXAMPLE = 60
UNITS_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
DAYS_THAT_PRINT = 700_000
"""Days from 1970 within which every library writes out a date; the ends of the 64-bit range are in no calendar."""


UNCLOSED = "cannot be read: a quotation mark does not close, or closes inside a value"
KNOWN_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "empty CSV": "cannot be read: there is no header line",
        "more fields than defined": "cannot be read: a line has more values than the header has names",
        "invalid utf-8": "cannot be read: it is not UTF-8 text throughout",
        "CSV malformed": UNCLOSED,
        "could not parse `": UNCLOSED,
        "must end with PAR1": "cannot be read: the Parquet file is incomplete, or is none",
        "must contain a header and footer": "cannot be read: the Parquet file is incomplete, or is none",
    }
)
"""Words that readers use, and ours for them."""


class Place(NamedTuple):
    """Where something stands: a table and one of its columns, as the user knows them."""

    table: str
    column: str


def refuse(place: Place, raw: pl.Series, broken: pl.Series, rule: str, hint: str) -> None:
    """Raise DataError if `broken` (booleans beside `raw`; null = fine) is true anywhere."""
    rows = int(broken.sum())
    if rows:
        raise DataError(*place, rule, hint=hint, rows=rows, example=plain(raw.filter(broken.fill_null(value=False))))


def plain(values: pl.Series) -> object:
    """The first of `values` as it is shown in an error: a number, or a text cut to length."""
    first = values.head(1)
    if first.dtype.is_numeric() and not first.dtype.is_decimal():
        return first.item()
    if isinstance(first.dtype, pl.Date | pl.Datetime) and not -DAYS_THAT_PRINT < days_since_epoch(first) < DAYS_THAT_PRINT:
        return f"the year {1970 + days_since_epoch(first) // 365.2425:.0f}"
    text = str(first.cast(pl.String, strict=False).item())
    return text if len(text) <= LONGEST_EXAMPLE else text[:LONGEST_EXAMPLE] + "..."


def units_a_day(dtype: pl.DataType) -> int:
    """How many steps of a Date or Datetime make a day."""
    unit = getattr(dtype, "time_unit", None)
    return UNITS_A_DAY[unit] if unit else 1


def days_since_epoch(one: pl.Series) -> int:
    """The day number of a series of one Date or Datetime, of any size."""
    return int(one.to_physical().item()) // units_a_day(one.dtype)


def unreadable(table: str, error: BaseException) -> DataError:
    """A DataError in place of what a reader raises."""
    reason = " ".join(str(error).split("\n")[0].split())[:200] or type(error).__name__
    rule = next((words for sign, words in KNOWN_FAULTS.items() if sign in reason), f"cannot be read: {reason}")
    hint = "give a Parquet file, or a CSV file in UTF-8 (or with encoding: in company.yaml) with a header line"
    return DataError(table, None, rule, hint=hint)

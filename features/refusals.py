"""How a column is refused: the rule, the number of rows that break it, and one of them."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from keepwell.errors import DataError

LONGEST_EXAMPLE = 60


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
    if first.dtype.is_numeric():
        return first.item()
    if first.dtype.is_temporal():
        first = first.to_physical() if first.dt.year().is_null().any() else first
    text = str(first.cast(pl.String, strict=False).item())
    return text if len(text) <= LONGEST_EXAMPLE else text[:LONGEST_EXAMPLE] + "..."

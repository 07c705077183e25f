"""Times that cannot be right, or look as if they were not when the rows were written. No label is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.asof import NEVER_DAY, day_date
from features.company import FIXED_AHEAD, Company
from features.recipe import event_day

LONG_GAP_DAYS = 30
"""A silence of the whole company; what comes after it, and is next to nothing, is rather a slip of the pen."""

FEW_ROWS_SHARE = 0.001
ONE_DAY_SHARE = 0.2
CAMPAIGNS = ("contacts",)
"""Tables in which many rows of one day are as they should be."""

LEAST_ON_ONE_DAY = 100
TIMES_THE_NEXT = 5.0


@dataclass(frozen=True)
class Suspicion:
    """Something that looks as if the data knew the future. `place` is a table, or one of its columns or features."""

    kind: str
    place: str
    message: str
    way_out: str

    def lines(self) -> list[str]:
        """The suspicion for people."""
        return [f"  {self.place}: {self.message}", f"    -> {self.way_out}"]


def odd_times(company: Company) -> tuple[Suspicion, ...]:
    """Rows dated long after all others, and days on which an import has put many rows at once."""
    found: list[Suspicion] = []
    for name, frame in company.event_tables.items():
        column = str(event_day(name))
        days, rows = _rows_by_day(frame[column])
        if len(days) > 1:
            found += [] if name in CAMPAIGNS else [*_imported(f"{name}.{_told(column)}", days, rows)]
            found += [] if name in FIXED_AHEAD else [*_far_ahead(f"{name}.{_told(column)}", days, rows)]
    if "joined_day" in company.tables.get("customers", pl.DataFrame()).columns:
        days, rows = _rows_by_day(company.tables["customers"]["joined_day"])
        found += [*_imported("customers.joined_at", days, rows)] if len(days) > 1 else []
    return tuple(found)


def _far_ahead(place: str, days: np.ndarray, rows: np.ndarray) -> Iterator[Suspicion]:
    """A few rows after a long silence at the end of the log."""
    after = np.cumsum(rows[::-1])[::-1][1:]
    gaps = np.diff(days)
    cut = np.flatnonzero((gaps > LONG_GAP_DAYS) & (after <= FEW_ROWS_SHARE * rows.sum()))
    if len(cut):
        first = cut[0]
        few, day = int(after[first]), day_date(int(days[first]))
        message = f"{few:,} row{'s' if few > 1 else ''} {gaps[first]:,} days and more after all others, which end on {day}"
        yield Suspicion("time", place, message, "correct the dates, or remove the rows: they move the end of the data")


def _imported(place: str, days: np.ndarray, rows: np.ndarray) -> Iterator[Suspicion]:
    """One day with far more rows than any other."""
    top, next_most = int(rows.argmax()), float(np.sort(rows)[-2])
    if rows[top] >= max(LEAST_ON_ONE_DAY, ONE_DAY_SHARE * rows.sum(), TIMES_THE_NEXT * next_most):
        message = f"{rows[top]:,} of {rows.sum():,} rows are dated {day_date(int(days[top]))}: rather the day of an import"
        way_out = "give the day on which each happened; what was entered later belongs in known_at"
        yield Suspicion("time", place, message, way_out)


def _rows_by_day(column: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """(days, ascending; how many rows each has); rows without a day are none."""
    counts = column.filter(column != NEVER_DAY).value_counts().sort(column.name)
    return counts[column.name].to_numpy().astype(np.int64), counts["count"].to_numpy().astype(np.int64)


def _told(column: str) -> str:
    """The column as the user knows it."""
    return f"{column.removesuffix('_day')}_at"

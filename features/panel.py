"""The panel: feature rows for many customers at several dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import narwhals as nw
import polars as pl

from features.catalog import feature_names
from features.company import Company
from features.frames import Frame, PanelFrames
from features.recipe import recipe
from keepwell.progress import Progress, Silent

__all__ = ["build_frames", "build_panel", "feature_names"]

Native: TypeAlias = Any
"""A table of any engine that Narwhals knows."""


def build_panel(
    company: Company, dates: Sequence[date], names: Sequence[str] | None = None, progress: Progress = Silent()
) -> pl.DataFrame:
    """The features `names` (None: all that the company allows) of every customer with a purchase known before each date.

    Columns `customer_id`, `as_of` (Date), then one Float64 column per name; sorted by `as_of`, `customer_id`; missing is null.
    Reads nothing at or after a date for that date's rows. ConfigError for a name that the catalog lacks.
    """
    asked = recipe(feature_names(company) if names is None else names)
    tables: dict[str, Frame] = {name: nw.from_native(frame.lazy()) for name, frame in company.tables.items()}
    frames = PanelFrames(tables, company.scales, asked, settle=lambda frame: frame.collect().lazy())
    parts: list[pl.DataFrame] = []
    for done, as_of in enumerate(sorted(dates), start=1):
        parts.append(frames.at(as_of).sort("customer_id").collect().to_native())
        progress.count(done, len(dates))
    return pl.concat(parts)


def build_frames(frames: Mapping[str, Native], scales: Mapping[str, int], dates: Sequence[date], names: Sequence[str]) -> Native:
    """The same panel on any engine: normalised tables in, one table of the same kind out, its rows in no order.

    Eager tables (Polars, pandas) give an eager one, lazy ones (Polars, DuckDB, PySpark) a lazy one.
    """
    tables = {name: nw.from_native(frame) for name, frame in frames.items()}
    panel = PanelFrames({name: table.lazy() for name, table in tables.items()}, scales, recipe(names))
    rows = nw.concat([panel.at(as_of) for as_of in dates])
    eager = isinstance(tables["transactions"], nw.DataFrame)
    return rows.collect().to_native() if eager else rows.to_native()

"""The panel: feature rows for many customers at several dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import narwhals as nw
import polars as pl

from features.catalog import feature_names, panel_names
from features.company import Company
from features.frames import Frame, PanelFrames
from features.recipe import recipe
from keepwell.errors import ConfigError
from keepwell.progress import Progress, Silent

__all__ = ["build_frames", "build_panel", "feature_names", "panel_blocks", "panel_names"]

BLOCK_CUSTOMERS = 65_536
"""About how many customers one block of `panel_blocks` holds."""

Native: TypeAlias = Any
"""A table of any engine that Narwhals knows."""


def build_panel(
    company: Company, dates: Sequence[date], names: Sequence[str] | None = None, progress: Progress = Silent()
) -> pl.DataFrame:
    """The features `names` (None: `catalog.panel_names`) of every customer with a purchase known before each date.

    Columns `customer_id`, `as_of` (Date), then one Float64 column per name; sorted by `as_of`, `customer_id`; missing is null.
    Reads nothing at or after a date for that date's rows. ConfigError for a name that the catalog lacks, and for no dates.
    """
    ordered = sorted(set(dates))
    if not ordered:
        raise ConfigError("no dates to build features for", hint="give at least one date")
    asked = recipe(panel_names(company, ordered) if names is None else names)
    ids = company.tables["transactions"]["customer_id"].unique().sort()
    tables: dict[str, Frame] = {name: nw.from_native(_numbered(frame, ids)) for name, frame in company.tables.items()}
    frames = PanelFrames(tables, company.scales, asked, settle=lambda frame: frame.collect().lazy())
    parts: list[pl.DataFrame] = []
    for done, as_of in enumerate(ordered, start=1):
        rows = frames.at(as_of).sort("customer_id").collect().to_native()
        parts.append(rows.with_columns(ids.gather(rows["customer_id"]).alias("customer_id")))
        progress.count(done, len(ordered))
    return pl.concat(parts)


def panel_blocks(
    company: Company, dates: Sequence[date], names: Sequence[str] | None = None, progress: Progress = Silent()
) -> Iterator[pl.DataFrame]:
    """The rows of `build_panel` in blocks of customers, for a panel that does not fit into memory.

    Each block holds some customers at all dates, sorted by `as_of`, `customer_id`; customers ascend from block to block. Every
    block has the same columns; one without rows is left out, but there is at least one block.
    """
    panel = build_panel(company, dates, names, progress)
    ids = panel["customer_id"].unique().sort()
    for first in range(0, max(ids.len(), 1), BLOCK_CUSTOMERS):
        yield panel.filter(pl.col("customer_id").is_in(ids.slice(first, BLOCK_CUSTOMERS).implode()))


def build_frames(frames: Mapping[str, Native], scales: Mapping[str, int], dates: Sequence[date], names: Sequence[str]) -> Native:
    """The same panel on any engine: normalised tables in, one table of the same kind out, its rows in no order.

    Eager tables (Polars, pandas) give an eager one, lazy ones (Polars, DuckDB, PySpark) a lazy one.
    """
    tables = {name: nw.from_native(frame) for name, frame in frames.items()}
    panel = PanelFrames({name: table.lazy() for name, table in tables.items()}, scales, recipe(names))
    rows = nw.concat([panel.at(as_of) for as_of in dates])
    eager = isinstance(tables["transactions"], nw.DataFrame)
    return rows.collect().to_native() if eager else rows.to_native()


def _numbered(frame: pl.DataFrame, ids: pl.Series) -> pl.LazyFrame:
    """The rows of the customers in `ids`, each customer as their place there: grouping by a number is quick."""
    places = pl.DataFrame({"customer_id": ids, "place": range(len(ids))}, schema_overrides={"place": pl.UInt32})
    found = frame.select("customer_id").join(places, on="customer_id", how="left", maintain_order="left")["place"]
    numbered = frame.with_columns(found.alias("customer_id")).lazy()
    return numbered.filter(pl.col("customer_id").is_not_null()) if found.has_nulls() else numbered

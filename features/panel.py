"""The panel: feature rows for many customers at several dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from features.arrays.panels import Panels
from features.catalog import feature_names, panel_names
from features.company import Company
from features.recipe import recipe
from keepwell.errors import ConfigError
from keepwell.progress import Progress, Silent

__all__ = ["build_panel", "feature_names", "panel_blocks", "panel_names"]


def build_panel(
    company: Company, dates: Sequence[date], names: Sequence[str] | None = None, progress: Progress = Silent()
) -> pl.DataFrame:
    """The features `names` (None: `catalog.panel_names`) of every customer with a purchase known before each date.

    Columns `customer_id`, `as_of` (Date), then one Float64 column per name; sorted by `as_of`, `customer_id`; missing is null.
    Reads nothing at or after a date for that date's rows. ConfigError for a name that the catalog lacks, and for no dates.
    """
    return _panels(company, dates, names).whole(progress)


def panel_blocks(
    company: Company, dates: Sequence[date], names: Sequence[str] | None = None, progress: Progress = Silent()
) -> Iterator[pl.DataFrame]:
    """The rows of `build_panel` in blocks of customers, for a panel that does not fit into memory.

    Each block holds some customers at all dates, sorted by `as_of`, `customer_id`; customers ascend from block to block. Every
    block has the same columns; one without rows is left out, unless it is the first.
    """
    for number, block in enumerate(_panels(company, dates, names).frames(progress)):
        if len(block) or not number:
            yield block


def _panels(company: Company, dates: Sequence[date], names: Sequence[str] | None) -> Panels:
    ordered = sorted(set(dates))
    if not ordered:
        raise ConfigError("no dates to build features for", hint="give at least one date")
    return Panels(company, ordered, recipe(panel_names(company, ordered) if names is None else names))

"""Groups of customers by one of their columns, for whoever asks whether a model treats them alike.

The column need be no feature: one that company.yaml leaves out can be asked for, and one that lies in a file of its own.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from features.asof import NEVER_DAY, day_number
from features.reading.assemble import customers_alone
from features.reading.sources import opened_customers
from features.tables import CUSTOMERS
from keepwell.errors import DataError

NOT_KNOWN, OTHERS = "not known", "others"

MOST_GROUPS = 12
"""Words that make a group of their own, the most common ones; a number or a day with more values is cut into bands."""

MOST_STEPS = 6
"""A number with no more different values than this has a group for each."""

BANDS = 4
_YEAR_DAYS, _YEAR_DECIMALS = 365.25, 3
_MOST_DIGITS = 15
"""What a float holds of a decimal number."""


def customer_groups(path: Path, column: str, as_of: date, *, apart: Path | None = None) -> pl.DataFrame:
    """customer_id (text) and `group` (text) of all customers, by a column of customers, or of the file `apart`.

    Numbers and days with many values become four bands of equal size, days as years before `as_of`. Who has no value is in
    NOT_KNOWN. Raises DataError where there is no such column, ConfigError as `read_company` does.
    """
    table, config = opened_customers(path, apart)
    known, present = set(CUSTOMERS.names), table.frame.collect_schema().names()
    if column == "customer_id" or column not in {*known, *present}:
        there = ", ".join(name for name in present if name != "customer_id")
        raise DataError("customers", column, "is no column to group by", hint=f"there are {there}")
    left_out = tuple(name for name in config.leave_out if name != column)
    static = tuple({*config.static, column} - known)
    people = customers_alone(
        table.frame, config.model_copy(update={"leave_out": left_out, "static": static}), typeless=table.typeless
    )
    held = f"{column.removesuffix('_at')}_day" if column in known and column.endswith("_at") else column
    if held not in people.frame.columns:
        raise DataError(
            "customers", column, "is no column to group by", hint="choose one whose values are words, numbers or days"
        )
    values = people.frame[held]
    units = values / 10 ** people.decimals[held] if held in people.decimals else values
    return people.frame.select(pl.col("customer_id").cast(pl.String), group=_grouped(units, as_of))


def _grouped(values: pl.Series, as_of: date) -> pl.Series:
    """The name of each value's group; of days, by the years since."""
    if values.dtype == pl.String:
        return _by_word(values)
    if values.dtype in (pl.Int32, pl.Date):
        days = values.to_physical().replace(NEVER_DAY, None).cast(pl.Float64)
        return _by_number(((day_number(as_of) - days) / _YEAR_DAYS).round(_YEAR_DECIMALS), " years")
    return _by_number(values.cast(pl.Float64), "")


def _by_word(values: pl.Series) -> pl.Series:
    common = values.drop_nulls().value_counts(sort=True).sort("count", values.name, descending=[True, False])[values.name]
    kept = pl.col("value").is_in(common.head(MOST_GROUPS).implode())
    named = pl.when(pl.col("value").is_null()).then(pl.lit(NOT_KNOWN)).when(kept).then("value").otherwise(pl.lit(OTHERS))
    return pl.DataFrame({"value": values}).select(group=named)["group"]


def _by_number(values: pl.Series, unit: str) -> pl.Series:
    """A group for each of a few values, else bands between quantiles."""
    known = values.drop_nulls().to_numpy()
    if len(np.unique(known)) <= MOST_STEPS:
        return values.map_elements(lambda value: f"{_written(value)}{unit}", return_dtype=pl.String).fill_null(NOT_KNOWN)
    edges = _rounded(np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS)))
    texts = [_written(edge) for edge in edges]
    between = (f"{low} to {high}{unit}" for low, high in pairwise(texts))
    names = [f"below {texts[0]}{unit}", *between, f"{texts[-1]}{unit} and more"]
    places = np.searchsorted(edges, values.fill_null(0.0).to_numpy(), side="right")
    return pl.Series([names[place] for place in places]).zip_with(values.is_not_null(), pl.Series([NOT_KNOWN]))


def _rounded(edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Different edges with as few digits, of two or more, as keep them apart.

    >>> _rounded(np.array([23.4, 31.9])).tolist(), _rounded(np.array([1961.0, 1974.0, 1988.0])).tolist()
    ([23.0, 32.0], [1960.0, 1970.0, 1990.0])
    """
    rounded = (np.unique([float(f"{edge:.{digits}g}") for edge in edges]) for digits in range(2, _MOST_DIGITS))
    return next((each for each in rounded if each.size == edges.size), edges)


def _written(value: float) -> str:
    """A number as people write it, told from any other."""
    return f"{value:.{_MOST_DIGITS}g}"

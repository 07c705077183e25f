"""Rows as JSON has them, checked and converted: few without data frames, whose steps take as long for one row as for a thousand.

The short way reads only what is plainly in order: whole texts, finite numbers in their range, ISO times. At anything else it
gives up, and `features.reading.normalise` reads the table or refuses it: so there is one set of rules, and one set of words for
them. A property test holds the two ways equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from features.asof import ALWAYS_DAY, NEVER_DAY, NEVER_US
from features.reading.columns import MOST_DECIMALS, fewest_decimals, fits_exactly, fitting_decimals, float_noise, read_money
from features.reading.few_times import read_few_times
from features.reading.normalise import Reading, names_of_times, normalise
from features.reading.refusals import Place
from features.tables import Column, Kind, Table

Array: TypeAlias = npt.NDArray[Any]
Given: TypeAlias = Sequence[Any]
"""The values of a column, None where missing."""

FEW_ROWS = 2_000
"""Up to here this way is the quicker one."""


class Rows(NamedTuple):
    """A normalised table as arrays, as `to_numpy` gives those of `Normalised`, and the decimals of its money columns."""

    columns: dict[str, Array]
    decimals: dict[str, int]


def normalise_rows(table: Table, given: Mapping[str, Given], others: Mapping[str, pl.Series], reading: Reading) -> Rows:
    """The normalised table of the columns `given`, and of `others` that are none of ours and stay as they are.

    Values are None where missing; customer ids are integers, other ids texts. The decimals in `reading` are the least of their
    column: an amount may need more. Raises DataError for the first rule that is broken.
    """
    few = read_few(table, given, others, reading) if len(given["customer_id"]) <= FEW_ROWS else None
    return few or read_many(table, given, others, reading)


def read_many(table: Table, given: Mapping[str, Given], others: Mapping[str, pl.Series], reading: Reading) -> Rows:
    """The long way: `normalise` of a data frame."""
    listed = [pl.Series(name, values, dtype=_type_of(table.column(name))) for name, values in given.items()]
    raw = pl.DataFrame([*listed, *others.values()])
    decimals = {
        column.name: max(
            reading.decimals.get(column.name, 0), read_money(Place(table.name, column.name), raw[column.name], column).decimals
        )
        for column in table.columns
        if column.kind is Kind.MONEY and column.name in given
    }
    frame, decimals, _ = normalise(table, raw, replace(reading, decimals=decimals))
    return Rows({column: frame[column].to_numpy() for column in frame.columns}, decimals)


def _type_of(column: Column) -> type[pl.DataType]:
    if column.name == "customer_id":
        return pl.Int64
    if column.kind is Kind.FLAG:
        return pl.Boolean
    return pl.Float64 if column.kind in (Kind.MONEY, Kind.NUMBER) else pl.String


def read_few(table: Table, given: Mapping[str, Given], others: Mapping[str, pl.Series], reading: Reading) -> Rows | None:
    """The short way; None where not all is plainly in order."""
    customers = given["customer_id"]
    repeats = "customer_id" in table.unique and len(set(customers)) < len(customers)
    if repeats or not names_of_times(table).isdisjoint(others):
        return None
    made = Rows({"customer_id": np.array(customers, dtype=np.int64)}, {})
    for column in table.columns[1:]:
        if column.name in given and not _add(made, column, given[column.name], reading):
            return None
    made.columns.update({name: values.to_numpy() for name, values in others.items()})
    return made if _with_days(table, made.columns, reading.attribution_days) else None


def _add(made: Rows, column: Column, values: Given, reading: Reading) -> bool:
    """Add what becomes of a column; False where it is not plainly in order."""
    if column.required and None in values:
        return False
    if column.kind is Kind.TIME:
        times = read_few_times(values, reading.zone)
        stem = column.name.removesuffix("_at")
        made.columns.update({} if times is None else {f"{stem}_day": times.day, f"{stem}_us": times.us})
        return times is not None
    if column.kind is Kind.MONEY:
        return _add_money(made, column, values, reading.decimals.get(column.name, 0))
    read = _READERS.get(column.kind, _unread)(column, values)
    made.columns.update({} if read is None else {column.name: read})
    return read is not None


def _add_money(made: Rows, column: Column, values: Given, least_decimals: int) -> bool:
    amounts = _finite(column, values)
    if amounts is None:
        return False
    missing = np.isnan(amounts)
    amounts[missing] = 0
    with np.errstate(over="ignore"):  # too large an amount does not fit
        decimals = max(least_decimals, fitting_decimals(amounts, fewest_decimals(amounts, float_noise(amounts))))
        scaled = np.rint(amounts * 10.0**decimals)
        if not fits_exactly(scaled):
            return False
    minor = scaled.astype(np.int64)
    made.decimals[column.name] = decimals
    made.columns[column.name] = np.where(missing, np.nan, minor) if missing.any() else minor
    return True


def _numbers(column: Column, values: Given) -> Array | None:
    numbers = _finite(column, values)
    if numbers is None:
        return None
    with np.errstate(over="ignore"):  # too large a number does not fit
        return numbers if fits_exactly(np.nan_to_num(numbers) * 10.0**MOST_DECIMALS) else None


def _finite(column: Column, values: Given) -> Array | None:
    """Numbers, NaN where there is none; None where one is not finite or out of range."""
    if not set(map(type, values)) <= {float, type(None)}:
        return None
    numbers = np.array(values, dtype=np.float64)
    if np.count_nonzero(np.isfinite(numbers)) + values.count(None) < len(values):
        return None
    low, high = column.low, column.high
    within = (low is None or not (numbers < low).any()) and (high is None or not (numbers > high).any())
    return numbers if within else None


def _texts(column: Column, values: Given) -> Array | None:
    kinds, choices = set(map(type, values)), column.choices
    plain = kinds <= {str, type(None)} and "" not in values and (not choices or set(values) <= {*choices, None})
    return np.array(values, dtype=object) if plain else None


def _flags(_: Column, values: Given) -> Array | None:
    return np.array(values, dtype=np.float64) if set(map(type, values)) <= {bool, type(None)} else None


def _unread(*_: object) -> None:
    """What no request holds."""


_READERS: Mapping[Kind, Callable[[Column, Given], Array | None]] = MappingProxyType(
    {Kind.ID: _texts, Kind.TEXT: _texts, Kind.NUMBER: _numbers, Kind.FLAG: _flags}
)


def _with_days(table: Table, columns: dict[str, Array], attribution_days: int) -> bool:
    """Add when rows and their outcomes became known, as `features.reading.versions` says; False where rows may be versions."""
    if table.event_time is None:
        if "known_day" in columns:
            columns["known_day"][columns["known_day"] == NEVER_DAY] = ALWAYS_DAY
        return True
    if _may_be_versions(table, columns):
        return False
    event_day = columns[f"{table.event_time.removesuffix('_at')}_day"]
    never = np.full_like(event_day, NEVER_DAY)
    told_day = never
    if "known_us" in columns:
        told = columns.pop("known_us") != NEVER_US
        told_day = np.where(told, np.maximum(event_day, columns["known_day"]), never)
    known_day = np.where(told_day < NEVER_DAY, told_day, event_day)
    outcomes = [columns[name] for name in table.outcomes if name in columns]
    if outcomes:
        day = np.where(told_day < NEVER_DAY, told_day, event_day + np.int32(attribution_days))
        columns["outcome_day"] = np.where(np.isnan(outcomes).all(axis=0), never, day)
    columns["known_day"], columns["superseded_day"] = known_day, never
    return True


def _may_be_versions(table: Table, columns: Mapping[str, Array]) -> bool:
    """Whether rows of one key may take each other's place."""
    key = ("customer_id", *table.version_key)
    if not table.version_key or not set(key) <= set(columns) or (table.versions_by_known_at and "known_us" not in columns):
        return False
    whole = [values for values in zip(*(columns[name].tolist() for name in key), strict=True) if None not in values]
    return len(set(whole)) < len(whole)

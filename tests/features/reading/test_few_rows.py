"""The short way of few rows gives what the long way gives, or leaves it to that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.reading import few_rows
from features.reading.few_rows import Rows, normalise_rows, read_few, read_many
from features.reading.few_times import read_few_times
from features.reading.normalise import Reading
from features.reading.refusals import Place
from features.reading.times import read_times
from features.tables import CUSTOMERS, TABLES, TRANSACTIONS, Column, Kind, Table
from keepwell.errors import DataError

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca")

clocks = st.datetimes(datetime(1899, 12, 30), datetime(2101, 1, 2)) | st.datetimes(datetime(2023, 1, 1), datetime(2024, 12, 31))
offsets = st.sampled_from(["", "Z", "+00:00", "-00:30", "+05:45", "+14:00", "-23:59"])
odd_days = ["2023-02-29", "2024-2-9", "29/02/2024", "20240229", " 2024-02-29", "2024-02-29\n", "٢٠٢٤-٠١-٠١", "NaT", "now", ""]
odd_clocks = ["2024-02-29T24:00", "2024-02-29 10:00 +01:00", "2024-02-29T10:00+01", "2024-02-29T10:00:00.1234567", "2024-02-29Z"]
edges = ["2016-12-31T23:59:60Z", "0001-01-01", "9999-12-31", "1900-01-01", "2100-12-31T23:00-02:00"]
odd_times = st.sampled_from([*odd_days, *odd_clocks, *edges])


@st.composite
def times(draw: st.DrawFn, odd: bool = True) -> str:
    """A time as text, to the day, the minute, the second or finer."""
    clock = draw(clocks.map(lambda one: one.replace(microsecond=one.microsecond // 1_000 * 1_000)))
    written = draw(st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]))
    text = clock.strftime(written) + (draw(offsets) if "%H" in written else "")
    return draw(st.just(text) | odd_times) if odd else text


def values_of(column: Column, *, odd: bool) -> st.SearchStrategy[Any]:
    """What a request may hold in a column; with `odd`, also what it may not."""
    match column.kind:
        case Kind.TIME:
            return times(odd)
        case Kind.FLAG:
            return st.booleans()
        case Kind.MONEY:
            cents = st.integers(-(10**6), 10**6).map(lambda one: one / 100)
            return cents | st.sampled_from([0.1 + 0.2, 1 / 3, -0.0, 1e15, 1e308, np.nan, np.inf]) if odd else cents
        case Kind.NUMBER:
            low, high = max(column.low or 0, -1_000), min(column.high or 100, 1_000)
            return st.floats(low, high) | st.sampled_from([0.0, np.nan, -np.inf, 1e13, 11.0]) if odd else st.floats(low, high)
    if column.choices:
        return st.sampled_from([*column.choices, *((column.choices[0].upper(), "other", "") if odd else ())])
    return st.sampled_from(["a", "b", "7", " c", "😀", *([""] if odd else [])])


@st.composite
def columns(draw: st.DrawFn, table: Table, odd: bool = True) -> dict[str, tuple[Any, ...]]:
    """Some columns of a table, with few or no values missing."""
    rows = draw(st.integers(0, 5))
    made: dict[str, tuple[Any, ...]] = {
        "customer_id": tuple(draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)) if odd else range(rows))
    }
    for column in table.columns[1:]:
        if column.kind is Kind.DATE or not (column.required or draw(st.booleans())):
            continue
        present = values_of(column, odd=odd and draw(st.integers(0, 9)) == 0)
        value: st.SearchStrategy[Any] = present if column.required and not odd else present | st.none()
        made[column.name] = tuple(draw(st.lists(value, min_size=rows, max_size=rows)))
    return {name: values for name, values in made.items() if name in table.required or set(values) - {None}}


def reading(zone: str) -> Reading:
    return Reading(zone, decimals={"amount": 2, "cost": 0}, attribution_days=7)


def assert_same(few: Rows, many: Rows) -> None:
    assert few.decimals == many.decimals
    assert sorted(few.columns) == sorted(many.columns)
    for name, values in many.columns.items():
        assert few.columns[name].dtype == values.dtype, name
        np.testing.assert_array_equal(few.columns[name], values, err_msg=name)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from([table for table in TABLES.values() if table.name != "labels"]), st.sampled_from(ZONES))
def test_both_ways_give_the_same_and_the_long_one_alone_refuses(data: st.DataObject, table: Table, zone: str) -> None:
    made = data.draw(columns(table))
    few = read_few(table, made, {}, reading(zone))
    try:
        many = read_many(table, made, {}, reading(zone))
    except DataError:
        assert few is None
        return
    if few is not None:
        assert_same(few, many)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from([table for table in TABLES.values() if table.name != "labels"]))
def test_what_is_in_order_goes_the_short_way(data: st.DataObject, table: Table) -> None:
    made = data.draw(columns(table, odd=False).filter(_within_the_years))
    assert read_few(table, made, {}, reading("UTC")) is not None


def _within_the_years(made: dict[str, tuple[Any, ...]]) -> bool:
    texts = [value for name, values in made.items() if name.endswith("_at") for value in values if value]
    return all("1901" <= text[:4] <= "2099" for text in texts)


@given(st.lists(times(odd=False) | st.none(), max_size=20), st.sampled_from(ZONES))
def test_times_are_those_of_the_long_way_in_every_zone(texts: list[str | None], zone: str) -> None:
    few = read_few_times(texts, zone)
    if few is None:
        with pytest.raises(DataError, match="must lie in 1900 to 2100"):
            read_times(Place("complaints", "closed_at"), pl.Series(texts, dtype=pl.String), zone)
        return
    many = read_times(Place("complaints", "closed_at"), pl.Series(texts, dtype=pl.String), zone)
    assert few.day.tolist() == many.day.to_list()
    assert few.us.tolist() == many.us.to_list()


@pytest.mark.parametrize("zone", ZONES)
def test_times_on_days_on_which_clocks_change_are_those_of_the_long_way(zone: str) -> None:
    halves = [datetime(2011, 1, 1) + timedelta(minutes=30 * step) for step in range(365 * 48)]
    texts = [half.isoformat() for half in halves]
    few, many = read_few_times(texts, zone), read_times(Place("complaints", "closed_at"), pl.Series(texts), zone)
    assert few is not None
    assert few.day.tolist() == many.day.to_list()
    assert few.us.tolist() == many.us.to_list()


def test_more_decimals_than_the_least_are_kept() -> None:
    made = {"customer_id": (0, 0), "ordered_at": ("2024-01-01", "2024-01-02"), "amount": (1.125, 2.0)}
    rows = read_few(TRANSACTIONS, made, {}, reading("UTC"))
    assert rows is not None
    assert rows.decimals == {"amount": 3}
    assert rows.columns["amount"].tolist() == [1125, 2000]


def test_columns_that_are_none_of_ours_stay_unless_they_have_a_name_that_we_make() -> None:
    made = {"customer_id": (0, 1), "joined_at": ("2024-01-01", None)}
    rows = read_few(CUSTOMERS, made, {"plan": pl.Series(["gold", None])}, reading("UTC"))
    assert rows is not None
    assert rows.columns["plan"].tolist() == ["gold", None]
    with pytest.raises(DataError, match="has the name of a column that Keepwell makes itself"):
        normalise_rows(CUSTOMERS, made, {"joined_us": pl.Series("joined_us", [1.0, 2.0])}, reading("UTC"))


def test_many_rows_go_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"customer_id": (0, 0), "ordered_at": ("2024-01-01", "2024-01-02"), "amount": (1.0, 2.0)}
    few = normalise_rows(TRANSACTIONS, made, {}, reading("UTC"))
    monkeypatch.setattr(few_rows, "FEW_ROWS", 1)
    monkeypatch.setattr(few_rows, "read_few", None)
    assert_same(few, normalise_rows(TRANSACTIONS, made, {}, reading("UTC")))

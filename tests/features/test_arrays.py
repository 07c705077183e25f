"""The endpoint's path: what it takes, and how fast it is."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrays import extremes, feature_matrix, packing
from features.arrays.extremes import RangeExtremes
from features.arrays.ledgers import numbered
from features.arrays.numbering import NOBODY, numbered_ids, places_of
from features.arrays.operations import NO_TEXT, Texts
from features.arrays.sorting import row_order
from features.asof import NEVER_DAY, NEVER_US, day_number
from features.catalog import CATALOG
from features.panel import build_panel
from keepwell.errors import ConfigError
from tests.features.strategies import crowd

AS_OF = date(2024, 3, 1)
SCALES = {"transactions.amount": 2}

columns = st.lists(st.floats(-100, 100) | st.just(math.nan), max_size=40)
keys = st.integers(-3, 3) | st.integers(-(2**62), 2**62)


def purchases(customers: list, ages: list[int], cents: list[int]) -> dict[str, np.ndarray]:
    days = np.array([day_number(AS_OF) - age for age in ages], dtype=np.int32)
    return {
        "customer_id": np.array(customers),
        "ordered_day": days,
        "amount": np.array(cents, dtype=np.int64),
        "known_day": days,
        "superseded_day": np.full(len(days), NEVER_DAY, dtype=np.int32),
    }


def test_a_small_history_gives_the_row_worked_out_by_hand() -> None:
    history = {"transactions": purchases(["a"] * 4, [40, 10, 10, 0], [1_000, 250, 250, 9_999])}
    names = ["recency_days", "spend_30d", "spend_all", "purchase_days_all", "gap_days_mean", "overdue_ratio", "spend_mean_all"]
    ids, matrix = feature_matrix(history, SCALES, AS_OF, names)
    assert ids.tolist() == ["a"]
    assert matrix.tolist() == [[10.0, 5.0, 15.0, 2.0, 30.0, 1 / 3, 7.5]]


def test_ids_keep_their_type_and_are_sorted() -> None:
    ids, matrix = feature_matrix({"transactions": purchases([10, 9, 9], [5, 6, 7], [1, 1, 1])}, SCALES, AS_OF, ["orders_all"])
    assert ids.dtype.kind == "i"
    assert ids.tolist() == [9, 10]
    assert matrix[:, 0].tolist() == [2.0, 1.0]


def test_who_has_only_refunds_or_later_purchases_has_no_row() -> None:
    ids, matrix = feature_matrix(
        {"transactions": purchases(["refund", "later"], [5, 0], [-100, 100])}, SCALES, AS_OF, ["spend_all"]
    )
    assert ids.tolist() == []
    assert matrix.shape == (0, 1)


def test_no_rows_at_all_give_no_rows() -> None:
    ids, matrix = feature_matrix({"transactions": purchases([], [], [])}, SCALES, AS_OF, list(CATALOG))
    assert len(ids) == 0
    assert matrix.shape == (0, len(CATALOG))


def test_number_like_order_ids_with_gaps_are_texts_with_missing_values() -> None:
    history = purchases(["a"] * 4, [5] * 4, [1] * 4) | {"order_id": np.array([1.0, 1.0, np.nan, np.nan])}
    assert feature_matrix({"transactions": history}, SCALES, AS_OF, ["orders_all"])[1].tolist() == [[3.0]]


def test_a_complaint_without_optional_columns_counts_and_is_open() -> None:
    day = np.array([day_number(AS_OF) - 3])
    complaints = {
        "customer_id": np.array(["a"]),
        "opened_day": day,
        "opened_us": day * 86_400_000_000,
        "known_day": day,
        "superseded_day": np.array([NEVER_DAY]),
    }
    history = {"transactions": purchases(["a"], [5], [100]), "complaints": complaints}
    names = ["complaints_30d", "complaints_open", "days_since_complaint", "resolve_hours_mean", "complaint_severity_mean"]
    _, matrix = feature_matrix(history, SCALES, AS_OF, names)
    np.testing.assert_array_equal(matrix, [[1.0, 1.0, 3.0, np.nan, np.nan]])
    complaints |= {"closed_day": np.array([NEVER_DAY]), "closed_us": np.array([NEVER_US])}
    np.testing.assert_array_equal(feature_matrix(history, SCALES, AS_OF, names)[1], matrix)


def test_an_unknown_feature_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="unknown feature 'spend'"):
        feature_matrix({"transactions": purchases(["a"], [5], [100])}, SCALES, AS_OF, ["spend"])


def test_many_customers_have_the_rows_of_the_panel() -> None:
    story = crowd(5, customers=300)
    company = story.company()
    history = {name: {column.name: column.to_numpy() for column in frame} for name, frame in company.tables.items()}
    ids, matrix = feature_matrix(history, company.scales, story.as_of, list(CATALOG))
    panel = build_panel(company, [story.as_of], list(CATALOG))
    assert ids.tolist() == panel["customer_id"].to_list()
    np.testing.assert_array_equal(matrix, panel.select(list(CATALOG)).to_numpy())


@given(values=columns, how=st.sampled_from(("min", "max")), data=st.data())
def test_the_extremes_of_ranges_are_those_of_their_rows(values: list[float], how: str, data: st.DataObject) -> None:
    ends = st.integers(0, len(values))
    ranges = data.draw(st.lists(st.tuples(ends, ends).map(sorted), min_size=1, max_size=20))
    first, end = np.array(ranges).T
    known = [[value for value in values[begin:stop] if not math.isnan(value)] for begin, stop in ranges]
    least_or_greatest = min if how == "min" else max
    expected = [least_or_greatest(members, default=math.nan) for members in known]
    np.testing.assert_array_equal(RangeExtremes(how, np.array(values), len(values)).of(first, end), expected)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extremes, "FEW_RANGES", 0)
        np.testing.assert_array_equal(RangeExtremes(how, np.array(values), len(values)).of(first, end), expected)


@given(rows=st.lists(st.tuples(keys, keys), max_size=30))
def test_packed_keys_sort_as_the_keys_do_and_keep_the_order_of_equal_rows(rows: list[tuple[int, int]]) -> None:
    columns = [np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1)]
    expected = sorted(range(len(rows)), key=lambda row: rows[row])
    assert row_order(columns).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "FEW_ROWS", 0)
        assert row_order(columns).tolist() == expected


@given(ids=st.lists(st.integers(-5, 300) | st.integers(-(2**62), 2**62)), others=st.lists(st.integers(-50, 400)))
def test_places_of_integer_ids_are_those_among_the_sorted_ids(ids: list[int], others: list[int]) -> None:
    among, places = numbered_ids(pl.Series("customer_id", ids, dtype=pl.Int64))
    assert among.to_list() == sorted(set(ids))
    assert [among[place] for place in places.tolist()] == ids
    asked = pl.Series("customer_id", [*ids, *others], dtype=pl.Int64)
    expected = [among.to_list().index(one) if one in ids else NOBODY for one in asked]
    assert places_of(asked, among).tolist() == expected


@given(ids=st.lists(st.text(max_size=3)), others=st.lists(st.text(max_size=3)))
def test_places_of_text_ids_are_those_among_the_sorted_ids(ids: list[str], others: list[str]) -> None:
    among, _ = numbered_ids(pl.Series("customer_id", ids, dtype=pl.String))
    places = places_of(pl.Series("customer_id", [*ids, *others], dtype=pl.String), among).tolist()
    assert [among[place] if place != NOBODY else None for place in places] == [
        *ids,
        *(one if one in ids else None for one in others),
    ]


whole = st.lists(st.none() | st.integers(-3, 3), max_size=20) | st.lists(
    st.none() | st.sampled_from([-(2**62), 0, 2**62]), max_size=4
)


@given(numbers=whole, kind=st.sampled_from([pl.Int64, pl.UInt64, pl.Int8]))
def test_whole_numbers_have_equal_codes_where_they_are_equal(numbers: list[int | None], kind: type[pl.DataType]) -> None:
    fitting = [one for one in numbers if one is None or ((kind != pl.UInt64 or one >= 0) and (kind != pl.Int8 or abs(one) <= 3))]
    texts = numbered(pl.Series(fitting, dtype=kind), texts=True)
    assert isinstance(texts, Texts)
    codes = texts.codes.tolist()
    assert [code == NO_TEXT for code in codes] == [one is None for one in fitting]
    assert len(set(codes)) == len(set(fitting)) == len(set(zip(codes, fitting, strict=True)))


def test_no_whole_number_is_a_text() -> None:
    assert (numbered(pl.Series([1, 2]), texts=True) != "1").tolist() == [True, True]


def test_codes_stand_for_texts_whether_they_come_as_series_or_as_objects() -> None:
    words = ["b", None, "a", "b"]
    for column in (pl.Series(words), np.array(words, dtype=object)):
        texts = numbered(column, texts=True)
        assert isinstance(texts, Texts)
        assert (texts == "b").tolist() == [True, False, False, True]
        assert (texts != "a").tolist() == [True, True, False, True]
        assert (texts == "c").tolist() == [False] * 4
        assert texts.codes[1] == NO_TEXT

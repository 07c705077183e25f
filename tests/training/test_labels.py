"""What came after a date, on companies small enough to check by eye."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.company import Company
from features.reading.sources import read_company
from keepwell.errors import HistoryError
from training.labels import labels

START = date(2024, 3, 1)
AFTER = date(2024, 4, 1)


def company(folder: Path, rows: list[tuple[object, ...]], *more: str) -> Company:
    columns = ["customer_id", "ordered_at", "amount", *more]
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(folder / "transactions.csv")
    return read_company(folder)


def test_the_horizon_begins_at_as_of_and_ends_before_its_last_midnight(tmp_path):
    shop = company(
        tmp_path,
        [
            ("a", "2024-02-01", 5.0),
            ("b", "2024-02-01", 5.0),
            ("c", "2024-02-01", 5.0),
            ("a", "2024-03-01 00:00:00", 7.5),
            ("b", "2024-03-30 23:59:59", 2.5),
            ("c", "2024-03-31 00:00:00", 9.0),
        ],
    )
    assert labels(shop, [START], 30, AFTER).rows() == [
        ("a", START, False, 7.5),
        ("b", START, False, 2.5),
        ("c", START, True, 0.0),
    ]


def test_further_horizons_are_told_where_they_are_over(tmp_path):
    rows = [("a", "2024-02-01", 5.0), ("b", "2024-02-01", 5.0), ("c", "2024-02-01", 5.0), ("a", "2024-03-08", 1.0)]
    shop = company(tmp_path, [*rows, ("b", "2024-03-20", 1.0)])
    told = labels(shop, [START], 30, AFTER, (7, 14, 60))
    assert told.select("customer_id", "churned", "churned_7d", "churned_14d", "churned_60d").rows() == [
        ("a", False, True, False, None),
        ("b", False, True, True, None),
        ("c", True, True, True, None),
    ]


@settings(max_examples=20, deadline=None)
@given(cents=st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=30), seed=st.integers(0, 99))
def test_the_order_of_the_rows_changes_no_bit_of_a_sum(tmp_path_factory, cents, seed):
    rows = [("a", "2024-02-01", 0.01), *(("a", "2024-03-02", cent / 100) for cent in cents if cent)]
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    one, two = (labels(company(tmp_path_factory.mktemp("c"), each), [START], 30, AFTER)["value"] for each in (rows, shuffled))
    assert one.to_list() == two.to_list() == [sum(cents) / 100]


def test_refunds_lower_the_value_but_make_no_purchase(tmp_path):
    shop = company(
        tmp_path,
        [
            ("a", "2024-02-01", 5.0),
            ("b", "2024-02-01", 5.0),
            ("a", "2024-03-02", 9.0),
            ("a", "2024-03-03", -4.0),
            ("b", "2024-03-05", -5.0),
        ],
    )
    assert labels(shop, [START], 30, AFTER).select("churned", "value").rows() == [(False, 5.0), (True, -5.0)]


def test_only_buyers_before_as_of_are_customers(tmp_path):
    shop = company(tmp_path, [("a", "2024-02-01", 5.0), ("new", "2024-03-01", 5.0), ("refund", "2024-02-01", -5.0)])
    assert labels(shop, [START], 30, AFTER)["customer_id"].to_list() == ["a"]


def test_value_is_margin_where_every_cost_is_given(tmp_path):
    shop = company(tmp_path, [("a", "2024-02-01", 5.0, 3.0), ("a", "2024-03-02", 9.0, 6.5)], "cost")
    assert labels(shop, [START], 30, AFTER)["value"].to_list() == [2.5]


def test_a_date_whose_horizon_is_not_over_is_refused(tmp_path):
    shop = company(tmp_path, [("a", "2024-02-01", 5.0), ("a", "2024-05-01", 5.0)])
    with pytest.raises(HistoryError, match="the 30 days from 2024-03-03 end after 2024-04-01"):
        labels(shop, [START, date(2024, 3, 3)], 30, AFTER)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.floats(-50, 50).map(lambda x: round(x, 2))), max_size=6))
def test_nothing_at_or_after_the_last_known_day_changes_a_label(tmp_path_factory, later):
    known = [("a", "2024-02-01", 5.0), ("a", "2024-03-02", 9.0), ("b", "2024-02-03", 1.0)]
    unknown = [("b", str(AFTER + timedelta(days)), amount) for days, amount in later]
    before, after = (company(tmp_path_factory.mktemp("shop"), rows) for rows in (known, known + unknown))
    assert labels(before, [START], 30, AFTER).equals(labels(after, [START], 30, AFTER))

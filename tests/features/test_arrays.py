"""The endpoint's path: what it takes, and how fast it is."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from features.arrays import feature_matrix
from features.asof import NEVER_DAY, NEVER_US, day_number
from features.catalog import CATALOG
from features.panel import build_panel
from keepwell.errors import ConfigError
from tests.features.strategies import crowd

AS_OF = date(2024, 3, 1)
SCALES = {"transactions.amount": 2}


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
    np.testing.assert_allclose(matrix, panel.select(list(CATALOG)).to_numpy(), rtol=1e-9, atol=0)

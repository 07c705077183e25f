from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batch.reasons import REASONS, reasons_of

NAMES = ("recency_days", "attr_plan_is_gold", "attr_plan_is_basic", "attr_age", "spend_30d", "spend_90d")


RHYTHM = ("recency_days", "overdue_ratio", "purchase_days_all", "days_since_first_purchase", "purchase_days_90d")


def reasons(row: list[float], churn: list[float], names: tuple[str, ...] = NAMES) -> list[dict[str, object]]:
    """The churn reasons of one customer, without baseline and "all other"."""
    contributions, matrix = np.array([churn]), np.array([row])
    logit = 0.25 + contributions.sum(axis=1)
    explained = SimpleNamespace(churn=contributions, churn_baseline=0.25, value=np.zeros((1, len(names))), value_baseline=0.0)
    scorer = SimpleNamespace(info=SimpleNamespace(feature_names=names), explain=lambda _: explained)
    predictions = SimpleNamespace(churn_probability=1 / (1 + np.exp(-logit)), expected_value=np.array([1.0]))
    found = reasons_of(scorer, matrix, predictions, np.array([0]))  # type: ignore[arg-type]  # as much of them as is read
    return [reason for reason in found[0] if reason["target"] == "churn"][1:-1]


ONLY_PLAN = [0.0, 0.1, -0.4, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("row", "feature", "name"),
    [
        ([9, 1, 0, 30, 0, 0], "attr_plan_is_gold", "Plan: gold"),
        ([9, 0, 1, 30, 0, 0], "attr_plan_is_basic", "Plan: basic"),
        ([9, 0, 0, 30, 0, 0], "attr_plan_is_basic", "Plan"),
        ([9, np.nan, np.nan, 30, 0, 0], "attr_plan_is_basic", "Plan"),
    ],
)
def test_an_attribute_is_one_reason_named_after_the_value_that_the_customer_holds(
    row: list[float], feature: str, name: str
) -> None:
    (reason,) = reasons(row, ONLY_PLAN)
    assert (reason["feature"], reason["name"]) == (feature, name)
    assert reason["contribution"] == pytest.approx(-0.3)


def test_an_attribute_that_is_a_number_has_its_title_whatever_its_value() -> None:
    for age in (0.0, 1.0, 30.0, np.nan):
        (reason,) = reasons([9, 0, 1, age, 0, 0], [0, 0, 0, 0.5, 0, 0])
        assert reason["name"] == "Age"


def test_windows_of_one_thing_are_one_reason_named_after_the_window_that_does_most() -> None:
    (reason,) = reasons([9, 1, 0, 30, 1, 1], [0, 0, 0, 0, -0.2, 0.9])
    assert (reason["feature"], reason["name"]) == ("spend_90d", "Spend, last 90 days")
    assert reason["contribution"] == pytest.approx(0.7)


def test_many_purchases_that_make_a_silence_worse_are_told_as_the_silence() -> None:
    (rhythm, frequency) = reasons([74, 4.6, 41, 900, 0], [0.4, 0.5, 0.9, -0.1, 0.2], RHYTHM)
    assert (rhythm["feature"], rhythm["name"]) == ("overdue_ratio", "Overdue against own rhythm")
    assert rhythm["contribution"] == pytest.approx(1.7)
    assert frequency["feature"] == "purchase_days_90d"


@given(st.lists(st.floats(-3, 3), min_size=len(RHYTHM), max_size=len(RHYTHM)))
def test_the_rhythm_is_never_told_by_the_number_of_purchases(churn: list[float]) -> None:
    told = {reason["feature"] for reason in reasons([74, 4.6, 41, 900, 0], churn, RHYTHM)}
    assert told <= {"recency_days", "overdue_ratio", "purchase_days_90d"}


def test_a_fact_of_which_nothing_reads_right_is_told_all_the_same() -> None:
    (reason,) = reasons([41, 900], [0.9, -0.1], ("purchase_days_all", "days_since_first_purchase"))
    assert reason["feature"] == "purchase_days_all"


def test_what_overlaps_is_one_reason_and_not_two_that_cancel() -> None:
    (reason,) = reasons([100, 90, 12], [5.0, -4.6, 0.3], ("spend_90d", "net_spend_90d", "spend_mean_90d"))
    assert (reason["feature"], reason["contribution"]) == ("spend_90d", pytest.approx(0.7))


@given(st.lists(st.floats(-3, 3), min_size=len(NAMES), max_size=len(NAMES)), st.sampled_from([0.0, 1.0, np.nan]))
def test_a_reason_never_names_a_value_that_the_customer_does_not_hold(churn: list[float], gold: float) -> None:
    row = [9.0, gold, 1 - gold, 30.0, 1.0, 1.0]
    for reason in reasons(row, churn):
        if str(reason["name"]).startswith("Plan: "):
            assert row[NAMES.index(str(reason["feature"]))] == 1


def test_rows_that_are_not_explained_have_no_reasons() -> None:
    explained = SimpleNamespace(churn=np.zeros((1, 6)), churn_baseline=0.0, value=np.zeros((1, 6)), value_baseline=0.0)
    scorer = SimpleNamespace(info=SimpleNamespace(feature_names=NAMES), explain=lambda _: explained)
    predictions = SimpleNamespace(churn_probability=np.full(3, 0.5), expected_value=np.ones(3))
    found = reasons_of(scorer, np.zeros((3, 6)), predictions, np.array([1]))  # type: ignore[arg-type]  # as above
    assert found.is_null().to_list() == [True, False, True]
    assert isinstance(found, pl.Series)


def test_without_rows_to_explain_the_model_is_not_asked() -> None:
    found = reasons_of(SimpleNamespace(), np.zeros((2, 6)), SimpleNamespace(), np.array([], dtype=int))  # type: ignore[arg-type]
    assert found.is_null().all()
    assert (len(found), found.dtype) == (2, REASONS)

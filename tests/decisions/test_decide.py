import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.decide import OPTIONAL, PREVIOUS, REQUIRED, TEXTS, decide, missing_inputs
from decisions.labels import SCHEMES, meanings
from keepwell.errors import DataError
from serving.plans.policy import read_policy

POLICY = read_policy()
DOCS = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text(encoding="utf-8")
NUMBERS = (
    "value_at_risk",
    "current_value",
    "potential_value",
    "lifetime_value",
)
NULLABLE = ("credit_grade", "next_category", "rfm_cell", "rfm_segment", "moves")
EDGES = {"recency_days": (10.0, 20, 40, 80), "frequency": (1.0, 2, 4, 8), "monetary": (10.0, 50, 100, 500)}
anything = st.one_of(st.floats(-1e9, 1e9), st.just(np.nan), st.sampled_from([0.0, 1.0]))


@st.composite
def inputs(draw):
    """Predictions of a few customers, and any subset of the optional columns, missing values included."""
    rows = draw(st.integers(1, 12))
    columns = {
        "churn_probability": draw(arrays(np.float64, rows, elements=st.floats(0, 1))),
        "expected_value": draw(arrays(np.float64, rows, elements=anything)),
        "value_if_active": draw(arrays(np.float64, rows, elements=anything)),
        "horizon_days": np.array(draw(st.integers(1, 400))),
    }
    for name in draw(st.sets(st.sampled_from([name for name in OPTIONAL if name not in TEXTS]))):
        columns[name] = draw(arrays(np.float64, rows, elements=anything))
    for scheme in draw(st.sets(st.sampled_from([scheme for scheme in PREVIOUS if scheme in SCHEMES]))):
        words = st.sampled_from([*map(str, SCHEMES[scheme]), None])
        columns[PREVIOUS[scheme]] = np.array(draw(st.lists(words, min_size=rows, max_size=rows)), dtype=object)
    return columns


@given(inputs())
def test_every_customer_gets_exactly_one_word_of_every_scheme(columns):
    decided = decide(columns, POLICY, EDGES)
    assert set(decided) == {*NUMBERS, *SCHEMES, *NULLABLE, "new_to_category"}
    for name, words in SCHEMES.items():
        known = set(map(str, words)) | ({None} if name in NULLABLE else set())
        assert set(decided[name].tolist()) <= known
        assert decided[name].shape == columns["churn_probability"].shape


@given(inputs())
def test_the_same_columns_in_another_order_give_the_same_decisions(columns):
    rows = columns["churn_probability"].size
    order = np.random.default_rng(rows).permutation(rows)
    turned = {name: column if column.ndim == 0 else column[order] for name, column in columns.items()}
    straight = decide(columns, POLICY)
    for name, column in decide(turned, POLICY).items():
        np.testing.assert_array_equal(column, straight[name][order])


@given(inputs())
def test_who_was_scored_before_and_has_another_word_now_is_told_why(columns):
    decided = decide(columns, POLICY)
    for row, told in enumerate(decided["moves"].tolist()):
        moved = [
            f"{scheme}: {columns[name][row]} -> {decided[scheme][row]} ("
            for scheme, name in PREVIOUS.items()
            if name in columns and columns[name][row] not in {None, decided[scheme][row]}
        ]
        assert (told or "").count(" -> ") == len(moved)
        assert all(each in told for each in moved)


def test_a_move_between_segments_is_told_with_the_scores():
    columns = {name: np.array([0.5, 0.5, 0.5]) for name in REQUIRED}
    columns |= {"recency_days": np.full(3, 5.0), "purchase_days_365d": np.full(3, 9.0), "spend_365d": np.full(3, 900.0)}
    columns["previous_rfm_cell"] = np.array(["111", "555", None], dtype=object)
    told = decide(columns, POLICY, EDGES)["moves"].tolist()
    assert told == ["rfm_segment: gone -> champion (R5 F5 M5)", None, None]


@given(inputs())
def test_inputs_are_not_changed(columns):
    before = {name: column.copy() for name, column in columns.items()}
    decide(columns, POLICY)
    for name, column in before.items():
        np.testing.assert_array_equal(columns[name], column)


def test_value_at_risk_is_the_chance_to_leave_times_what_an_active_customer_brings():
    columns = {
        "churn_probability": np.array([0.25, 1.0]),
        "expected_value": np.array([60.0, 0.0]),
        "value_if_active": np.array([80.0, 40.0]),
        "horizon_days": np.array(90),
        "net_spend_365d": np.array([300.0, 10.0]),
    }
    decided = decide(columns, POLICY)
    assert decided["value_at_risk"].tolist() == [20.0, 40.0]
    assert decided["current_value"].tolist() == [300.0, 10.0]
    assert decided["potential_value"].tolist() == pytest.approx([60 * 365 / 90, 0.0])


@pytest.mark.parametrize("value", [0.0, -5.0, np.nan])
def test_a_company_without_money_gets_sound_answers(value):
    columns = {name: np.full(50, value) for name in ("expected_value", "value_if_active", "net_spend_365d")}
    columns |= {"churn_probability": np.full(50, 0.5), "horizon_days": np.array(30)}
    decided = decide(columns, POLICY)
    assert set(decided["value_tier"]) == {"small"}
    assert set(decided["quadrant"]) == {"burden"}
    assert set(decided["service_level"]) == {"basic"}
    assert set(decided["status"]) == {"lapsing"}


def test_texts_pass_through_and_gaps_stay_gaps():
    columns = {name: np.array([0.5, 0.5]) for name in REQUIRED} | {"next_category": np.array(["tea", None], dtype=object)}
    assert decide(columns, POLICY)["next_category"].tolist() == ["tea", None]
    assert decide({name: columns[name] for name in REQUIRED}, POLICY)["next_category"].tolist() == [None, None]


def test_the_decisions_are_columns_that_a_table_takes_as_they_are():
    table = pl.DataFrame(decide({name: np.array([0.5, 0.5]) for name in REQUIRED}, POLICY), strict=False)
    assert all(table[name].dtype == pl.Float64 for name in NUMBERS)
    assert all(table[name].dtype == pl.String for name in SCHEMES if name not in NULLABLE)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_prediction_is_named(name):
    columns = {each: np.array([0.5]) for each in REQUIRED if each != name}
    with pytest.raises(DataError, match=f"scores.{name}: is missing, and a decision needs it"):
        decide(columns, POLICY)


def test_missing_optional_columns_are_said():
    given_columns = {name: np.array([0.5]) for name in REQUIRED} | {"wallet": np.array([1.0])}
    assert set(missing_inputs(given_columns)) == set(OPTIONAL) - {"wallet"}


def test_the_docs_explain_every_column_word_and_input():
    for column, words in meanings().items():
        assert f"`{column}`" in DOCS
        for word, meaning in words.items():
            assert f"| {word} | {meaning}" in DOCS, f"{column} {word}"
    for name in (*NUMBERS, *NULLABLE, *REQUIRED, *OPTIONAL):
        assert re.search(rf"`{name}`", DOCS), name


def test_the_docs_explain_every_part_of_the_policy_and_every_action():
    for part in type(POLICY).model_fields:
        assert f"`{part}" in DOCS, part
    for action in POLICY.actions:
        assert f"`{action.name}`" in DOCS, action.name


def test_the_policy_protects_by_id_and_may_cut_within_each_kind():
    values = np.array([900.0, 800, 700, 600, 500, 9, 8, 7, 6, 5])
    columns = dict.fromkeys(("expected_value", "value_if_active", "net_spend_365d"), values)
    columns |= {"churn_probability": np.full(10, 0.2), "horizon_days": np.array(90), "customer_id": np.arange(10)}
    columns["kind"] = np.array(["trader"] * 5 + ["consumer"] * 5, dtype=object)
    tiers = POLICY.tiers.model_copy(update={"vip": 0.2, "major": 0.2, "ordinary": 0.2, "protected": {"9": "major"}})
    together = decide(columns, POLICY.model_copy(update={"tiers": tiers}))["value_tier"].tolist()
    apart = decide(columns, POLICY.model_copy(update={"tiers": tiers, "split_by_kind": True}))["value_tier"].tolist()
    assert together == ["VIP", "VIP", "major", "major", "ordinary", "ordinary", "small", "small", "small", "major"]
    assert apart == ["VIP", "major", "ordinary", "small", "small", "VIP", "major", "ordinary", "small", "major"]

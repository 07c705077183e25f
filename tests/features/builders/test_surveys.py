"""Surveys: last, mean and trend of answers, the gap of quality to expectation, and who would recommend."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.builders.surveys import QUESTIONS
from features.catalog import CATALOG
from features.panel import build_panel
from features.reading.assemble import assemble
from features.tables import TABLES
from features.views.surveys import QUESTIONS as COUNTED

AS_OF = date(2024, 3, 1)
SURVEYS = [name for name, entry in CATALOG.items() if entry.builder == "surveys"]
ANSWERS = [question.name for question in QUESTIONS]


def row(*surveys: dict[str, float | None]) -> dict[str, float | None]:
    """The features of one customer; a survey is its age in days (`ago`), when it became known (`known_ago`), and the answers."""
    times = {
        "answered_at": [datetime(2024, 3, 1) - timedelta(days=survey["ago"]) for survey in surveys],
        "known_at": [
            None if (known := survey.get("known_ago")) is None else datetime(2024, 3, 1) - timedelta(days=known)
            for survey in surveys
        ],
    }
    answers = {name: [survey.get(name) for survey in surveys] for name in ANSWERS}
    schema = dict.fromkeys(times, pl.Datetime("us")) | dict.fromkeys(answers, pl.Float64)
    frame = pl.DataFrame({"customer_id": ["a"] * len(surveys)} | times | answers, schema_overrides=schema)
    transactions = pl.DataFrame({"customer_id": ["a"], "ordered_at": [date(2020, 1, 1)], "amount": [1.0]})
    company = assemble({"transactions": transactions, "surveys": frame}, key="shop")
    return build_panel(company, [AS_OF], SURVEYS).row(0, named=True)


def test_every_question_of_the_table_has_its_features() -> None:
    asked = [column.name for column in TABLES["surveys"].columns if column.low is not None]
    assert asked == ANSWERS == list(COUNTED)
    assert [TABLES["surveys"].column(question.name).low for question in QUESTIONS] == [question.low for question in QUESTIONS]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_has_a_last_a_mean_and_a_trend(answer: str) -> None:
    made = row({"ago": 300, answer: 4}, {"ago": 200, answer: 6}, {"ago": 5, answer: 9})
    assert (made[f"survey_{answer}_last"], made[f"survey_{answer}_trend"]) == (9, 4)
    assert made[f"survey_{answer}_mean"] == pytest.approx(19 / 3)


def test_answers_of_one_day_are_averaged() -> None:
    made = row({"ago": 9, "loyalty": 2}, {"ago": 3, "loyalty": 10}, {"ago": 3, "loyalty": 5})
    assert (made["survey_loyalty_last"], made["survey_loyalty_trend"]) == (7.5, 5.5)


def test_a_survey_that_does_not_ask_leaves_the_last_answer_as_it_was() -> None:
    made = row({"ago": 30, "quality": 8}, {"ago": 3, "satisfaction": 2})
    assert (made["survey_quality_last"], made["survey_satisfaction_last"], made["survey_quality_trend"]) == (8, 2, None)
    assert (made["surveys_365d"], made["days_since_survey"]) == (2, 3)


def test_answers_at_as_of_and_answers_known_only_then_do_not_count() -> None:
    made = row({"ago": 30, "recommend": 8}, {"ago": 0, "recommend": 1}, {"ago": 9, "recommend": 2, "known_ago": 0})
    assert (made["survey_recommend_last"], made["surveys_all"], made["days_since_survey"]) == (8, 1, 30)


def test_the_last_answer_is_the_newest_given_even_if_an_older_one_became_known_later() -> None:
    made = row({"ago": 30, "recommend": 3, "known_ago": 1}, {"ago": 9, "recommend": 8, "known_ago": 9})
    assert (made["survey_recommend_last"], made["survey_recommend_trend"]) == (8, 5)


def test_the_quality_gap_is_of_surveys_with_both_answers() -> None:
    made = row(
        {"ago": 90, "quality": 9, "expectation": 6}, {"ago": 30, "quality": 4, "expectation": 8}, {"ago": 2, "quality": 10}
    )
    assert (made["survey_quality_gap_last"], made["survey_quality_gap_mean"]) == (-4, -0.5)


@pytest.mark.parametrize(("recommend", "kind"), [(10, 0), (9, 0), (8.5, 1), (7, 1), (6.999, 2), (0, 2)])
def test_promoters_passives_and_detractors_are_told_by_the_last_recommendation(recommend: float, kind: int) -> None:
    made = row({"ago": 90, "recommend": 5}, {"ago": 30, "recommend": recommend})
    told = [made[f"survey_{name}"] for name in ("promoter", "passive", "detractor")]
    assert told == [float(place == kind) for place in range(3)]


def test_without_answers_everything_but_the_counts_is_missing() -> None:
    made = row({"ago": 900})
    assert {name: value for name, value in made.items() if value is not None and name in SURVEYS} == {
        "surveys_365d": 0,
        "surveys_all": 1,
        "days_since_survey": 900,
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 40), st.none() | st.integers(0, 10)), max_size=10))
def test_of_the_three_kinds_of_recommenders_everybody_who_answered_is_one(answers: list[tuple[int, int | None]]) -> None:
    made = row(*({"ago": ago, "recommend": answer} for ago, answer in answers))
    kinds = [made[f"survey_{name}"] for name in ("promoter", "passive", "detractor")]
    known = [(ago, answer) for ago, answer in answers if ago > 0 and answer is not None]
    assert kinds == [None] * 3 if not known else sum(kinds) == 1
    assert made["survey_recommend_mean"] == (pytest.approx(sum(answer for _, answer in known) / len(known)) if known else None)

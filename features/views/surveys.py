"""What is counted of surveys: the answered ones, and each question's answers by day."""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations, View
from features.formulas import millionths, taken
from features.views.ratings import rating_days

QUESTIONS = ("satisfaction", "expectation", "quality", "perceived_value", "loyalty", "recommend")
"""What surveys ask; each is a column of the table."""


def _is_answered(c: Operations, answer: Column) -> Column:
    return ~c.is_missing(answer)


def _are_both_answered(c: Operations, quality: Column, expectation: Column) -> Column:
    return ~(c.is_missing(quality) | c.is_missing(expectation))


def _quality_gap(c: Operations, quality: Column, expectation: Column) -> Column:
    return millionths(c, quality) - millionths(c, expectation)


def _answer_days(question: str) -> View:
    """The answers to one question by day: other questions may have been asked later."""
    return rating_days(
        f"survey_{question}",
        "surveys",
        keep=Computed(_is_answered, (question,)),
        day=taken("answered_day"),
        millionths=Computed(millionths, (question,)),
    )


SURVEYS = View(name="surveys", table="surveys", columns={"day": taken("answered_day")})

ANSWERS = tuple(_answer_days(question) for question in QUESTIONS)

QUALITY_GAPS = rating_days(
    "survey_quality_gap",
    "surveys",
    keep=Computed(_are_both_answered, ("quality", "expectation")),
    day=taken("answered_day"),
    millionths=Computed(_quality_gap, ("quality", "expectation")),
)

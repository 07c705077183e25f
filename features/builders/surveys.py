"""Surveys: what customers answer, whether it rises or falls, and whether they would recommend the company.

Answers given on one day are averaged. Each question has its own last answer, since not every survey asks every question.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from features.asof import Column
from features.definitions import ALL_TIME, YEAR, Aggregate, Feature, Operations, Window, feature
from features.formulas import MILLION, mean_millionths, rating_trend, same

COUNT_WINDOWS = (YEAR, ALL_TIME)
PROMOTER, PASSIVE = 9, 7
"""From which recommendation (0-10) a customer is a promoter, or at least passive: F. Reichheld's net promoter score."""

_surveys = partial(feature, table="surveys", builder="surveys")


class Question(NamedTuple):
    """A question of surveys; `is_lever` says whether the company can work on what it asks for, or only sees the outcome."""

    name: str
    noun: str
    noun_zh: str
    is_lever: bool
    low: int = 1


QUESTIONS = (
    Question("satisfaction", "satisfaction", "满意度", is_lever=True),
    Question("expectation", "expectation", "期望值", is_lever=False),
    Question("quality", "quality", "感知质量", is_lever=True),
    Question("perceived_value", "perceived value", "感知价值", is_lever=True),
    Question("loyalty", "loyalty", "复购意愿", is_lever=False),
    Question("recommend", "recommendation", "推荐意愿", is_lever=False, low=0),
)


def _total(view: str) -> tuple[Aggregate, Aggregate]:
    return Aggregate(view, "sum", "points"), Aggregate(view, "sum", "ratings")


def _last(view: str) -> tuple[Aggregate, Aggregate]:
    return Aggregate(view, "sum", "points_change"), Aggregate(view, "sum", "ratings_change")


def _answers(question: Question) -> Iterator[Feature]:
    """Last, mean and trend of the answers to a question."""
    stem, noun, noun_zh = f"survey_{question.name}", question.noun, question.noun_zh
    answer = partial(_surveys, actionable=question.is_lever, needs=(f"surveys.{question.name}",))
    rated = partial(answer, unit=f"points {question.low}-10", low=question.low, high=10, missing=f"{noun} never answered")
    titles, meaning = (f"Last survey {noun}", f"最近问卷{noun_zh}"), f"Last answer on {noun}; the mean of those of the same day."
    yield rated(f"{stem}_last", mean_millionths, _last(stem), titles, meaning)
    titles, meaning = (f"Mean survey {noun}", f"平均问卷{noun_zh}"), f"Mean of all answers on {noun}."
    yield rated(f"{stem}_mean", mean_millionths, _total(stem), titles, meaning)
    inputs, titles = (*_total(stem), *_last(stem)), (f"Survey {noun} trend", f"问卷{noun_zh}变化")
    meaning, missing = f"Last answer on {noun} less the mean of all before it.", f"{noun} answered on fewer than two days"
    reach = 10 - question.low
    trend = partial(answer, unit="points", low=-reach, high=reach, missing=missing)
    yield trend(f"{stem}_trend", rating_trend, inputs, titles, meaning)


def _quality_gap() -> Iterator[Feature]:
    stem, needs = "survey_quality_gap", ("surveys.quality", "surveys.expectation")
    missing = "no survey with both answers"
    gap = partial(_surveys, unit="points", low=-9, high=9, needs=needs, missing=missing, actionable=True)
    meaning = "Perceived quality less expectation in the last survey that has both; the mean of those of the same day."
    yield gap(f"{stem}_last", mean_millionths, _last(stem), ("Last quality gap", "最近质量期望差"), meaning)
    meaning = "Mean of perceived quality less expectation, of surveys that have both."
    yield gap(f"{stem}_mean", mean_millionths, _total(stem), ("Mean quality gap", "平均质量期望差"), meaning)


def _is_between(c: Operations, points: Column, answers: Column, low: int, high: int) -> Column:
    """1 where the mean of the answers is at least `low` and below `high`, else 0; missing without answers."""
    inside = (points >= answers * (low * MILLION)) & (points < answers * (high * MILLION))
    return c.where(answers > 0, c.where(inside, 1, 0))


def _recommenders() -> Iterator[Feature]:
    """Promoter, passive, detractor: by the last recommendation."""
    kinds = (
        ("promoter", (PROMOTER, 11), ("Promoter", "推荐者"), "9 or 10"),  # 10 is the most there is
        ("passive", (PASSIVE, PROMOTER), ("Passive", "被动者"), "7 or 8"),
        ("detractor", (0, PASSIVE), ("Detractor", "贬损者"), "0 to 6"),
    )
    yes_or_no = partial(_surveys, unit="yes or no", high=1, needs=("surveys.recommend",), missing="recommendation never answered")
    for name, (low, high), titles, answers in kinds:
        formula = partial(_is_between, low=low, high=high)
        meaning = f"1 if the last answer on recommendation is {answers}, else 0."
        yield yes_or_no(f"survey_{name}", formula, _last("survey_recommend"), titles, meaning)


def _counts(window: Window) -> Feature:
    count = Aggregate("surveys", "count", window=window)
    return _surveys("surveys", same, (count,), ("Surveys", "填写问卷数"), "Surveys answered.", unit="surveys", window=window)


FEATURES: tuple[Feature, ...] = (
    *map(_counts, COUNT_WINDOWS),
    _surveys(
        "days_since_survey",
        same,
        (Aggregate("surveys", "min", "age"),),
        ("Days since last survey", "距上次填写问卷天数"),
        "A survey answered yesterday is 1.",
        unit="days",
        low=1,
        missing="no survey yet",
    ),
    *(made for question in QUESTIONS for made in _answers(question)),
    *_quality_gap(),
    *_recommenders(),
)
"""All features of this builder, in catalog order."""

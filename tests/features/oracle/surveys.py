"""Surveys in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle, Queries

QUESTIONS = ("satisfaction", "expectation", "quality", "perceived_value", "loyalty", "recommend")

RELATIONS = """
CREATE TABLE answered AS
    SELECT *, answered_day AS day, quality - expectation AS quality_gap
    FROM surveys WHERE known_day < $day AND superseded_day >= $day;
""" + "".join(
    f"""
CREATE TABLE {question}_answers AS
    SELECT customer_id, {question} AS answer, day = max(day) OVER (PARTITION BY customer_id) AS newest
    FROM answered WHERE {question} IS NOT NULL;
"""
    for question in (*QUESTIONS, "quality_gap")
)


def answers(question: str) -> Queries:
    last, before = "avg(answer) FILTER (newest)", "avg(answer) FILTER (NOT newest)"
    made = {"last": last, "mean": "avg(answer)", "trend": f"{last} - {before}"}
    return {f"survey_{question}_{what}": (f"{question}_answers", sql) for what, sql in made.items()}


def recommender(low: int, below: int) -> tuple[str, str]:
    last = "avg(answer) FILTER (newest)"
    return "recommend_answers", f"({last} >= {low} AND {last} < {below})::INT"


SURVEYS = Oracle(
    RELATIONS,
    {
        "surveys_365d": ("answered", "coalesce(count(*) FILTER (day >= $day - 365), 0)"),
        "surveys_all": ("answered", "coalesce(count(*), 0)"),
        "days_since_survey": ("answered", "$day - max(day)"),
        **{name: query for question in QUESTIONS for name, query in answers(question).items()},
        **{name: query for name, query in answers("quality_gap").items() if not name.endswith("trend")},
        "survey_promoter": recommender(9, 11),
        "survey_passive": recommender(7, 9),
        "survey_detractor": recommender(0, 7),
    },
)

"""Complaints in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle, Queries, for_each_window

RELATIONS = """
CREATE TABLE told AS SELECT * FROM complaints WHERE known_day < $day AND superseded_day >= $day;
CREATE TABLE enquiries AS SELECT customer_id, opened_day AS day FROM told WHERE kind = 'enquiry';
CREATE TABLE cases AS
    SELECT *, opened_day AS day, closed_day < $day AS closed, first_response_day < $day AS answered,
           (first_response_us - opened_us) / 3.6e9 AS response_hours, (closed_us - opened_us) / 3.6e9 AS resolve_hours,
           max(opened_day) OVER (PARTITION BY customer_id) AS last_day
    FROM told WHERE kind IS DISTINCT FROM 'enquiry';
CREATE TABLE ratings AS
    SELECT customer_id, satisfaction, greatest(closed_day, known_day) AS day,
           max(greatest(closed_day, known_day)) OVER (PARTITION BY customer_id) AS last_day
    FROM cases WHERE closed AND satisfaction IS NOT NULL;
CREATE TABLE versions AS
    SELECT customer_id, known_day, closed_day, closed_us,
           lag(closed_day) OVER chain AS old_day, lag(closed_us) OVER chain AS old_us
    FROM complaints
    WHERE kind IS DISTINCT FROM 'enquiry' AND complaint_id IS NOT NULL AND superseded_day > known_day AND known_day < $day
    WINDOW chain AS (PARTITION BY customer_id, complaint_id ORDER BY known_day);
CREATE TABLE after AS
    SELECT customer_id, max(days.last_day) > max(cases.last_day) AS bought FROM days JOIN cases USING (customer_id) GROUP BY ALL;
CREATE TABLE burden AS
    SELECT customer_id, coalesce(cases.n, 0) / orders.n AS share
    FROM (SELECT customer_id, sum(orders) AS n FROM purchases GROUP BY ALL) orders
    LEFT JOIN (SELECT customer_id, count(*) AS n FROM cases GROUP BY ALL) cases USING (customer_id);
"""


def windowed(label: str, ages: str) -> Queries:
    opened = f"coalesce(count(*) FILTER ({ages}), 0)"
    return {f"complaints_{label}": ("cases", opened), f"enquiries_{label}": ("enquiries", opened)}


COMPLAINTS = Oracle(
    RELATIONS,
    {
        **for_each_window(windowed),
        "complaints_open": ("cases", "coalesce(count(*) FILTER (NOT closed), 0)"),
        "complaints_unanswered": ("cases", "coalesce(count(*) FILTER (NOT closed AND NOT answered), 0)"),
        "oldest_open_complaint_days": ("cases", "$day - min(day) FILTER (NOT closed)"),
        "days_since_complaint": ("cases", "$day - max(day)"),
        "first_response_hours_mean": ("cases", "avg(response_hours) FILTER (answered)"),
        "resolve_hours_mean": ("cases", "avg(resolve_hours) FILTER (closed)"),
        "complaint_severity_mean": ("cases", "avg(severity)"),
        "complaint_severity_max": ("cases", "max(severity)"),
        "complaint_satisfaction_last": ("ratings", "avg(satisfaction) FILTER (day = last_day)"),
        "complaint_satisfaction_mean": ("ratings", "avg(satisfaction)"),
        "complaint_satisfaction_trend": (
            "ratings",
            "avg(satisfaction) FILTER (day = last_day) - avg(satisfaction) FILTER (day < last_day)",
        ),
        "complaints_per_order": ("burden", "any_value(share)"),
        "complaints_reopened": (
            "versions",
            "coalesce(count(*) FILTER (old_day <= known_day AND closed_day >= known_day AND closed_us > old_us), 0)",
        ),
        "complaints_recovered": ("cases", "coalesce(count(*) FILTER (closed AND satisfaction >= 4), 0)"),
        "bought_after_complaint": ("after", "any_value(bought)::INT"),
    },
)

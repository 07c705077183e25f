"""Tenure in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle

RELATIONS = """
CREATE TABLE firsts AS
    SELECT customer_id, min(ordered_day) AS day FROM known
    WHERE amount > 0 AND category IS NOT NULL GROUP BY customer_id, category;
CREATE TABLE members AS
    SELECT customer_id, joined_day, first_day
    FROM customers JOIN (SELECT DISTINCT customer_id, first_day FROM days) USING (customer_id)
    WHERE joined_day < $day AND known_day < $day;
"""

MONTHS = "date_diff('month', min(date), DATE '1970-01-01' + $day - 1) + 1"
STAGES = "CASE WHEN {0} <= 30 THEN 0 WHEN {0} <= 90 THEN 1 WHEN {0} <= 365 THEN 2 WHEN {0} <= 730 THEN 3 ELSE 4 END"

TENURE = Oracle(
    RELATIONS,
    {
        "days_since_first_purchase": ("days", "$day - min(day)"),
        "days_since_joined": ("members", "$day - any_value(joined_day)"),
        "days_joined_to_first_purchase": ("members", "any_value(first_day) - any_value(joined_day)"),
        "active_month_share": ("days", f"count(DISTINCT date_trunc('month', date)) / ({MONTHS})"),
        "days_since_newest_category": ("firsts", "$day - max(day)"),
        "tenure_stage": ("days", STAGES.format("($day - min(day))")),
    },
)

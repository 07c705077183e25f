"""Every feature again, in plain SQL over the normalised tables: a second implementation that shares no code with the first."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import polars as pl
import pytest

from features.asof import day_number
from features.catalog import CATALOG
from features.company import Company
from features.panel import build_panel
from tests.features.strategies import crowd

RELATIONS = """
CREATE TABLE known AS SELECT * FROM transactions WHERE known_day < $day AND superseded_day >= $day;
CREATE TABLE purchases AS
    SELECT customer_id, ordered_day AS day, sum(amount) / 100 AS spend, sum(quantity) AS quantity,
           count(DISTINCT order_id) + count(*) FILTER (order_id IS NULL) AS orders
    FROM known WHERE amount > 0 GROUP BY ALL;
CREATE TABLE days AS
    SELECT *, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap,
           max(day) OVER (PARTITION BY customer_id) AS last_day, min(day) OVER (PARTITION BY customer_id) AS first_day,
           DATE '1970-01-01' + day AS date
    FROM purchases;
CREATE TABLE money AS SELECT customer_id, ordered_day AS day, amount / 100 AS amount FROM known;
CREATE TABLE firsts AS
    SELECT customer_id, min(ordered_day) AS day FROM known
    WHERE amount > 0 AND category IS NOT NULL GROUP BY customer_id, category;
CREATE TABLE members AS
    SELECT customer_id, joined_day, first_day
    FROM customers JOIN (SELECT DISTINCT customer_id, first_day FROM days) USING (customer_id)
    WHERE joined_day < $day AND known_day < $day;
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

Query = tuple[str, str]
"""(relation, aggregate per customer); who has no row in the relation has NULL, unless the aggregate begins with `coalesce`."""


def windowed(label: str, ages: str) -> dict[str, Query]:
    """The features of one window, whose rows satisfy `ages` ($day and `day` in it)."""
    in_window = f"FILTER ({ages})"
    bought = f"count(*) {in_window}"
    quantity = f"sum(quantity) {in_window}"
    return {
        f"purchase_days_{label}": ("days", bought),
        f"orders_{label}": ("days", f"coalesce(sum(orders) {in_window}, 0)"),
        f"spend_{label}": ("days", f"coalesce(sum(spend) {in_window}, 0)"),
        f"net_spend_{label}": ("money", f"coalesce(sum(amount) {in_window}, 0)"),
        f"spend_mean_{label}": ("days", f"avg(spend) {in_window}"),
        f"spend_max_{label}": ("days", f"max(spend) {in_window}"),
        f"spend_sd_{label}": ("days", f"stddev_samp(spend) {in_window}"),
        f"quantity_{label}": ("days", f"CASE WHEN {bought} = 0 THEN 0 ELSE {quantity} END"),
        f"quantity_mean_{label}": ("days", f"avg(quantity) {in_window}"),
        f"quantity_max_{label}": ("days", f"max(quantity) {in_window}"),
        f"quantity_sd_{label}": ("days", f"stddev_samp(quantity) {in_window}"),
        f"complaints_{label}": ("cases", f"coalesce({bought}, 0)"),
        f"enquiries_{label}": ("enquiries", f"coalesce({bought}, 0)"),
    }


def compared(days: int) -> dict[str, Query]:
    """The ratios of one window to others."""
    now, before, year_ago = (f"FILTER (day >= $day - {days + back} AND day < $day - {back})" for back in (0, days, 365))
    return {
        f"spend_{days}d_to_previous": ("days", f"coalesce(sum(spend) {now}, 0) / sum(spend) {before}"),
        f"purchase_days_{days}d_to_previous": ("days", f"count(*) {now} / nullif(count(*) {before}, 0)"),
        f"spend_{days}d_to_year_ago": ("days", f"coalesce(sum(spend) {now}, 0) / sum(spend) {year_ago}"),
    }


MONTHS = "date_diff('month', min(date), DATE '1970-01-01' + $day - 1) + 1"
STAGES = "CASE WHEN {0} <= 30 THEN 0 WHEN {0} <= 90 THEN 1 WHEN {0} <= 365 THEN 2 WHEN {0} <= 730 THEN 3 ELSE 4 END"

ORACLE: dict[str, Query] = {
    "recency_days": ("days", "$day - max(day)"),
    "last_amount": ("days", "arg_max(spend, day)"),
    "gap_days_mean": ("days", "avg(gap)"),
    "gap_days_sd": ("days", "stddev_samp(gap)"),
    "gap_days_max": ("days", "max(gap)"),
    "overdue_ratio": ("days", "($day - max(day)) / avg(gap)"),
    **{name: query for days in (30, 90, 180, 365) for name, query in windowed(f"{days}d", f"day >= $day - {days}").items()},
    **windowed("all", "true"),
    **{name: query for days in (30, 90, 180, 365) for name, query in compared(days).items()},
    "days_since_first_purchase": ("days", "$day - min(day)"),
    "days_since_joined": ("members", "$day - any_value(joined_day)"),
    "days_joined_to_first_purchase": ("members", "any_value(first_day) - any_value(joined_day)"),
    "active_month_share": ("days", f"count(DISTINCT date_trunc('month', date)) / ({MONTHS})"),
    "days_since_newest_category": ("firsts", "$day - max(day)"),
    "tenure_stage": ("days", STAGES.format("($day - min(day))")),
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
}


def oracle_panel(company: Company, as_of: date) -> pl.DataFrame:
    """What `build_panel` should give for one date, by SQL alone."""
    base = duckdb.connect(config={"threads": 1})
    for name, frame in company.tables.items():
        told = frame if "known_day" in frame.columns else frame.with_columns(known_day=pl.lit(-1_000_000))
        base.register(name, told.to_arrow())
    base.execute(RELATIONS.replace("$day", str(day_number(as_of))))
    customers = base.sql("SELECT DISTINCT customer_id FROM purchases ORDER BY ALL").pl()
    for relation in sorted({relation for relation, _ in ORACLE.values()}):
        wanted = {name: sql for name, (source, sql) in ORACLE.items() if source == relation}
        columns = ", ".join(f"({sql.replace('$day', str(day_number(as_of)))})::DOUBLE AS {name}" for name, sql in wanted.items())
        found = base.sql(f"SELECT customer_id, {columns} FROM {relation} GROUP BY customer_id").pl()
        counts = [name for name, sql in wanted.items() if sql.startswith("coalesce(count")]
        customers = customers.join(found, on="customer_id", how="left").with_columns(pl.col(counts).fill_null(0.0))
    return customers.sort("customer_id")


def assert_equals_oracle(company: Company, as_of: date) -> None:
    expected, made = oracle_panel(company, as_of), build_panel(company, [as_of], list(CATALOG))
    assert made["customer_id"].to_list() == expected["customer_id"].to_list()
    for name in CATALOG:
        ours, theirs = (frame[name].fill_null(np.nan).to_numpy() for frame in (made, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-7 if "_sd_" in name else 1e-12, err_msg=name)


def test_every_feature_has_an_oracle() -> None:
    assert set(ORACLE) == set(CATALOG)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_features_are_what_plain_sql_says(seed: int, late: bool) -> None:
    story = crowd(seed, late=late)
    assert_equals_oracle(story.company(), story.as_of)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 23))
def test_features_are_what_plain_sql_says_at_other_dates_of_other_companies(seed: int) -> None:
    story = crowd(seed)
    for months_before in range(6):
        assert_equals_oracle(story.company(), story.as_of - timedelta(days=31 * months_before))

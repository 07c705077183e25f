"""Recency, frequency and money in SQL."""

from __future__ import annotations

from tests.features.oracle.words import DAYS, Oracle, Queries, for_each_window

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
"""


def windowed(label: str, ages: str) -> Queries:
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
    }


def compared(days: int) -> Queries:
    """The ratios of one window to others."""
    now, before, year_ago = (f"FILTER (day >= $day - {days + back} AND day < $day - {back})" for back in (0, days, 365))
    return {
        f"spend_{days}d_to_previous": ("days", f"coalesce(sum(spend) {now}, 0) / sum(spend) {before}"),
        f"purchase_days_{days}d_to_previous": ("days", f"count(*) {now} / nullif(count(*) {before}, 0)"),
    } | (
        {}
        if days == 365
        else {
            f"spend_{days}d_to_year_ago": ("days", f"coalesce(sum(spend) {now}, 0) / sum(spend) {year_ago}"),
            f"purchase_days_{days}d_to_year_ago": ("days", f"count(*) {now} / nullif(count(*) {year_ago}, 0)"),
        }
    )


def last_season(days: int) -> Queries:
    """What came after the same day a year ago, and before it."""
    then = f"coalesce(sum(spend) FILTER (day >= $day - 365 AND day < $day - 365 + {days}), 0)"
    before = f"sum(spend) FILTER (day >= $day - 365 - {days} AND day < $day - 365)"
    return {
        f"spend_next_{days}d_year_ago": ("days", f"CASE WHEN min(day) <= $day - 365 THEN {then} END"),
        f"season_turn_{days}d": ("days", f"{then} / {before}"),
    }


RFM = Oracle(
    RELATIONS,
    {
        "recency_days": ("days", "$day - max(day)"),
        "last_amount": ("days", "arg_max(spend, day)"),
        "gap_days_mean": ("days", "avg(gap)"),
        "gap_days_sd": ("days", "stddev_samp(gap)"),
        "gap_days_max": ("days", "max(gap)"),
        "overdue_ratio": ("days", "($day - max(day)) / avg(gap)"),
        **for_each_window(windowed),
        **{name: query for days in DAYS for name, query in compared(days).items()},
        **{name: query for days in (30, 90, 180) for name, query in last_season(days).items()},
    },
)

"""Subscriptions in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle, Queries, for_each_window

RELATIONS = """
CREATE TABLE begun_contracts AS
    SELECT customer_id, started_day AS day, ended_day < $day AS ended, price / 1000 AS price,
           greatest(ended_day - started_day, 0) AS term_days
    FROM subscriptions WHERE known_day < $day AND superseded_day >= $day;
CREATE TABLE ended_contracts AS
    SELECT customer_id, ended_day AS day
    FROM subscriptions WHERE known_day < $day AND superseded_day >= $day AND ended_day < $day;
"""


def windowed(label: str, ages: str) -> Queries:
    if label not in ("90d", "365d", "all"):
        return {}
    count = f"coalesce(count(*) FILTER ({ages}), 0)"
    return {f"contracts_begun_{label}": ("begun_contracts", count), f"contracts_ended_{label}": ("ended_contracts", count)}


AGE, TERM = "$day - min(day) FILTER (NOT ended)", "avg(term_days) FILTER (ended)"

SUBSCRIPTIONS = Oracle(
    RELATIONS,
    {
        **for_each_window(windowed),
        "contracts_running": ("begun_contracts", "coalesce(count(*) FILTER (NOT ended), 0)"),
        "contract_running_days": ("begun_contracts", AGE),
        "days_since_contract_begun": ("begun_contracts", "$day - max(day)"),
        "days_since_first_contract": ("begun_contracts", "$day - min(day)"),
        "days_since_contract_ended": ("ended_contracts", "$day - max(day)"),
        "contract_term_days_mean": ("begun_contracts", TERM),
        "contract_age_to_term": ("begun_contracts", f"({AGE}) / nullif({TERM}, 0)"),
        "contract_price": ("begun_contracts", "sum(price) FILTER (NOT ended)"),
        "contract_price_mean_all": ("begun_contracts", "avg(price)"),
    },
)

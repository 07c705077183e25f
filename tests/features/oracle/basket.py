"""Baskets in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle, Queries, for_each_window

RELATIONS = """
CREATE TABLE lines AS
    SELECT customer_id, ordered_day AS day, amount, cost, order_id, category, product_id, channel, amount > 0 AS bought,
           CASE WHEN amount > 0 AND list_amount > 0 THEN list_amount END AS listed, greatest(listed - amount, 0) AS discount
    FROM known;
CREATE TABLE refunds AS SELECT * FROM lines WHERE amount < 0;
CREATE TABLE promised AS
    SELECT customer_id, greatest(promised_day, ordered_day) AS day, delivered_day >= $day AS overdue,
           delivered_day > promised_day AS late, rank() OVER (PARTITION BY customer_id ORDER BY day DESC) = 1 AS newest
    FROM known WHERE amount > 0 AND greatest(promised_day, ordered_day) < $day;
CREATE TABLE delivered AS
    SELECT customer_id, greatest(delivered_day, ordered_day) - ordered_day AS wait,
           CASE WHEN delivered_day > promised_day THEN delivered_day - promised_day END AS delay
    FROM known WHERE amount > 0 AND greatest(delivered_day, ordered_day) < $day;
CREATE TABLE orders AS
    SELECT customer_id, day, count(*) AS lines FROM lines WHERE bought
    GROUP BY customer_id, day, coalesce(order_id, uuid()::VARCHAR);
CREATE TABLE costed AS SELECT * FROM lines WHERE cost IS NOT NULL;
"""

BY_KIND = """
CREATE TABLE by_{kind} AS
    SELECT customer_id, sum(amount) AS spend FROM lines WHERE bought AND {kind} IS NOT NULL GROUP BY customer_id, {kind};
"""
KINDS = ("category", "product_id", "channel")


def windowed(label: str, ages: str) -> Queries:
    def kinds(column: str) -> tuple[str, str]:
        return "lines", f"count(DISTINCT {column}) FILTER (bought AND {ages})"

    sold = f"FILTER (bought AND {ages})"
    late, due = f"count(*) FILTER (late AND {ages})", f"count(*) FILTER ({ages})"
    paid, cost = f"sum(amount) FILTER ({ages})", f"sum(cost) FILTER ({ages}) / 1000"
    every_window: Queries = {
        f"refunds_{label}": ("refunds", f"coalesce(count(*) FILTER ({ages}), 0)"),
        f"late_deliveries_{label}": ("promised", f"coalesce({late}, 0)"),
        f"categories_{label}": kinds("category"),
        f"products_{label}": kinds("product_id"),
    }
    longer: Queries = {
        f"refund_share_{label}": ("lines", f"coalesce(sum(-amount) FILTER (amount < 0 AND {ages}), 0) / (sum(amount) {sold})"),
        f"late_delivery_share_{label}": ("promised", f"{late} / nullif({due}, 0)"),
        f"discount_share_{label}": ("lines", f"(sum(discount) {sold}) / (sum(listed) {sold})"),
        f"discounted_line_share_{label}": ("lines", f"avg((discount > 0)::INT) FILTER (listed IS NOT NULL AND {ages})"),
        f"basket_spend_mean_{label}": ("days", f"(sum(spend) FILTER ({ages})) / (sum(orders) FILTER ({ages}))"),
        f"basket_lines_mean_{label}": ("orders", f"(sum(lines) FILTER ({ages})) / (count(*) FILTER ({ages}))"),
    }
    longest: Queries = {
        f"channels_{label}": kinds("channel"),
        f"margin_{label}": ("costed", f"{paid} / 100 - {cost}"),
    }
    return {
        **every_window,
        **(longer if label in {"90d", "365d", "all"} else {}),
        **(longest if label in {"365d", "all"} else {}),
    }


YEAR = "FILTER (day >= $day - 365)"

BASKET = Oracle(
    RELATIONS + "".join(BY_KIND.format(kind=kind) for kind in KINDS),
    {
        **for_each_window(windowed),
        **{f"top_{kind.removesuffix('_id')}_share": (f"by_{kind}", "max(spend) / sum(spend)") for kind in KINDS},
        "margin_share_365d": (
            "costed",
            f"CASE WHEN sum(amount) {YEAR} > 0 THEN 1 - (sum(cost) {YEAR} / 10) / (sum(amount) {YEAR}) END",
        ),
        "days_since_refund": ("refunds", "$day - max(day)"),
        "deliveries_overdue": ("promised", "coalesce(count(*) FILTER (overdue), 0)"),
        "days_since_late_delivery": ("promised", "$day - max(day) FILTER (late)"),
        "last_delivery_late": ("promised", "max(late::INT) FILTER (newest)"),
        "delivery_delay_days_mean": ("delivered", "avg(delay)"),
        "delivery_days_mean": ("delivered", "avg(wait)"),
        "new_categories_90d": ("firsts", "coalesce(count(*) FILTER (day >= $day - 90), 0)"),
    },
)

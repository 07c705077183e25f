"""Payments in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle, Queries, for_each_window

RELATIONS = """
CREATE TABLE invoices AS
    SELECT customer_id, due_day AS day, amount / 100 AS amount, paid_day < $day AS paid, paid_day > due_day AS late,
           greatest(paid_day - due_day, 0) AS days_late
    FROM payments WHERE amount > 0 AND known_day < $day AND superseded_day >= $day;
"""


def windowed(label: str, ages: str) -> Queries:
    due, late = f"count(*) FILTER ({ages})", f"count(*) FILTER ({ages} AND late)"
    counts = {f"payments_due_{label}": f"coalesce({due}, 0)", f"late_payments_{label}": f"coalesce({late}, 0)"}
    shares = {f"late_payment_share_{label}": f"{late} / nullif({due}, 0)"} if label in ("90d", "365d", "all") else {}
    return {name: ("invoices", sql) for name, sql in (counts | shares).items()}


PAYMENTS = Oracle(
    RELATIONS,
    {
        **for_each_window(windowed),
        "payment_days_late_mean": ("invoices", "avg(days_late) FILTER (paid)"),
        "payment_days_late_max": ("invoices", "max(days_late) FILTER (paid)"),
        "payments_overdue": ("invoices", "coalesce(count(*) FILTER (NOT paid), 0)"),
        "payment_amount_overdue": ("invoices", "coalesce(sum(amount) FILTER (NOT paid), 0)"),
        "oldest_overdue_payment_days": ("invoices", "$day - min(day) FILTER (NOT paid)"),
    },
)

"""What reads columns of customers, in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle

RELATIONS = """
CREATE TABLE wallets AS
    SELECT customer_id, day, spend, wallet / 10 AS wallet FROM days JOIN customers USING (customer_id)
    WHERE known_day < $day;
"""

ATTRIBUTES = Oracle(
    RELATIONS,
    {
        "wallet_share_365d": (
            "wallets",
            "1 / any_value(wallet) FILTER (wallet > 0) * coalesce(sum(spend) FILTER (day >= $day - 365), 0)",
        )
    },
)

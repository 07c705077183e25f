"""A small shop in a real store: made-up customers with everything that a page can meet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from serving.store import Load, Store

AS_OF = date(2026, 4, 1)
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
NASTY_NAME = "<script>alert(1)</script> & 'Söhne' \"GmbH\""
NASTY_ID = "a/b?c&d=e#f%20🎈 '\"<i>"
BUSY_ID = "C00007"
QUIET_ID = "C00003"
TIERS = ("VIP", "major", "ordinary", "small")
STATUSES = ("active", "new", "lapsing", "lost")
QUADRANTS = ("gold", "star", "stream", "burden")
NAMES = ("Ines Oliveira", "王小明", "Jonas Weber", "Amara Okafor", "Grünwald KG", "Chloé Martin", "Ravi Patel", "Zofia Nowak")


def customer_ids(count: int) -> list[str]:
    return [NASTY_ID, *(f"C{index:05d}" for index in range(1, count))]


def score_rows(count: int) -> pl.DataFrame:
    """Scores that fall off with the index, so that the order of a list can be told by eye."""
    index = range(count)
    churn = [round(0.97 - 0.9 * i / count, 4) for i in index]
    expected = [None if i % 11 == 10 else round(900 / (1 + i % 37), 2) for i in index]
    return pl.DataFrame(
        {
            "customer_id": customer_ids(count),
            "as_of": [AS_OF] * count,
            "horizon_days": pl.Series([90] * count, dtype=pl.Int32),
            "churn_probability": churn,
            "expected_value": expected,
            "value_low": [None if value is None else value * 0.2 for value in expected],
            "value_high": [None if value is None else value * 2.1 for value in expected],
            "value_at_risk": [None if value is None else 1.5 * p * value for p, value in zip(churn, expected, strict=True)],
            "current_value": [None if value is None else 3.1 * value for value in expected],
            "potential_value": [None if value is None else 0.4 * value for value in expected],
            "lifetime_value": [None if value is None else 6.2 * value for value in expected],
            "status": [STATUSES[i % 4] for i in index],
            "value_tier": [TIERS[sum(i >= share * count for share in (0.01, 0.05, 0.2))] for i in index],
            "quadrant": [QUADRANTS[i % 4] for i in index],
            "lifecycle": [("exploration", "build-up", "stable", "decline")[i % 4] for i in index],
            "loyalty": ["none"] * count,
            "relation": ["relational"] * count,
            "credit_grade": pl.Series([None] * count, dtype=pl.String),
            "service_level": ["reactive"] * count,
            "next_category": [("tea", None)[i % 2] for i in index],
            "reasons": [reasons() if i % 5 != 4 else None for i in index],
            "model_version": ["3"] * count,
            "model_family": ["stack"] * count,
            "grade": ["B"] * count,
            "data_until": [AS_OF - timedelta(days=1)] * count,
        }
    )  # fmt: skip


def reasons() -> list[dict[str, object]]:
    values = [
        ("churn", "recency_days", "Days since last purchase", 1.24),
        ("churn", "complaints_open", "Open complaints", 0.61),
        ("churn", "spend_90d", "Spend, 90 days", -0.35),
        ("churn", "all_other", "all other", -0.12),
        ("churn", "baseline", "baseline", 0.4),
        ("value", "spend_90d", "Spend, 90 days", 0.82),
        ("value", "overdue_ratio", "Overdue against own rhythm", -0.44),
        ("value", "all_other", "all other", 0.05),
        ("value", "baseline", "baseline", 3.1),
    ]
    return [dict(zip(("target", "feature", "name", "contribution"), value, strict=True)) for value in values]


def feature_frame(count: int) -> pl.DataFrame:
    index = range(count)
    return pl.DataFrame(
        {
            "customer_id": customer_ids(count),
            "as_of": [AS_OF] * count,
            "recency_days": [74.0 + i for i in index],
            "spend_90d": [1250.0 / (1 + i) for i in index],
            "overdue_ratio": [None if i % 3 == 2 else 3.52 for i in index],
            "complaints_open": [float(i % 7 == 0) for i in index],
        }
    )


def event_rows(customer_id: str, count: int) -> list[dict[str, object]]:
    """`count` events, one a day, ending the day before AS_OF."""
    rows: list[dict[str, object]] = []
    for i in range(count):
        kind = ("purchase", "purchase", "refund", "purchase", "complaint", "contact", "payment", "purchase")[i % 8]
        amount = {"purchase": 40.0 + i % 50, "refund": -12.5, "payment": 99.0}.get(kind)
        day = AS_OF - timedelta(days=i + 1)
        detail = {"complaint": "delivery, open", "contact": "call, accepted"}.get(kind)
        rows.append(
            {"customer_id": customer_id, "day": day, "kind": kind, "count": 1 + i % 2, "amount": amount, "detail": detail}
        )
    return rows


def fill(store: Store, count: int = 120, *, with_plan: bool = True, currency: str | None = "EUR") -> Load:
    """Load `count` customers: one with a nasty name and id, one with 10,000 events, one with none."""
    ids = customer_ids(count)
    busy = event_rows(BUSY_ID, 10_000)
    others = [customer_id for customer_id in ids[:20] if customer_id not in (BUSY_ID, QUIET_ID)]
    events = busy + [row for customer_id in others for row in event_rows(customer_id, 60)]
    names = [NASTY_NAME, *(NAMES[i % 8] if i % 9 else None for i in range(1, count))]
    people = pl.DataFrame({"customer_id": ids, "name": names, "owner": ["Lena"] * count})
    load = store.load_scores(
        score_rows(count),
        company="northwind-tea",
        loaded_at=datetime(2026, 4, 1, 5, tzinfo=UTC),
        features=feature_frame(count),
        events=pl.DataFrame(events, infer_schema_length=None),
        people=people,
        currency=currency,
    )
    if with_plan:
        save_plan(store, load, ids)
    return load


def save_plan(store: Store, load: Load, ids: list[str]) -> None:
    chosen = ids[:30]
    items = pl.DataFrame(
        {
            "customer_id": chosen,
            "action": ["service_recovery" if i % 3 else "winback_call" for i in range(len(chosen))],
            "title": ["Service recovery" if i % 3 else "Win-back call" for i in range(len(chosen))],
            "channel": ["call"] * len(chosen),
            "cost": [4.0] * len(chosen),
            "expected_net_value": [50.0 - i for i in range(len(chosen))],
            "churn_probability": [0.5] * len(chosen),
            "reason": ["A complaint is open and the customer usually buys every 21 days."] * len(chosen),
        }
    )
    store.save_plan(
        load,
        items,
        made_at=datetime(2026, 4, 1, 6, tzinfo=UTC),
        budget=500.0,
        capacities={"call": 40},
        notes=["20 customers have no consent."],
    )


def new_store(folder: Path) -> Store:
    store = Store(f"sqlite:///{folder / 'store.db'}")
    store.migrate()
    return store

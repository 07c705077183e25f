"""A shop scored twice, with the day of every first purchase: what moves and cohorts are told from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from serving.store import Load, Store
from tests.serving.console.shop import AS_OF, customer_ids, score_rows

THEN = date(2026, 1, 1)


def fill_twice(store: Store, count: int = 200) -> Load:
    """Two scorings: since the first one, two customers came, one went, one was lost, one came back, one rose to VIP."""
    now = score_rows(count)
    then = now.with_columns(
        as_of=pl.lit(THEN),
        data_until=pl.lit(THEN - timedelta(days=1)),
        status=pl.when(pl.col("customer_id") == "C00010").then(pl.lit("lost")).otherwise("status"),
        value_tier=pl.when(pl.col("customer_id") == "C00001").then(pl.lit("small")).otherwise("value_tier"),
    )
    gone = then.filter(pl.col("customer_id") == "C00005").with_columns(customer_id=pl.lit("C99999"))
    then = pl.concat([then.filter(~pl.col("customer_id").is_in(["C00004", "C00005"])), gone])
    now = now.with_columns(status=pl.when(pl.col("customer_id") == "C00010").then(pl.lit("active")).otherwise("status"))
    now = now.with_columns(status=pl.when(pl.col("customer_id") == "C00006").then(pl.lit("lost")).otherwise("status"))
    then = then.with_columns(status=pl.when(pl.col("customer_id") == "C00006").then(pl.lit("active")).otherwise("status"))
    _load(store, then, THEN)
    return _load(store, now, AS_OF)


def _load(store: Store, frame: pl.DataFrame, as_of: date) -> Load:
    ids = customer_ids(frame.height)
    first = pl.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "as_of": [as_of] * frame.height,
            "recency_days": [float(place) for place in range(frame.height)],
            "days_since_first_purchase": [None if place == 0 else 10.0 + place for place in range(frame.height)],
        }
    )
    people = pl.DataFrame({"customer_id": ids, "owner": [("Lena", "Omar", None)[place % 3] for place in range(len(ids))]})
    at = datetime(as_of.year, as_of.month, as_of.day, 5, tzinfo=UTC)
    return store.load_scores(frame, company="twice", loaded_at=at, features=first, people=people, currency="EUR")

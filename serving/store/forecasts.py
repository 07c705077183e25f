"""The forecasts of one scoring run as a table, for whoever holds them against what came."""

from __future__ import annotations

import polars as pl
from sqlalchemy import select

from serving.store.engine import reading
from serving.store.reading import Reader
from serving.store.records import Load
from serving.store.schema import scores

COLUMNS = ("customer_id", "churn_probability", "expected_value", "value_low", "value_high")


def forecasts(store: Reader, load: Load) -> pl.DataFrame:
    """Columns COLUMNS of all customers of a load; ids are text here."""
    query = select(*(scores.c[name] for name in COLUMNS)).where(scores.c.load_id == load.id)
    with reading(store._engine) as connection:
        rows = connection.execute(query).all()
    types = {name: pl.String if name == "customer_id" else pl.Float64 for name in COLUMNS}
    return pl.DataFrame([tuple(row) for row in rows], schema=types, orient="row")

"""The forecasts of one scoring run as a table, for whoever holds them against what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Boolean, Float, Integer, select
from sqlalchemy.types import TypeEngine

from serving.store.engine import reading
from serving.store.reading import Reader
from serving.store.records import Load
from serving.store.schema import scores

COLUMNS = ("customer_id", "churn_probability", "expected_value", "value_low", "value_high")

TYPES: Mapping[type[TypeEngine[Any]], type[pl.DataType]] = {Float: pl.Float64, Boolean: pl.Boolean, Integer: pl.Int64}
"""What is no text."""


def forecasts(store: Reader, load: Load, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    """These columns of all customers of a load; ids are text here."""
    query = select(*(scores.c[name] for name in columns)).where(scores.c.load_id == load.id)
    with reading(store._engine) as connection:
        rows = connection.execute(query).all()
    types = {name: TYPES.get(type(scores.c[name].type), pl.String) for name in columns}
    return pl.DataFrame([tuple(row) for row in rows], schema=types, orient="row")

"""Frames of scores, features and plans as the rows that the store keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Table

from keepwell.errors import StoreError
from serving.batch.reasons import reasons_as_json
from serving.store.schema import NAME_CHARACTERS, feature_rows, plan_items, scores
from serving.store.schema import events as events_table

_FURTHER = re.compile(r"churn_probability_\d+d")
_OF_PEOPLE = ("name", "owner", "kind", "account_id")
OF_THE_LOAD = ("as_of", "data_until", "horizon_days", "model_version", "model_family", "grade")


def the_run(frame: pl.DataFrame) -> dict[str, Any]:
    """What is the same in every row of a scoring run. Raises StoreError when it is not the same."""
    if frame.is_empty():
        raise StoreError("there are no scores to load", hint="score a company that has customers")
    run = frame.select(OF_THE_LOAD).unique()
    if run.height > 1:
        raise StoreError(
            f"the scores are of {run.height} different runs ({', '.join(OF_THE_LOAD)} must be the same in all rows)",
            hint="load one run of `keepwell score` at a time",
        )
    return run.row(0, named=True)


def require_same_run(frame: pl.DataFrame, run: Mapping[str, Any]) -> None:
    """Raise StoreError for scores of another run."""
    if the_run(frame) != run:
        raise StoreError("the scores are of different runs", hint="load one run of `keepwell score` at a time")


def parts_of(
    frame: pl.DataFrame, features: pl.DataFrame | None, events: pl.DataFrame | None, people: pl.DataFrame | None
) -> list[tuple[Table, pl.DataFrame]]:
    """The frames that go into each table, ids as text and sorted by id: a B-tree fills fastest in its own order."""
    parts = [(scores, _score_rows(frame, features, people))]
    if features is not None:
        parts.append((feature_rows, features))
    if events is not None:
        parts.append((events_table, events))
    return [(table, part.with_columns(pl.col("customer_id").cast(pl.String)).sort("customer_id")) for table, part in parts]


def _score_rows(frame: pl.DataFrame, features: pl.DataFrame | None, people: pl.DataFrame | None) -> pl.DataFrame:
    further = [name for name in frame.columns if _FURTHER.fullmatch(name)]
    told = pl.struct(further).struct.json_encode() if further else pl.lit(None, pl.String)
    rows = frame.with_columns(reasons=reasons_as_json(frame["reasons"]), further_churn=told).drop(*OF_THE_LOAD, *further)
    if features is not None and "complaints_open" in features.columns:
        open_now = features.select("customer_id", pl.col("complaints_open").cast(pl.Int64))
        rows = rows.join(open_now, on="customer_id", how="left")
    if people is not None:
        known = people.select(name for name in ("customer_id", *_OF_PEOPLE) if name in people.columns)
        known = known.with_columns(pl.col("^(name|kind|account_id)$").cast(pl.String).str.slice(0, NAME_CHARACTERS))
        rows = rows.join(known, on="customer_id", how="left")
    return rows


def packed(features: pl.DataFrame) -> pl.DataFrame:
    """Customer ids and their features as bytes: float64, little-endian, in the order of the columns, NaN = missing."""
    values = features.drop("customer_id", "as_of", strict=False)
    matrix = np.ascontiguousarray(values.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype="<f8")
    blobs = [row.tobytes() for row in matrix]
    return features.select("customer_id").with_columns(row=pl.Series(blobs, dtype=pl.Binary))


def plan_rows(items: pl.DataFrame) -> pl.DataFrame:
    """The items of a plan, ids as text, in the order of their priority or of the rows."""
    rows = items.with_columns(pl.col("customer_id").cast(pl.String))
    if "priority" not in rows.columns:
        rows = rows.with_row_index("priority", offset=1)
    kept = [name for name in rows.columns if name in plan_items.c]
    return rows.select(kept).with_columns(pl.col("priority").cast(pl.Int64))


def plain_rows(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as dicts; NaN, which SQLite would keep as null and others as NaN, is null in all."""
    return frame.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None)).iter_rows(named=True)

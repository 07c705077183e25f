"""Scores that lie in files: one of `keepwell score`, or a folder of Spark's, of any size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl

from features.reading.refusals import unreadable
from keepwell.errors import DataError
from serving.batch.scoring import SCORE_TYPES

BLOCK_ROWS = 250_000
"""Customers whose scores are in memory together."""

NEEDED = (
    "customer_id",
    "as_of",
    "data_until",
    "horizon_days",
    "churn_probability",
    "reasons",
    "model_version",
    "model_family",
    "grade",
)
"""The columns without which a table is no scores."""


def scan_scores(path: Path) -> pl.LazyFrame:
    """The scores in a Parquet file, or in all Parquet files below a folder, whose names as `as_of=2026-01-01` are columns too.

    DataError where there are none, or they cannot be read.
    """
    files = _files(path)
    hint = "name a .parquet file that `keepwell score` wrote, or the folder that Spark did"
    if not files or not path.exists():
        raise DataError("scores", None, f"{path} {'holds no Parquet file' if path.exists() else 'does not exist'}", hint=hint)
    try:
        frame = pl.scan_parquet(files, glob=False, hive_partitioning=path.is_dir())
        there = frame.collect_schema()
        if lacking := [name for name in NEEDED if name not in there]:
            raise DataError("scores", lacking[0], f"is missing in {path}", hint=hint)
        types = {name: dtype for name, dtype in SCORE_TYPES.items() if dtype is not None and name in there}
        return frame.with_columns(pl.col(name).cast(dtype) for name, dtype in types.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError("scores", None, f"{path} {unreadable('scores', error).rule}", hint=hint) from None


def score_blocks(path: Path, rows: int = BLOCK_ROWS) -> Iterator[pl.DataFrame]:
    """The scores at `path` in the order of their ids, about so many `rows` at a time. Raises as `scan_scores`."""
    scores = scan_scores(path)
    mine = pl.col("customer_id")
    ids = _collected(scores.select(mine.cast(pl.String)), path).to_series().sort()  # as the store has them
    if missing := int((ids.is_null() | (ids == "")).sum()):
        rule = f"must be there in every row of {path}"
        raise DataError("scores", "customer_id", rule, rows=missing, hint="score again, or take the rows without a customer out")
    if twice := int((ids == ids.shift()).sum()):
        raise DataError("scores", "customer_id", f"must be there once in {path}", rows=twice, hint="keep one row a customer")
    bounds = [*ids.gather_every(rows).unique(maintain_order=True), None]
    for first, after in pairwise(bounds):
        inside = mine.cast(pl.String) >= first
        block = _collected(scores.filter(inside if after is None else inside & (mine.cast(pl.String) < after)), path)
        _require_probabilities(block, path)
        yield block


def _collected(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    try:
        return frame.collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        told = str(error).splitlines()[0]
        raise DataError("scores", None, f"{path} cannot be read: {told}", hint="write the file anew, whole") from None


def _require_probabilities(block: pl.DataFrame, path: Path) -> None:
    """Raise DataError where the churn probability of anybody is missing, or none."""
    odd = block["churn_probability"].filter(~block["churn_probability"].is_between(0, 1).fill_null(value=False))
    if not odd.is_empty():
        hint = "score these customers again"
        raise DataError("scores", "churn_probability", f"must be from 0 to 1 in {path}", rows=len(odd), example=odd[0], hint=hint)


def rows_in(path: Path) -> int:
    """How many rows a Parquet file has, or all of them below a folder."""
    return sum(int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()) for file in _files(path))


def _files(path: Path) -> list[Path]:
    inside = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    return [file for file in inside if not file.name.startswith((".", "_"))]

"""What a service was asked, as it kept a sample of it, against what the model learned from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from keepwell.errors import DataError
from training.monitor.drift import Shift, shifts
from training.monitor.reference import SCORES, Reference
from training.scorer import ModelInfo

FEWEST_ROWS = 100
"""Of fewer, distributions tell nothing."""


def read_asked(folder: Path, info: ModelInfo, as_of: date) -> pl.DataFrame:
    """The kept rows of this very model about dates up to `as_of`: its features and scores. Empty where there are none.

    DataError for a folder that is not there, or that holds other files.
    """
    if not folder.is_dir():
        raise DataError("predictions", None, f"{folder} is no folder", hint="name the folder `predictions` of a service's home")
    columns = [*info.feature_names, *SCORES]
    mine = (pl.col("company") == info.company) & (pl.col("horizon_days") == info.horizon_days)
    mine &= (pl.col("model_version") == info.version) & (pl.col("as_of") <= as_of)
    parts = [pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64))]
    for file in sorted(folder.glob("*.parquet")):
        try:
            rows = pl.read_parquet(file).filter(mine)
        except (pl.exceptions.PolarsError, OSError) as error:
            hint = "name a folder that a service wrote, and nothing else did"
            raise DataError("predictions", None, f"{file.name} is no sample of predictions", hint=hint) from error
        if not rows.is_empty():
            parts.append(rows.select(columns))
    return pl.concat(parts)


def asked_shifts(reference: Reference, info: ModelInfo, asked: pl.DataFrame, as_of: date) -> list[Shift]:
    """How far what was asked lies from the customers of the training, feature by feature; nothing of fewer than FEWEST_ROWS."""
    if asked.height < FEWEST_ROWS:
        return []
    columns = {name: asked[name].fill_null(float("nan")).to_numpy() for name in asked.columns}
    features = {name: columns[name] for name in info.feature_names}
    return shifts(reference, features, {name: columns[name] for name in SCORES}, (as_of - info.trained_as_of).days)

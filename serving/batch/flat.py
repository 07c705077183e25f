"""Scoring a flat table: every customer gets a churn probability and its reasons; what only a history can tell is null."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from features.catalog import allows
from features.company import Company
from features.flat import flat_panel, source_column
from keepwell.errors import HistoryError, ModelError
from keepwell.progress import Progress, Silent
from serving.batch.reasons import reasons_of
from serving.batch.scoring import MOST_EXPLAINED, SCORE_TYPES, refuse_misfit

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictor

MONEY = ("expected_value", "value_low", "value_high")


def flat_scoring_panel(company: Company, info: ModelInfo, as_of: date) -> pl.DataFrame:
    """What the model reads of every customer known before `as_of`, sorted by id.

    ModelError where customers lack a column that the model reads, HistoryError where there are no customers.
    """
    present = company.tables["customers"].columns if "customers" in company.tables else []
    for name in info.feature_names:
        column = source_column(name)
        if not (allows(company, name) if column != "joined_at" else "joined_day" in present):
            raise ModelError(
                f"the model reads {name}, and customers have no such column {column!r} of that kind",
                hint=f"bring {column} as when it was trained, or train again without it",
            )
    panel = flat_panel(company, as_of, info.feature_names)
    if panel.is_empty():
        raise HistoryError(f"no customer is known before {as_of}", hint="choose a later --as-of, or bring rows of customers")
    return panel


def score_flat(
    company: Company,
    scorer: Predictor,
    as_of: date,
    *,
    panel: pl.DataFrame | None = None,
    allow_hindsight: bool = False,
    most_explained: int = MOST_EXPLAINED,
    progress: Progress = Silent(),
) -> pl.DataFrame:
    """Score every customer: the columns of SCORE_TYPES, sorted by customer_id.

    Money is null where no label had a value; status, tiers and all other words are null, since they are made from purchases.
    Reasons are given to those with the most value at risk, or without values to those most likely to leave. ModelError for a
    model of another company, of labels that look ahead from a later date (unless `allow_hindsight`), or that lacks a column.
    """
    info = scorer.info
    refuse_misfit(company, info, as_of, allow_hindsight=allow_hindsight)
    panel = flat_scoring_panel(company, info, as_of) if panel is None else panel
    return scored_rows(scorer, panel, info.data_until, most_explained, progress)


def scored_rows(
    scorer: Predictor, panel: pl.DataFrame, data_until: date, most_explained: int, progress: Progress
) -> pl.DataFrame:
    """The columns of SCORE_TYPES for the rows of a panel: what the model tells, all words null."""
    info = scorer.info
    with progress.step("predictions"):
        matrix = np.ascontiguousarray(panel.select(pl.col(info.feature_names).fill_null(float("nan"))).to_numpy())
        found = scorer.predict(matrix)
        at_risk = found.churn_probability * found.value_if_active
    with progress.step("reasons"):
        urgent = found.churn_probability if np.isnan(at_risk).all() else at_risk
        explained = np.sort(np.argsort(-urgent, kind="stable")[:most_explained])
        reasons = reasons_of(scorer, matrix, found, explained)
    told = {"churn_probability": found.churn_probability, "value_at_risk": at_risk} | {
        name: getattr(found, name) for name in MONEY
    }
    whole = panel.select("customer_id", "as_of").with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in told.items()), reasons=reasons, **run_of(info, data_until)
    )
    return as_scores(whole)


def run_of(info: ModelInfo, data_until: date) -> dict[str, pl.Expr]:
    """What is the same in every row of a scoring."""
    facts = {"horizon_days": info.horizon_days, "model_version": info.version, "model_family": info.family, "grade": info.grade}
    return {name: pl.lit(value) for name, value in {**facts, "data_until": data_until}.items()}


def as_scores(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of SCORE_TYPES; what `frame` does not have is null."""
    absent = [pl.lit(None).alias(name) for name in SCORE_TYPES if name not in frame.columns]
    columns = (pl.col(name) if dtype is None else pl.col(name).cast(dtype) for name, dtype in SCORE_TYPES.items())
    return frame.with_columns(absent).select(columns)

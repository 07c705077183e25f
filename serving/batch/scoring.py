"""Batch scoring: features, then predictions, then decisions, as one table with one row per customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from decisions.decide import decide
from decisions.policy import Policy
from features.builders.attributes import parsed
from features.catalog import allows, find
from features.checks.check import require_history
from features.company import Company
from features.panel import build_panel, feature_names
from features.writing import table_file
from keepwell.errors import ModelError
from keepwell.progress import Progress, Silent
from serving.batch.decision_inputs import decision_inputs, previous_words
from serving.batch.reasons import reasons_as_json, reasons_of
from serving.batch.score_columns import SCORE_COLUMNS
from serving.batch.timeline import timelines
from serving.endpoints.requests import tables_read
from serving.store import Load, Store

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictions, Predictor

MOST_EXPLAINED = 20_000
"""How many customers get reasons: those with the most value at risk."""

SCORE_TYPES: Mapping[str, Any] = {column.name: column.dtype for column in SCORE_COLUMNS}
"""The score columns in order, and their types; those of further horizons follow churn_probability."""


def score_types(further: Iterable[str]) -> dict[str, Any]:
    """SCORE_TYPES with the columns of further horizons.

    >>> list(score_types(["churn_probability_30d"]))[3:6]
    ['churn_probability', 'churn_probability_30d', 'expected_value']
    """
    names = list(SCORE_TYPES)
    after = names.index("churn_probability") + 1
    return {name: SCORE_TYPES.get(name, pl.Float64) for name in (*names[:after], *further, *names[after:])}


def scoring_panel(company: Company, info: ModelInfo, as_of: date) -> pl.DataFrame:
    """What the model reads and what pages show, for all who bought before `as_of`: the catalog, and the model's attributes.

    Raises ModelError where the data lack a table or column that the model reads, HistoryError where nobody has bought.
    """
    require_history(company, as_of)
    require_readable(company, info)
    return build_panel(company, [as_of], tuple(dict.fromkeys((*feature_names(company), *info.feature_names))))


def require_readable(company: Company, info: ModelInfo) -> None:
    """Raise ModelError where the data lack a table or column that the model reads."""
    allowed = feature_names(company)
    for name in info.feature_names:
        if name not in allowed and not allows(company, name):
            raise _lacking(company, name)


def score_company(
    company: Company,
    scorer: Predictor,
    as_of: date,
    policy: Policy,
    *,
    panel: pl.DataFrame | None = None,
    previous: pl.DataFrame | None = None,
    allow_hindsight: bool = False,
    most_explained: int = MOST_EXPLAINED,
    progress: Progress = Silent(),
) -> pl.DataFrame:
    """Score everybody who bought before `as_of`: the columns of SCORE_TYPES, sorted by customer_id.

    `panel` is what `scoring_panel` made, where the caller has it already; `previous` the scores of an earlier date, whose words
    customers leave only when they are well beyond an edge (None: no history). ModelError for a model of another company, one that
    has learned from what came after `as_of` (unless `allow_hindsight`), or one that reads what the data lack.
    """
    info = scorer.info
    refuse_misfit(company, info, as_of, allow_hindsight=allow_hindsight)
    if panel is None:
        with progress.step("features"):
            panel = scoring_panel(company, info, as_of)
    with progress.step("predictions"):
        matrix = model_matrix(panel, info.feature_names)
        predictions = scorer.predict(matrix)
    with progress.step("decisions"):
        decided = _decided(company, panel, predictions, info, policy=policy, previous=previous)
    with progress.step("reasons"):
        at_risk = np.argsort(-decided["value_at_risk"], kind="stable")[:most_explained]
        reasons = reasons_of(scorer, matrix, predictions, np.sort(at_risk))
    run = {**run_facts(info), "data_until": company.data_until(as_of)}
    return score_table(panel, predicted_columns(predictions), decided, reasons, run)


def refuse_misfit(company: Company, info: ModelInfo, as_of: date, *, allow_hindsight: bool) -> None:
    """Raise ModelError for a model that must not score this company at this date."""
    if info.company != company.key:
        hint = "a model belongs to one company: score with the champion of this one"
        raise ModelError(f"the model belongs to company {info.company!r}, the data to {company.key!r}", hint=hint)
    if as_of < info.labels_until and not allow_hindsight:
        raise ModelError(
            f"the model has learned from what happened until {info.labels_until}, which is after {as_of}",
            hint=f"train with --as-of {as_of}, or say --allow-hindsight if you know what you compare",
        )


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write Parquet or CSV, by the suffix of `path`, whole or not at all; lists become JSON in CSV.

    Raises ConfigError for another suffix, and for a place that cannot be written to.
    """
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    with table_file(path) as temporary:
        if path.suffix == ".parquet":
            frame.write_parquet(temporary)
        else:
            frame.with_columns(reasons_as_json(frame[name]) for name in nested).write_csv(temporary)


def load_into_store(store: Store, company: Company, scores: pl.DataFrame, panel: pl.DataFrame, *, loaded_at: datetime) -> Load:
    """Make these scores the ones that console and endpoint read, with feature rows, timelines and names beside them."""
    store.migrate()
    as_of: date = scores["as_of"][0]
    return store.load_scores(
        scores,
        company=company.key,
        loaded_at=loaded_at,
        features=panel,
        events=timelines(company, scores["customer_id"], as_of),
        people=company.tables.get("customers"),
        currency=company.currency,
    )


def _lacking(company: Company, name: str) -> ModelError:
    """Why the data do not allow a feature, in words."""
    tables = [table for table in tables_read([name]) if table not in company.tables]
    attribute = parsed(name)
    column = attribute.described if attribute else f"column {', '.join(find(name).needs)}"
    lack = f"table {tables[0]}" if tables else column
    return ModelError(
        f"the model reads {name}, and the data have no {lack}",
        hint=f"bring the {lack} as when it was trained, or train again without it",
    )


def model_matrix(panel: pl.DataFrame, names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """What a model reads of the rows of a panel, (n, features); NaN = missing."""
    return np.ascontiguousarray(panel.select(pl.col(names).fill_null(float("nan"))).to_numpy())


def _decided(
    company: Company,
    panel: pl.DataFrame,
    predictions: Predictions,
    info: ModelInfo,
    *,
    policy: Policy,
    previous: pl.DataFrame | None,
) -> dict[str, npt.NDArray[Any]]:
    features = panel.drop("customer_id", "as_of")
    columns = {
        **{name: features[name].fill_null(float("nan")).to_numpy() for name in features.columns},
        **decision_inputs(company, panel["customer_id"], panel["as_of"][0], policy),
        **{name: getattr(predictions, name) for name in ("churn_probability", "expected_value", "value_if_active")},
        "horizon_days": np.full(panel.height, info.horizon_days),
        "customer_id": panel["customer_id"].to_numpy(),
        **({} if previous is None else previous_words(previous, panel["customer_id"])),
    }
    return dict(decide(columns, policy, info.edges))


def run_facts(info: ModelInfo) -> dict[str, Any]:
    """What the model says of every row alike."""
    of_model = {"model_version": info.version, "model_family": info.family, "grade": info.grade}
    return {"horizon_days": info.horizon_days, **of_model}


def predicted_columns(predictions: Predictions) -> dict[str, npt.NDArray[Any]]:
    """The score columns that the model gives, those of further horizons last."""
    own = {name: getattr(predictions, name) for name in SCORE_TYPES if hasattr(predictions, name)}
    return own | predictions.further_columns()


def score_table(
    panel: pl.DataFrame,
    predicted: Mapping[str, npt.NDArray[Any]],
    decided: Mapping[str, npt.NDArray[Any]],
    reasons: pl.Series,
    run: Mapping[str, Any],
) -> pl.DataFrame:
    """The score columns of the rows of `panel` (its customer_id and as_of); `run` is what all rows say alike."""
    columns = {name: pl.Series(name, column.tolist()) for name, column in (*predicted.items(), *decided.items())}
    whole = panel.select("customer_id", "as_of").with_columns(reasons=reasons, **columns)
    whole = whole.with_columns(**{name: pl.lit(value) for name, value in run.items()})
    types = score_types(name for name in predicted if name not in SCORE_TYPES)
    return whole.select(pl.col(name) if dtype is None else pl.col(name).cast(dtype) for name, dtype in types.items())

"""One look at a model: drift, estimated performance, promises kept. Reads tables and registry, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from features.builders.attributes import parsed
from features.catalog import allows
from features.company import Company
from features.contracts import PLAN, RUNNING, contract_panel
from features.panel import build_panel
from keepwell.errors import HistoryError, ModelError
from keepwell.progress import Progress, Silent
from training.arrays import Floats
from training.loading import Predictor
from training.monitor.asked import asked_shifts, read_asked
from training.monitor.drift import Distribution, Shift, distributions, lost_auc, shifts
from training.monitor.estimate import estimate
from training.monitor.matured import FORECASTS, Forecasts, kept_promises
from training.monitor.reference import FILE, Reference, score_columns
from training.monitor.report import MonitorReport
from training.monitor.tables import NewWords, TableState, new_words, table_states
from training.registry import Registry
from training.run import known_until, one_blas_thread
from training.scorer import ModelInfo, Predictions

MADE_AGAIN = "made again"
"""Where forecasts are from that the champion makes of an earlier day."""


@dataclass(frozen=True)
class _Drift:
    """What has moved since the training, as the report has it; all but `tables` is empty where the training left no reference."""

    tables: tuple[TableState, ...]
    shifts: tuple[Shift, ...] = ()
    scores: tuple[Distribution, ...] = ()
    new_words: tuple[NewWords, ...] = ()
    asked_shifts: tuple[Shift, ...] = ()


def monitor(
    company: Company,
    scorer: Predictor,
    as_of: date,
    *,
    registry: Registry,
    earlier: Sequence[Forecasts] = (),
    asked_of: Path | None = None,
    progress: Progress = Silent(),
) -> MonitorReport:
    """Look at the company's champion with what was known before `as_of`; `earlier` are scores of earlier dates.

    `asked_of` is the folder of a sample of what a service was asked (None: nothing is said of it).

    Raises ModelError for a date before the model was trained, HistoryError where nobody is a customer at `as_of`.
    """
    info = scorer.info
    known = known_until(company, as_of)
    require_watchable(known, info, as_of)
    reference = _reference(registry, info)
    asked = None if asked_of is None else read_asked(asked_of, info, as_of)
    with one_blas_thread():
        with progress.step("features and scores"):
            _, matrix, predictions = scored(known, scorer, as_of)
            _require_customers(matrix, info, as_of)
        with progress.step("drift"):
            drift = _drift(reference, info, known, as_of, matrix=matrix, predictions=predictions, asked=asked)
        with progress.step("estimated performance"):
            estimated = estimate(predictions.churn_probability, predictions.value_if_active, company.campaign)
            loss = lost_auc(reference, estimated.auc, (as_of - info.trained_as_of).days) if reference else None
        with progress.step("promises kept"):
            kept = kept_promises(known, [*earlier, *_made_again(known, scorer, as_of, earlier)], info, as_of)
    return MonitorReport(
        company=info.company,
        horizon_days=info.horizon_days,
        version=info.version,
        grade=info.grade,
        trained_as_of=info.trained_as_of,
        as_of=as_of,
        data_until=known.data_until(as_of),
        has_reference=reference is not None,
        estimate=estimated,
        auc_loss=loss,
        promises=tuple(kept),
        asked=None if asked is None else asked.height,
        **vars(drift),
    )


def _reference(registry: Registry, info: ModelInfo) -> Reference | None:
    """What the training of the champion left to compare with."""
    values = registry.trained_with(info.company, info.horizon_days, info.version, FILE)
    return None if values is None else Reference.from_dict(values)


def _drift(
    reference: Reference | None,
    info: ModelInfo,
    known: Company,
    as_of: date,
    *,
    matrix: Floats,
    predictions: Predictions,
    asked: pl.DataFrame | None,
) -> _Drift:
    tables = tuple(table_states(known, as_of, reference.rows if reference else {}, info.trained_as_of))
    if reference is None:
        return _Drift(tables)
    columns, scores = dict(zip(info.feature_names, matrix.T, strict=True)), score_columns(predictions)
    return _Drift(
        tables=tables,
        shifts=tuple(shifts(reference, columns, scores, (as_of - info.trained_as_of).days)),
        scores=tuple(distributions(reference, scores)),
        new_words=tuple(new_words(known, as_of, reference.categories)),
        asked_shifts=() if asked is None else tuple(asked_shifts(reference, info, asked, as_of)),
    )


def require_watchable(known: Company, info: ModelInfo, as_of: date) -> None:
    """Raise ModelError where there is nothing to watch at `as_of`: the model was trained later, or its table is gone."""
    if as_of < info.trained_as_of:
        hint = f"name a date from {info.trained_as_of} on in --as-of"
        raise ModelError(f"the champion was trained as of {info.trained_as_of}, which is after {as_of}", hint=hint)
    table = "subscriptions" if info.churn == "contracts" else "transactions"
    if table not in known.tables:
        hint = "bring the table as when it was trained"
        raise ModelError(f"the champion is of {table}, and the data have none before {as_of}", hint=hint)


def _require_customers(matrix: Floats, info: ModelInfo, as_of: date) -> None:
    """Raise HistoryError where there is no row to watch."""
    if not len(matrix):
        told = f"no contract runs on {as_of}" if info.churn == "contracts" else f"nobody has bought before {as_of}"
        hint = "check that the export is complete, and that what has not ended has no end; or name another date in --as-of"
        raise HistoryError(f"{told}, so there is nobody to watch", hint=hint)


def scored(known: Company, scorer: Predictor, day: date) -> tuple[pl.Series, Floats, Predictions]:
    """Ids, features and scores of everybody who is known at a date; what the data no longer give is missing."""
    names = scorer.info.feature_names
    given = tuple(name for name in names if _is_given(known, name))
    if scorer.info.churn == "contracts":
        panel = contract_panel(known, [day], tuple(dict.fromkeys((*given, RUNNING)))).filter(pl.col(RUNNING) > 0)
    else:
        panel = build_panel(known, [day], given)
    columns = [
        panel[name].fill_null(float("nan")).to_numpy() if name in given else np.full(panel.height, np.nan) for name in names
    ]
    matrix = np.column_stack(columns)
    return panel["customer_id"], matrix, scorer.predict(matrix)


def _is_given(known: Company, name: str) -> bool:
    """Whether the data still give a feature; the plan of a contract is an attribute that a panel of contracts makes itself."""
    attribute = parsed(name)
    return allows(known, name) or (attribute is not None and attribute.column == PLAN)


def _made_again(known: Company, scorer: Predictor, as_of: date, earlier: Sequence[Forecasts]) -> list[Forecasts]:
    """What the champion says of the day it was trained, where no scores of that day are kept: it has seen no label after it."""
    info, day = scorer.info, scorer.info.trained_as_of
    if (as_of - day).days < info.horizon_days or any(each.as_of == day for each in earlier):
        return []
    customer_id, _, predictions = scored(known, scorer, day)
    scores = pl.DataFrame({"customer_id": customer_id, **{name: getattr(predictions, name) for name in FORECASTS[1:]}})
    return [Forecasts(day, info.version, MADE_AGAIN, scores)]

"""One look at a model: drift, estimated performance, promises kept. Reads tables and registry, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from features.asof import day_number
from features.builders.attributes import parsed
from features.catalog import allows
from features.company import Company
from features.contracts import PLAN, RUNNING, contract_panel
from features.flat import JOINED, flat_panel
from features.panel import build_panel
from keepwell.errors import HistoryError, ModelError
from keepwell.progress import Progress, Silent
from training.arrays import Flags, Floats
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

LABELS = "labels"
"""What leaving means to a model of a flat table."""

FEWEST_NEW = 100
"""Customers from whom the model has not learned, below which its scores are not judged."""

OUTPUTS = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")

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
    info, known = scorer.info, known_until(company, as_of)
    require_watchable(known, info, as_of)
    reference = _reference(registry, info)
    asked = None if asked_of is None else read_asked(asked_of, info, as_of)
    with one_blas_thread():
        with progress.step("features and scores"):
            customer_id, matrix, predictions = _scored_today(known, scorer, as_of)
            told = _told(predictions, new_to(known, info, customer_id))
        with progress.step("drift"):
            drift = _drift(reference, info, known, as_of, matrix=matrix, told=told, asked=asked)
        with progress.step("estimated performance"):
            shown = told or predictions
            estimated = estimate(shown.churn_probability, shown.value_if_active, company.campaign)
            loss = lost_auc(reference, estimated.auc, (as_of - info.trained_as_of).days) if reference and told else None
        with progress.step("promises kept"):
            forecasts = [*earlier, *_made_again(known, scorer, as_of, earlier)]
            kept = kept_promises(known, forecasts, info, as_of) if info.churn != LABELS else []
    return MonitorReport(
        **{fact: getattr(info, fact) for fact in ("company", "horizon_days", "version", "grade", "trained_as_of")},
        as_of=as_of,
        data_until=info.data_until if info.churn == LABELS else known.data_until(as_of),
        has_reference=reference is not None,
        estimate=estimated,
        auc_loss=loss,
        promises=tuple(kept),
        remarks=tuple(_remarks(info, told)),
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
    told: Predictions | None,
    asked: pl.DataFrame | None,
) -> _Drift:
    rows = reference.rows if reference else {}
    tables = () if info.churn == LABELS else tuple(table_states(known, as_of, rows, info.trained_as_of))
    if reference is None:
        return _Drift(tables)
    columns, scores = dict(zip(info.feature_names, matrix.T, strict=True)), score_columns(told) if told else {}
    return _Drift(
        tables=tables,
        shifts=tuple(shifts(reference, columns, scores, (as_of - info.trained_as_of).days)),
        scores=tuple(distributions(reference, scores)) if scores else (),
        new_words=tuple(new_words(known, as_of, reference.categories)),
        asked_shifts=() if asked is None else tuple(asked_shifts(reference, info, asked, as_of)),
    )


def require_watchable(known: Company, info: ModelInfo, as_of: date) -> None:
    """Raise ModelError where there is nothing to watch at `as_of`: the model was trained later, or its table is gone."""
    if as_of < info.trained_as_of:
        hint = f"name a date from {info.trained_as_of} on in --as-of"
        raise ModelError(f"the champion was trained as of {info.trained_as_of}, which is after {as_of}", hint=hint)
    table = {"contracts": "subscriptions", LABELS: "customers"}.get(info.churn, "transactions")
    if table not in known.tables:
        hint = "bring the table as when it was trained"
        raise ModelError(f"the champion is of {table}, and the data have none before {as_of}", hint=hint)


def _scored_today(known: Company, scorer: Predictor, as_of: date) -> tuple[pl.Series, Floats, Predictions]:
    """What `scored` gives; HistoryError where there is nobody to score."""
    found = scored(known, scorer, as_of)
    if found[0].is_empty():
        told = f"no contract runs on {as_of}" if scorer.info.churn == "contracts" else f"nobody has bought before {as_of}"
        hint = "check that the export is complete, and that what has not ended has no end; or name another date in --as-of"
        raise HistoryError(f"{told}, so there is nobody to watch", hint=hint)
    return found


def scored(known: Company, scorer: Predictor, day: date) -> tuple[pl.Series, Floats, Predictions]:
    """Ids, features and scores of everybody who is known at a date; what the data no longer give is missing."""
    names = scorer.info.feature_names
    given = tuple(name for name in names if _is_given(known, name))
    if scorer.info.churn == "contracts":
        panel = contract_panel(known, [day], tuple(dict.fromkeys((*given, RUNNING)))).filter(pl.col(RUNNING) > 0)
    elif scorer.info.churn == LABELS:
        panel = flat_panel(known, day - timedelta(days=1), given)  # as at training, which knows labels a day after their date
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
    if name == JOINED:
        return "joined_day" in known.tables.get("customers", pl.DataFrame()).columns or allows(known, name)
    return allows(known, name) or (attribute is not None and attribute.column == PLAN)


def new_to(known: Company, info: ModelInfo, customer_id: pl.Series) -> Flags:
    """Which customers (n,) the model has not learned from as they are now: all but those with a label of its training.

    Panels and contracts are looked at later than they were learned from, so there it is everybody.
    """
    if info.churn != LABELS or "labels" not in known.tables:
        return np.ones(len(customer_id), dtype=bool)
    labels = known.tables["labels"]
    learned = labels.filter(pl.col("as_of_day") < day_number(info.trained_as_of))["customer_id"]
    new: Flags = ~customer_id.is_in(learned.implode()).to_numpy()
    return new


def _told(predictions: Predictions, new: Flags) -> Predictions | None:
    """The scores by which the model is judged; None where it has learned from all but a few, and would look too sure."""
    if new.sum() < min(FEWEST_NEW, len(new)):
        return None
    return Predictions(*(getattr(predictions, name)[new] for name in OUTPUTS))


def _remarks(info: ModelInfo, told: Predictions | None) -> Iterator[str]:
    """What cannot be judged of a flat table, and what to do instead."""
    if info.churn != LABELS:
        return
    if told is None:
        yield (
            f"fewer than {FEWEST_NEW} customers are new to the model, which is too sure of those that it learned from: their "
            "features are judged, scores and AUC are not"
        )
    else:
        yield f"scores and AUC are of the {len(told.churn_probability):,} customers from whom the model has not learned"
    yield "what came of scores is not looked at: when there are new labels, train again, and the validation judges on them"


def _made_again(known: Company, scorer: Predictor, as_of: date, earlier: Sequence[Forecasts]) -> list[Forecasts]:
    """What the champion says of the day it was trained, where no scores of that day are kept: it has seen no label after it."""
    info, day = scorer.info, scorer.info.trained_as_of
    if info.churn == LABELS or (as_of - day).days < info.horizon_days or any(each.as_of == day for each in earlier):
        return []
    customer_id, _, predictions = scored(known, scorer, day)
    scores = pl.DataFrame({"customer_id": customer_id, **{name: getattr(predictions, name) for name in FORECASTS[1:]}})
    return [Forecasts(day, info.version, MADE_AGAIN, scores)]

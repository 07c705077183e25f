"""Promises whose horizon is over: what was forecast then, held against what came since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from features.company import Company
from training.arrays import Floats
from training.contracts.labels import contract_labels
from training.labels import labels
from training.metrics.intervals import METRICS, Interval, interval, resampled_weights
from training.metrics.weighted import Outcome
from training.monitor.estimate import estimated_auc, estimated_log_loss
from training.scorer import ModelInfo, Predictions

FORECASTS = ("customer_id", "churn_probability", "expected_value", "value_low", "value_high")
"""The columns of scores that were promises; without quantiles their shares are not judged."""

AUC_LOSS = 0.03
"""How far below its promise the AUC may surely lie."""

CHURN_GAP = 0.05
"""How far the share that churned may surely lie from the mean probability: a season moves it by a few points."""

FAIR_TOTAL = (0.75, 1.33)
"""Between which times what came the total may surely lie."""

SEED = 0


@dataclass(frozen=True)
class Forecasts:
    """Scores of one date and horizon: columns FORECASTS. `source` says where they are from: the store, a file, or made again."""

    as_of: date
    model_version: str
    source: str
    scores: pl.DataFrame


@dataclass(frozen=True)
class KeptPromise:
    """What was promised at a date and what came of it, over the customers of both.

    Figures of what came carry 90 % intervals by bootstrap over customers. `total_ratio` is the value promised over the value that
    came, of the customers whose value is known: NaN where nobody's is. The shares beyond the quantiles are of the same ones.
    `troubles` says in words where a promise was surely broken by more than matters.
    """

    as_of: date
    model_version: str
    source: str
    customers: int
    churned_promised: float
    churned: Interval
    auc_promised: float
    auc: Interval
    log_loss_promised: float
    log_loss: Interval
    calibration_error: Interval
    total_ratio: Interval
    above_high_share: Interval | None
    below_low_share: Interval | None
    troubles: tuple[str, ...]


def kept_promises(company: Company, forecasts: Sequence[Forecasts], info: ModelInfo, as_of: date) -> list[KeptPromise]:
    """Each of the forecasts whose horizon is over at `as_of` against what came, oldest first; others are passed over.

    `info` says how long the horizon is, and what leaving means.
    """
    ripe = [each for each in forecasts if (as_of - each.as_of).days >= info.horizon_days]
    found = (_kept(company, each, info, as_of) for each in sorted(ripe, key=lambda each: each.as_of))
    return [kept for kept in found if kept is not None]


def _kept(company: Company, forecast: Forecasts, info: ModelInfo, as_of: date) -> KeptPromise | None:
    """None where the forecasts and the labels have no customer in common."""
    what_came = contract_labels if info.churn == "contracts" else labels
    came = what_came(company, [forecast.as_of], info.horizon_days, as_of).with_columns(pl.col("customer_id").cast(pl.String))
    scores = forecast.scores.with_columns(pl.col("customer_id").cast(pl.String)).drop_nulls("churn_probability")
    rows = scores.join(came.select("customer_id", "churned", "value"), on="customer_id").sort("customer_id")
    if rows.is_empty():
        return None
    predictions, outcome = _held_together(rows)
    weights = resampled_weights(np.arange(rows.height), SEED)
    figure = {name: interval(METRICS[name](outcome, predictions), weights) for name in CHURN_FIGURES}
    known = ~np.isnan(outcome.value) & ~np.isnan(predictions.expected_value)
    figure |= _value_figures(rows.filter(pl.Series(known)), weights[:, known])
    p = predictions.churn_probability
    made = KeptPromise(
        as_of=forecast.as_of,
        model_version=forecast.model_version,
        source=forecast.source,
        customers=rows.height,
        churned_promised=float(p.mean()),
        churned=interval(lambda weight: float(weight @ outcome.churned / weight.sum()), weights),
        auc_promised=estimated_auc(p),
        auc=figure["churn_auc"],
        log_loss_promised=estimated_log_loss(p),
        log_loss=figure["churn_log_loss"],
        calibration_error=figure["churn_calibration_error"],
        total_ratio=figure.get("value_total_ratio", NOTHING_KNOWN),
        above_high_share=figure.get("value_above_high_share"),
        below_low_share=figure.get("value_below_low_share"),
        troubles=(),
    )
    return _judged(made)


CHURN_FIGURES = ("churn_auc", "churn_log_loss", "churn_calibration_error")
NOTHING_KNOWN = Interval(np.nan, np.nan, np.nan)


def _value_figures(rows: pl.DataFrame, weights: Floats) -> dict[str, Interval]:
    """The figures of value over rows (n,) whose value is known and was forecast; those of quantiles where there are any."""
    if rows.is_empty():
        return {}
    quantiles = ("value_above_high_share", "value_below_low_share") if {"value_low", "value_high"} <= set(rows.columns) else ()
    predictions, outcome = _held_together(rows)
    return {name: interval(METRICS[name](outcome, predictions), weights) for name in ("value_total_ratio", *quantiles)}


def _held_together(rows: pl.DataFrame) -> tuple[Predictions, Outcome]:
    """What was forecast and what came."""
    return predictions_of(rows), Outcome(rows["churned"].to_numpy(), rows["value"].fill_null(float("nan")).to_numpy())


def predictions_of(rows: pl.DataFrame) -> Predictions:
    """Columns of scores as predictions; a quantile that is absent is missing."""
    missing = pl.Series([float("nan")] * rows.height)
    churn, value, low, high = (
        rows.get_column(name, default=missing).cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in FORECASTS[1:]
    )
    return Predictions(churn, value, value_if_active=missing.to_numpy(), value_low=low, value_high=high)


def _judged(kept: KeptPromise) -> KeptPromise:
    return replace(kept, troubles=tuple(_troubles(kept)))


def _troubles(kept: KeptPromise) -> Iterator[str]:
    if kept.auc.high < kept.auc_promised - AUC_LOSS:
        yield f"AUC {kept.auc.value:.3f}, promised {kept.auc_promised:.3f}"
    if max(kept.churned.low - kept.churned_promised, kept.churned_promised - kept.churned.high) > CHURN_GAP:
        yield f"{kept.churned.value:.1%} churned, promised {kept.churned_promised:.1%}"
    if kept.total_ratio.high < FAIR_TOTAL[0] or kept.total_ratio.low > FAIR_TOTAL[1]:
        yield f"the total promised was {kept.total_ratio.value:.2f} times what came"

"""What the data themselves say about how far a model of them may be trusted, looked at when it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from features.asof import NEVER_DAY, day_number
from features.checks.odd_times import Suspicion, odd_times
from features.company import Company
from features.recipe import event_day
from keepwell.errors import HistoryError
from keepwell.progress import Progress, Silent
from training.arrays import Floats
from training.data import TrainingData
from training.horizon_report import Advice, horizon_report
from training.leaks.search import leaks

LATE_DAYS = 7
"""An event that became known later than this after it happened is late."""

LOOKED_BACK_DAYS = 365


@dataclass(frozen=True)
class Evidence:
    """What is known of the data beside the figures of a backtest.

    `advice` on the horizon and `suspicions` of leaks are None where nothing can be said yet. `late`: table -> share of the last
    year's rows that became known more than LATE_DAYS after they happened. `beyond`: feature -> share of today's customers beyond
    any value seen in training.
    """

    advice: Advice | None
    suspicions: tuple[Suspicion, ...] | None
    late: Mapping[str, float] = field(default_factory=dict)
    beyond: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def look(known: Company, data: TrainingData, as_of: date, progress: Progress = Silent()) -> Evidence:
    """Look at the company as it was known before `as_of`, and at the rows that a model learns from."""
    with progress.step("horizon and leaks"):
        return Evidence(
            advice=_advice(known, as_of),
            suspicions=_suspicions(known, data.horizon_days),
            late=late_shares(known, day_number(as_of)),
            beyond=shares_beyond(data),
        )


def _advice(known: Company, as_of: date) -> Advice | None:
    try:
        return horizon_report(known, as_of).advice
    except HistoryError:
        return None


def _suspicions(known: Company, horizon_days: int) -> tuple[Suspicion, ...] | None:
    found = leaks(known, horizon_days)
    return None if found is None else (*odd_times(known), *found)


def late_shares(known: Company, as_of_day: int) -> dict[str, float]:
    """Table -> share of the rows of the last year that became known more than LATE_DAYS after they happened; 0 is left out."""
    shares = {}
    for name, frame in known.event_tables.items():
        happened = pl.col(str(event_day(name)))
        lately = frame.filter(happened < NEVER_DAY, happened >= as_of_day - LOOKED_BACK_DAYS)
        shares[name] = float(lately.select((pl.col("known_day") - happened > LATE_DAYS).mean()).item() or 0.0)
    return {name: share for name, share in shares.items() if share > 0}


def shares_beyond(data: TrainingData) -> dict[str, float]:
    """Feature -> share of the customers of `data.as_of` beyond any value of the labelled rows; features with none left out."""
    newest, learned = data.at(data.as_of_day).matrix, data.matrix[~np.isnan(data.churned)]
    if not len(learned):
        return {}
    low, high = _extremes(learned)
    with np.errstate(invalid="ignore"):
        share = ((newest < low) | (newest > high)).mean(axis=0)
    return {name: float(each) for name, each in zip(data.names, share, strict=True) if each > 0}


def _extremes(matrix: Floats) -> tuple[Floats, Floats]:
    """The least and greatest known value of each feature (features,); of one never known, whatever comes lies within."""
    known = ~np.isnan(matrix)
    low, high = np.where(known, matrix, np.inf).min(axis=0), np.where(known, matrix, -np.inf).max(axis=0)
    never = ~known.any(axis=0)
    return np.where(never, -np.inf, low), np.where(never, np.inf, high)

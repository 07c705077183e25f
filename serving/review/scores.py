"""The scorings that a review looks at: a file that `keepwell score` wrote, or what the store keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from keepwell.errors import ConfigError, DataError
from serving.batch.scoring import SCORE_TYPES
from serving.plans.planning import read_scores
from serving.review.making import require_scores
from serving.store import Load, Store
from serving.store.forecasts import forecasts
from serving.store.schema import scores

KEPT = tuple(name for name in scores.c.keys() if name in SCORE_TYPES and name != "reasons")  # noqa: SIM118  # keys of columns
"""The columns of scores that the store keeps."""


@dataclass(frozen=True)
class Scoring:
    """Scores of one date: all their columns, ids as text where they come from the store."""

    as_of: date
    horizon_days: int
    model_version: str
    frame: pl.DataFrame


def scoring_of_file(path: Path) -> Scoring:
    """The scores in a file. Raises DataError when it holds none, or lacks what a review reads."""
    frame = read_scores(path)
    require_scores(frame)
    return Scoring(frame["as_of"][0], int(frame["horizon_days"][0]), str(frame["model_version"][0]), frame)


def scoring_then(store: Store, company: str, since: date, horizon_days: int | None) -> Scoring:
    """The store's scores of `since`, the last ones where there are several.

    Raises DataError where there are none, ConfigError where there are several horizons and none was said.
    """
    kept = _of_company(store, company, horizon_days)
    loads = [load for load in kept if load.as_of == since]
    if not loads:
        dates = ", ".join(sorted({str(load.as_of) for load in kept})) or "none"
        hint = (
            f"it has those of: {dates}; name a file with --scores, or make one: "
            f"keepwell score DATA --as-of {since} --out then.parquet"
        )
        raise DataError("scores", None, f"the store has none of {since} for company {company!r}", hint=hint)
    if len({load.horizon_days for load in loads}) > 1:
        told = ", ".join(f"{days}d" for days in sorted({load.horizon_days for load in loads}))
        raise ConfigError(f"the store has scores of {since} over several horizons", hint=f"choose one with --horizon: {told}")
    return _scoring(store, loads[0])


def scoring_now(store: Store, company: str, since: date, until: date, horizon_days: int) -> Scoring | None:
    """The store's newest scores of a date after `since`, up to `until`; None where there are none."""
    later = [load for load in _of_company(store, company, horizon_days) if since < load.as_of <= until]
    return _scoring(store, max(later, key=lambda load: (load.as_of, load.id))) if later else None


def next_scoring(store: Store, company: str, after: date, horizon_days: int) -> date | None:
    """The date of the store's first scoring after `after`; None where there is none."""
    return min((load.as_of for load in _of_company(store, company, horizon_days) if load.as_of > after), default=None)


def _of_company(store: Store, company: str, horizon_days: int | None) -> list[Load]:
    """The loads of a company, newest first."""
    return [load for load in store.loads() if load.company == company and horizon_days in {None, load.horizon_days}]


def _scoring(store: Store, load: Load) -> Scoring:
    frame = forecasts(store, load, KEPT).with_columns(
        as_of=pl.lit(load.as_of), horizon_days=pl.lit(load.horizon_days, pl.Int32), model_version=pl.lit(load.model_version)
    )
    return Scoring(load.as_of, load.horizon_days, load.model_version, frame)

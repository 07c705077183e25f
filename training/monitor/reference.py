"""How features and scores were distributed when a model was trained: stored with its run, read by the monitor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from features.asof import day_number
from features.company import Company
from training.arrays import Floats
from training.monitor.estimate import estimated_auc
from training.monitor.histograms import bin_counts, inner_edges
from training.monitor.tables import categories_before, rows_before

if TYPE_CHECKING:
    from training.loading import Predictor
    from training.scorer import Predictions

FILE = "reference.json"
SCORES = ("churn_probability", "expected_value")


@dataclass(frozen=True)
class ColumnReference:
    """One column at each date: `counts` (dates, edges + 1) of its known values, and how many were `missing`, `mean`, `sd`.

    Mean and standard deviation are of the known values, None where there is none.
    """

    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    missing: tuple[int, ...]
    mean: tuple[float | None, ...]
    sd: tuple[float | None, ...]


@dataclass(frozen=True)
class Reference:
    """What a training saw at its dates (ascending; the last is `trained_as_of`, whose customers the edges are made of).

    `importance` is each feature's share of all that moves the two forecasts; `auc` the AUC that the scores themselves promised
    at each date; `rows` how many rows of a table were known, empty where a sample was read; `categories` the values of texts such
    as `transactions.channel`.
    """

    dates: tuple[date, ...]
    customers: tuple[int, ...]
    features: Mapping[str, ColumnReference]
    scores: Mapping[str, ColumnReference]
    importance: Mapping[str, float]
    auc: tuple[float, ...]
    rows: Mapping[str, int]
    categories: Mapping[str, tuple[str, ...]]

    @property
    def days_ago(self) -> tuple[int, ...]:
        """How many days each date lies before the last."""
        return tuple((self.dates[-1] - day).days for day in self.dates)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "dates": [str(day) for day in self.dates]}

    def as_json(self) -> str:
        """The same as text without spaces: a few hundred kilobytes for all features at a dozen dates."""
        return json.dumps(self.as_dict(), separators=(",", ":"))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Reference:
        """Read what `as_dict` gave."""
        columns = {name: {key: _column(each) for key, each in values[name].items()} for name in ("features", "scores")}
        return cls(
            dates=tuple(date.fromisoformat(day) for day in values["dates"]),
            customers=tuple(values["customers"]),
            importance=values["importance"],
            auc=tuple(values["auc"]),
            rows=values["rows"],
            categories={name: tuple(each) for name, each in values["categories"].items()},
            **columns,
        )


def make_reference(
    known: Company,
    matrices: Mapping[date, Floats],
    names: Sequence[str],
    scorer: Predictor,
    importance: Mapping[str, Mapping[str, float]],
    *,
    forecasts: Sequence[Predictions] | None = None,
) -> Reference:
    """What the monitor will compare with: the panel of a training, and what its scorer says of it.

    `known` is the company as it was known before the newest date; `matrices` holds the features `names` (n, names) of the
    customers of each date, that one last; `importance` is target -> feature -> weight. `forecasts` are those of each date where
    the scorer has learned from the very rows, and would be too sure of them (None: its own).
    """
    predictions = [scorer.predict(matrix) for matrix in matrices.values()] if forecasts is None else forecasts
    *_, newest = matrices
    return Reference(
        dates=tuple(matrices),
        customers=tuple(len(matrix) for matrix in matrices.values()),
        features={name: described([matrix[:, place] for matrix in matrices.values()]) for place, name in enumerate(names)},
        scores={name: described([getattr(each, name) for each in predictions]) for name in SCORES},
        importance=_shares(importance),
        auc=tuple(estimated_auc(each.churn_probability) for each in predictions),
        rows={} if known.sampled else rows_before(known, day_number(newest)),  # those of a sample say nothing of a table
        categories=categories_before(known, day_number(newest)),
    )


def described(columns: list[Floats]) -> ColumnReference:
    """The distribution of a column at each date; bins are those of the last."""
    edges = inner_edges(columns[-1])
    known = [column[~np.isnan(column)] for column in columns]
    return ColumnReference(
        edges=edges,
        counts=tuple(tuple(bin_counts(column, edges).tolist()) for column in columns),
        missing=tuple(int(np.isnan(column).sum()) for column in columns),
        mean=tuple(float(values.mean()) if len(values) else None for values in known),
        sd=tuple(float(values.std()) if len(values) else None for values in known),
    )


def score_columns(predictions: Predictions) -> dict[str, Floats]:
    """The scores that are watched, by name."""
    return {name: getattr(predictions, name) for name in SCORES}


def _shares(importance: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each feature's share of all contributions, over both targets alike."""
    shares: dict[str, float] = {}
    for weights in importance.values():
        total = sum(weights.values()) or 1.0
        for name, weight in weights.items():
            shares[name] = shares.get(name, 0.0) + weight / total / len(importance)
    return shares


def _column(values: Mapping[str, Any]) -> ColumnReference:
    lists = {field.name: tuple(values[field.name]) for field in fields(ColumnReference)}
    return ColumnReference(**{**lists, "counts": tuple(tuple(counts) for counts in values["counts"])})

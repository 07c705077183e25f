"""Whether features and scores lie where they lay at training: each shift against what matters, what chance does, what is usual.

A shift is drift when it exceeds three limits at once:

    what matters    a floor below which nobody would act
    chance          what two samples of one distribution differ by, at 5 % for all columns of a report together
    what is usual   a quarter more than any two dates of the training differed by that lay as far apart as then and now

The last one is what keeps a growing or seasonal company from raising an alarm every month: customers age, and a year turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from training.arrays import Floats
from training.metrics.intervals import Interval
from training.monitor.histograms import bin_counts, distance, distance_by_chance
from training.monitor.reference import SCORES, ColumnReference, Reference
from training.monitor.usual import Usual

FAMILY_CHANCE = 0.05
"""The chance of a false alarm over all columns of one report, for what chance alone does."""

LEAST_DISTANCE, LEAST_MISSING, LEAST_MEAN_RATIO, LEAST_AUC_LOSS = 0.1, 0.05, 1.25, 0.03
"""What matters: a stability index, a rise of missing shares, a ratio of mean scores, a loss of AUC."""


@dataclass(frozen=True)
class Shift:
    """How far a column has moved since training. `measure` says in which unit: `distribution`, `missing share` or `mean`.

    `value` and `limit` are a stability index, a rise of the share, or the logarithm of a ratio (its size); `importance` is the
    feature's share of all that moves the forecasts, 1 for a score.
    """

    column: str
    measure: str
    value: float
    limit: float
    before: float | None
    now: float | None
    importance: float

    @property
    def is_drift(self) -> bool:
        """Whether it exceeds its limit."""
        return self.value > self.limit

    @property
    def is_score(self) -> bool:
        """Whether the column is what the model says, and no feature."""
        return self.column in SCORES


@dataclass(frozen=True)
class Watched:
    """A column that is compared: as it was at the training's dates, and as it is now (n,), NaN = missing."""

    name: str
    before: ColumnReference
    now: Floats
    importance: float


def shifts(reference: Reference, features: Mapping[str, Floats], scores: Mapping[str, Floats], gap_days: int) -> list[Shift]:
    """Every column's shifts since the last date of the reference, `gap_days` ago; the largest against their limits first.

    `features` and `scores` hold the columns (n,) of the customers of now, NaN = missing; those that the reference lacks are
    passed over.
    """
    of_features = [
        Watched(name, before, features[name], reference.importance.get(name, 0.0))
        for name, before in reference.features.items()
        if name in features
    ]
    of_scores = [Watched(name, before, scores[name], 1.0) for name, before in reference.scores.items() if name in scores]
    usual = Usual(reference.days_ago, gap_days)
    chance = FAMILY_CHANCE / max(1, len(of_features) + len(of_scores))
    found = [measure(each, usual, chance) for each in (*of_features, *of_scores) for measure in (_distribution, _missing)]
    found += [_mean(each, usual, chance) for each in of_scores]
    return sorted(found, key=lambda shift: -shift.value / shift.limit)


def _distribution(column: Watched, usual: Usual, chance: float) -> Shift:
    before, known = column.before, column.now[~np.isnan(column.now)]
    counts, now = np.array(before.counts), bin_counts(known, before.edges)
    differences = np.sqrt(distance(counts[:, None], counts[None, :]))  # the root grows with a shift itself, not with its square
    by_chance = distance_by_chance(int(counts[-1].sum()), int(now.sum()), len(now), chance)
    return Shift(
        column=column.name,
        measure="distribution",
        value=float(distance(counts[-1], now)),
        limit=max(LEAST_DISTANCE, by_chance, (usual.limit(differences)) ** 2),
        before=before.mean[-1],
        now=float(known.mean()) if len(known) else None,
        importance=column.importance,
    )


def _missing(column: Watched, usual: Usual, chance: float) -> Shift:
    """Only a rise counts: as a history grows, what looks a year back becomes known."""
    missing, known = np.array(column.before.missing), np.array(column.before.counts).sum(axis=1)
    sizes, size = missing + known, len(column.now)
    shares, now = missing / sizes, float(np.isnan(column.now).mean())
    pooled = (missing[-1] + now * size) / (sizes[-1] + size)
    by_chance = float(norm.isf(chance / 2) * np.sqrt(pooled * (1 - pooled) * (1 / sizes[-1] + 1 / size)))
    usually = usual.limit(np.abs(shares[:, None] - shares[None, :]))
    before, limit = float(shares[-1]), max(LEAST_MISSING, by_chance, usually)
    return Shift(column.name, "missing share", now - before, limit, before, now, column.importance)


def _mean(column: Watched, usual: Usual, chance: float) -> Shift:
    """The mean of a score, as a logarithm of its ratio to the one at training; means of 0 or less are not compared."""
    means, sds = (np.array(each, dtype=float) for each in (column.before.mean, column.before.sd))
    size, now, least = sum(column.before.counts[-1]), float(column.now.mean()), float(np.log(LEAST_MEAN_RATIO))
    if not (now > 0 and (means > 0).all()):
        return Shift(column.name, "mean", 0.0, least, column.before.mean[-1], now, column.importance)
    logs = np.log(means)
    errors = np.hypot(sds[-1] / means[-1] / np.sqrt(size), column.now.std() / now / np.sqrt(len(column.now)))
    usually = usual.limit(np.abs(logs[:, None] - logs[None, :]))
    limit = max(least, float(norm.isf(chance / 2) * errors), usually)
    return Shift(column.name, "mean", abs(float(np.log(now) - logs[-1])), limit, float(means[-1]), now, column.importance)


@dataclass(frozen=True)
class Distribution:
    """Shares of the customers with a known value by bin, at training and now; `edges` lie between the bins."""

    column: str
    edges: tuple[float, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]


def distributions(reference: Reference, scores: Mapping[str, Floats]) -> list[Distribution]:
    """The scores (n,) then and now."""
    found = []
    for name, before in reference.scores.items():
        then, now = np.array(before.counts[-1]), bin_counts(scores[name], before.edges)
        shares = (tuple((counts / max(1, counts.sum())).tolist()) for counts in (then, now))
        found.append(Distribution(name, before.edges, *shares))
    return found


@dataclass(frozen=True)
class AucLoss:
    """How much of the AUC the scores no longer promise: `before` at training, `now` with its bounds, and how much is too much."""

    before: float
    now: Interval
    limit: float

    @property
    def is_degraded(self) -> bool:
        """Whether surely some, and more than the limit, is lost."""
        return self.before - self.now.value > self.limit and self.now.high < self.before


def lost_auc(reference: Reference, now: Interval, gap_days: int) -> AucLoss:
    """The AUC that the scores promise now against the one that they promised at training."""
    promised = np.array(reference.auc)
    usually = Usual(reference.days_ago, gap_days).limit(np.abs(promised[:, None] - promised[None, :]))
    return AucLoss(float(promised[-1]), now, max(LEAST_AUC_LOSS, usually))

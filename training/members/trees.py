"""The tree member: LightGBM with small trees, so that exact explanations stay cheap. The only home of lightgbm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import lightgbm as lgb
import numpy as np

from training.arrays import Floats

Objective = Literal["binary", "regression", "gamma", "tweedie"]

FIT_THREADS = 1
"""Fixed, since sums in another order are other bytes. On 3,000 to 200,000 rows of a busy machine with two cores, two threads
that wait for each other took five to sixty times as long as one; on an idle one they could save half at most."""

MOST_BINS = 127
PATIENCE = 20
"""Rounds without a gain after which a search for their number ends."""


@dataclass(frozen=True)
class TreeSettings:
    """What may be tuned; the defaults are cautious, since panels of few dates reward it."""

    rounds: int = 150
    learning_rate: float = 0.05
    leaves: int = 15
    leaf_rows: int = 60
    feature_share: float = 0.5
    ridge: float = 5.0
    row_share: float = 1.0


@dataclass(frozen=True)
class TreeModel:
    """A fitted booster on the scale of its link (log-odds, or logarithm of the amount); `base` is what it started from."""

    booster: lgb.Booster
    base: float

    def predict(self, matrix: Floats) -> Floats:
        """The prediction (n,) on the scale of the link; NaN is missing."""
        return self.base + np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=1), dtype=float)

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """Exact TreeSHAP values (n, features) and the expected prediction; together they sum to `predict`."""
        values = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1), dtype=float)
        return values[:, :-1], self.base + float(values[0, -1])

    def to_dict(self) -> dict[str, Any]:
        """LightGBM's own text, and the base."""
        return {"text": self.booster.model_to_string(), "base": self.base}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TreeModel:
        """Read what `to_dict` wrote."""
        return cls(lgb.Booster(model_str=values["text"]), float(values["base"]))

    @property
    def rounds(self) -> int:
        """How many trees it predicts with."""
        return int(self.booster.best_iteration if self.booster.best_iteration > 0 else self.booster.num_trees())

    @property
    def gains(self) -> Floats:
        """The total gain of each feature (features,)."""
        return np.asarray(self.booster.feature_importance("gain"), dtype=float)


def fit_trees(
    matrix: Floats,
    y: Floats,
    offset: Floats,
    weight: Floats,
    *,
    objective: Objective,
    settings: TreeSettings,
    seed: int,
) -> TreeModel:
    """Boost trees to y (n,) with `offset` (n,) on the scale of the link, which the model itself does not contain.

    Same rows, settings and seed give the same trees. Features go by their place: LightGBM refuses names with signs of JSON, which
    the values of an attribute may have.
    """
    base = _base(y, offset, weight, objective)
    data = lgb.Dataset(matrix, label=y, weight=weight, init_score=offset + base)
    return TreeModel(lgb.train(parameters(len(y), objective, settings, seed), data, num_boost_round=settings.rounds), base)


def fit_default_trees(matrix: Floats, y: Floats, objective: Literal["binary", "regression"], seed: int) -> lgb.Booster:
    """LightGBM as it comes, with nothing set but the seed; its `predict` gives a probability or an amount."""
    quiet = {"objective": objective, "seed": seed, "deterministic": True, "num_threads": FIT_THREADS, "verbosity": -1}
    return lgb.train(quiet, lgb.Dataset(matrix, label=y))


@dataclass(frozen=True)
class BinnedRows:
    """Rows of which the histograms' bins are made once, for any number of fits; `base` is what all of these start from."""

    data: lgb.Dataset
    rows: int
    base: float
    objective: Objective


def binned(matrix: Floats, y: Floats, offset: Floats, *, objective: Objective, like: BinnedRows | None = None) -> BinnedRows:
    """Bin the rows of a matrix (n, features) and their y and offset (n,); with `like`, into its bins and from its base."""
    base = _base(y, offset, np.ones(len(y)), objective) if like is None else like.base
    bins = {"max_bin": MOST_BINS, "feature_pre_filter": False, "num_threads": FIT_THREADS, "verbosity": -1}
    reference = None if like is None else like.data
    data = lgb.Dataset(matrix.astype(np.float32), y, init_score=offset + base, reference=reference, params=bins)
    return BinnedRows(data.construct(), len(y), base, objective)


def fit_stopping_trees(learn: BinnedRows, judge: BinnedRows, settings: TreeSettings, seed: int) -> TreeModel:
    """As `fit_trees`, with as many of `settings.rounds` as `judge` is the better for; `TreeModel.rounds` says how many."""
    unfiltered = parameters(learn.rows, learn.objective, settings, seed) | {"feature_pre_filter": False}
    stop = lgb.early_stopping(PATIENCE, verbose=False)
    booster = lgb.train(unfiltered, learn.data, settings.rounds, valid_sets=[judge.data], callbacks=[stop])
    return TreeModel(booster, learn.base)


def parameters(rows: int, objective: Objective, settings: TreeSettings, seed: int) -> dict[str, Any]:
    """What LightGBM is told for so many rows: the same trees on every run, whatever else the machine does."""
    return {
        "objective": objective,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": min(settings.leaf_rows, max(2, rows // 20)),
        "feature_fraction": settings.feature_share,
        "lambda_l2": settings.ridge,
        "bagging_fraction": settings.row_share,
        "bagging_freq": int(settings.row_share < 1),
        "max_bin": MOST_BINS,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": FIT_THREADS,
        "verbosity": -1,
    }


def _base(y: Floats, offset: Floats, weight: Floats, objective: Objective) -> float:
    """The constant that fits the mean: given an `init_score`, LightGBM does not start from one."""
    mean = float(np.average(y, weights=weight))
    if objective == "binary":
        inside = min(max(mean, 1e-3), 1 - 1e-3)
        return float(np.log(inside / (1 - inside)) - np.average(offset, weights=weight))
    return float((mean if objective == "regression" else np.log(mean)) - np.average(offset, weights=weight))

"""Simple rules as members: what people would do without a model, and what a model must beat.

A rule looks at one column for churn and one for the amount, and answers what came of customers with about that value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from training.arrays import Floats, logit

BINS = 10
PRIOR_ROWS = 5.0
"""Rows at the overall mean that every bin starts with, so that a small bin is not believed too much."""


@dataclass(frozen=True)
class Steps:
    """A step function of one column: `values` between `edges`; a missing value takes the last of them."""

    column: int
    edges: tuple[float, ...]
    values: tuple[float, ...]
    mean: float

    def predict(self, matrix: Floats) -> Floats:
        """The step (n,) that each row stands on."""
        return np.array(self.values)[np.searchsorted(np.array(self.edges), matrix[:, self.column], side="right")]

    def centred_contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """All of it belongs to the one column (n, features); relative to the mean of the training rows."""
        contributions = np.zeros(matrix.shape)
        contributions[:, self.column] = self.predict(matrix) - self.mean
        return contributions, self.mean

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Steps:
        """Read what `asdict` gave."""
        return cls(values["column"], tuple(values["edges"]), tuple(values["values"]), values["mean"])


def fit_steps(matrix: Floats, column: int, y: Floats, link: str) -> Steps:
    """Means of y (n,) in up to BINS bins of equal size of a column, as log-odds (link "logit") or logarithms (link "log")."""
    x = matrix[:, column]
    known = x[~np.isnan(x)]
    levels = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, levels)) if len(known) else np.array([])
    place = np.searchsorted(edges, x, side="right")
    sums, sizes = (np.bincount(place, weights, minlength=len(edges) + 1) for weights in (y, None))
    means = (sums + PRIOR_ROWS * y.mean()) / (sizes + PRIOR_ROWS)
    values = logit(means) if link == "logit" else np.log(np.maximum(means, 1e-9))
    return Steps(column, tuple(map(float, edges)), tuple(map(float, values)), float(values[place].mean()))


@dataclass(frozen=True)
class RuleMember:
    """Two step functions: log-odds of churn, and the logarithm of the amount."""

    churn: Steps
    amount: Steps
    name: ClassVar[str] = "rule"

    def churn_logit(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self.churn.predict(matrix)

    def log_amount(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self.amount.predict(matrix)

    def links(self, matrix: Floats) -> tuple[Floats, Floats]:
        """As `Member`."""
        return self.churn_logit(matrix), self.log_amount(matrix)

    def churn_sum(self, matrix: Floats) -> tuple[Floats, float]:
        """As `Member`."""
        return self.churn.centred_contributions(matrix)

    def amount_sum(self, matrix: Floats) -> tuple[Floats, float]:
        """As `Member`."""
        return self.amount.centred_contributions(matrix)

    def to_dict(self) -> dict[str, Any]:
        """As `Member`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RuleMember:
        """Read what `to_dict` wrote."""
        return cls(Steps.from_dict(values["churn"]), Steps.from_dict(values["amount"]))

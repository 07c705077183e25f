"""Whether a candidate may replace the champion: it must be no worse, on the same customers at a date neither has learned from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from training.arrays import Flags, Floats

MARGIN = 0.02
"""A candidate may be worse by this share of the champion's loss: less than the next retrain moves it anyway."""

CONFIDENCE = 0.95
"""How sure the gate must be (one-sided) that the candidate's loss is within the margin."""

RESAMPLES = 1_000
GROUPS = 1_000
"""Customers are put at random into at most this many groups, and groups are resampled: the same answer, at any size."""

SMALLEST_VALUE = 1e-9


class Forecast(Protocol):
    """What the gate reads of a model's `Predictions`."""

    @property
    def churn_probability(self) -> Floats:
        """Within (0, 1), one a customer."""

    @property
    def expected_value(self) -> Floats:
        """In currency, one a customer."""


@dataclass(frozen=True)
class Comparison:
    """One loss of both models, lower is better; `high` is the upper bound of candidate minus champion, `allowed` its limit."""

    metric: str
    candidate: float
    champion: float
    high: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the candidate is surely no worse than the champion, but for the margin."""
        return self.high <= self.allowed


@dataclass(frozen=True)
class Verdict:
    """What the gate decided, and why in one sentence; `compared_at` is None where there was nothing to compare with."""

    promote: bool
    reason: str
    compared_at: date | None = None
    comparisons: tuple[Comparison, ...] = ()


def log_losses(churned: Flags, probability: Floats) -> Floats:
    """The natural-log loss of each customer.

    >>> log_losses(np.array([True, False]), np.array([0.5, 0.5])).round(3)
    array([0.693, 0.693])
    """
    return -np.where(churned, np.log(probability), np.log1p(-probability))


def value_losses(value: Floats, expected: Floats) -> Floats:
    """The Poisson deviance of each customer's value, in currency; refunds beyond the purchases count as 0.

    It is lowest in the mean for the true expectation, whatever the distribution, and grows only linearly in one huge value:
    an absolute error would reward a model that forecasts the median, a squared one would be decided by a few customers.

    >>> value_losses(np.array([0.0, 10.0]), np.array([1.0, 10.0]))
    array([2., 0.])
    """
    truth, forecast = np.maximum(value, 0.0), np.maximum(expected, SMALLEST_VALUE)
    deviance: Floats = 2 * (xlogy(truth, truth / forecast) - truth + forecast)
    return deviance


def upper_bound(differences: Floats, seed: int) -> float:
    """The bound that the mean of `differences` stays below with `CONFIDENCE`, by bootstrap over customers.

    >>> upper_bound(np.full(100, 0.25), seed=0)
    0.25
    """
    random = np.random.default_rng(seed)
    groups = min(GROUPS, len(differences))
    member_of: NDArray[np.int64] = random.permutation(len(differences)) % groups
    sums, sizes = np.bincount(member_of, differences, groups), np.bincount(member_of, minlength=groups)
    drawn = random.integers(0, groups, (RESAMPLES, groups))
    return float(np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), CONFIDENCE))


def compare(metric: str, candidate: Floats, champion: Floats, seed: int) -> Comparison:
    """One loss of two models for the same customers: means, bound and limit."""
    return Comparison(
        metric=metric,
        candidate=float(candidate.mean()),
        champion=float(champion.mean()),
        high=upper_bound(candidate - champion, seed),
        allowed=MARGIN * float(champion.mean()),
    )


def judge(churned: Flags, value: Floats, candidate: Forecast, champion: Forecast, *, as_of: date, seed: int) -> Verdict:
    """Promote the candidate when it is surely no worse than the champion in churn and in value.

    All arrays are of the same customers, forecast at `as_of`; neither model may have learned from labels that end after it.
    """
    comparisons = (
        compare(
            "log_loss", log_losses(churned, candidate.churn_probability), log_losses(churned, champion.churn_probability), seed
        ),
        compare(
            "value_deviance", value_losses(value, candidate.expected_value), value_losses(value, champion.expected_value), seed
        ),
    )
    return verdict_of(comparisons, len(value), as_of)


def verdict_of(comparisons: tuple[Comparison, ...], customers: int, as_of: date) -> Verdict:
    """Promote where every comparison has passed."""
    failed = [comparison.metric for comparison in comparisons if not comparison.passed]
    reason = f"not surely as good as the champion in {' and '.join(failed)}" if failed else "no worse than the champion"
    return Verdict(not failed, f"{reason} ({customers:,} customers at {as_of})", as_of, comparisons)

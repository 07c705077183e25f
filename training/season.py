"""Season and level: what a date adds to everyone's forecast alike, measured in the past and forecast for the next horizon.

Buy-till-you-die knows no calendar: held against each past date it shows by how much that date was livelier or quieter than a
usual one. These effects are forecast by Gaussian process regression, from a level that drifts and a season that returns after a
year; both are drawn to the mean where the history does not tell. The strengths below are standard deviations, of log-odds and of
log amounts alike. How they were chosen, and what they gain, is in docs/models.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from training.arrays import Floats, Ints, probability_of
from training.data import TrainingData
from training.members import LifetimeMember
from training.splits import YEAR_DAYS

MEAN, DRIFT, SEASON, NOISE = 1.0, 0.35, 0.3, 0.1
DRIFT_DAYS = 700.0
"""How long a level lasts: its correlation falls to 1/e in this time."""

SMOOTHNESS = 1.0
"""Of the season: at 1, dates five weeks apart share 90 % of it, opposite seasons 14 %."""

LARGEST_EFFECT = 3.0
"""Bound of a measured effect: beyond it a date tells of something else than a season."""


@dataclass(frozen=True)
class Effect:
    """What a date adds, as far as it can be known: mean and standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Season:
    """Effects of past dates (ascending `days`) on the log-odds of churn and on the log amount of active customers."""

    days: Ints
    churn: Floats
    amount: Floats

    def offsets(self, day: Ints) -> tuple[Floats, Floats]:
        """The effects (n,), (n,) of the dates of rows; all of them must be among `days`."""
        place = np.searchsorted(self.days, day)
        return self.churn[place], self.amount[place]

    def forecast(self, day: int) -> tuple[Effect, Effect]:
        """The effects that the date will have on churn and on the amount; a mean of 0 where no date was measured."""
        return forecast_effect(self.days, self.churn, day), forecast_effect(self.days, self.amount, day)


def measure_season(known: TrainingData, lifetime: LifetimeMember) -> Season:
    """Measure the effects of the dates of labelled rows, against buy-till-you-die."""
    days = np.array(known.labelled_days, dtype=np.int64)
    effects = [_effects(known.at(int(day)), lifetime) for day in days]
    churn, amount = np.array(effects).reshape(-1, 2).T
    return Season(days, churn, amount)


def no_season(known: TrainingData) -> Season:
    """Every date a usual one: for models that know no season."""
    days = np.array(known.labelled_days, dtype=np.int64)
    return Season(days, np.zeros(len(days)), np.zeros(len(days)))


def _effects(rows: TrainingData, lifetime: LifetimeMember) -> tuple[float, float]:
    bought = rows.churned == 0
    churn = log_odds_shift(lifetime.churn_logit(rows.matrix), float(rows.churned.mean()))
    if not bought.any():
        return churn, 0.0
    level = log_level(rows.value[bought], lifetime.log_amount(rows.matrix[bought]))
    return churn, float(np.clip(level, -LARGEST_EFFECT, LARGEST_EFFECT))


def log_level(value: Floats, log_amount: Floats, chance: Floats | float = 1.0) -> float:
    """The logarithm of the factor by which forecast amounts (n,) must grow to meet the values (n,); values below 0 count as 0.

    As in the blend of amounts, rows weigh between one customer as much as another and one coin as much as another,
    and by the `chance` (n,) that they count at all.
    """
    amount = np.exp(log_amount)
    weights = chance * amount**-0.5
    return float(np.log(max(float(weights @ np.maximum(value, 0)), 1e-9) / float(weights @ amount)))


def log_odds_shift(log_odds: Floats, share: float) -> float:
    """What must be added to log-odds (n,) so that the mean probability is `share`, within LARGEST_EFFECT."""

    def excess(shift: float) -> float:
        return float(probability_of(log_odds + shift).mean()) - share

    if excess(-LARGEST_EFFECT) >= 0:
        return -LARGEST_EFFECT
    if excess(LARGEST_EFFECT) <= 0:
        return LARGEST_EFFECT
    return float(brentq(excess, -LARGEST_EFFECT, LARGEST_EFFECT, xtol=1e-9))


def forecast_effect(days: Ints, effects: Floats, day: int) -> Effect:
    """The Gaussian process at `day`, given the effects (k,) measured at `days` (k,).

    A year of dates with one lively month: the same month is forecast livelier than the others.

    >>> days = 30 * np.arange(12)
    >>> effects = np.where(days == 90, 0.5, 0.0)
    >>> forecast_effect(days, effects, 90 + 364).mean > forecast_effect(days, effects, 270 + 364).mean
    True
    """
    if len(days) == 0:
        return Effect(0.0, float(np.sqrt(DRIFT**2 + SEASON**2 + NOISE**2)))
    covariance = _covariance(days, days) + NOISE**2 * np.eye(len(days))
    own = _covariance(np.array([day]), days)[0]
    weights = np.linalg.solve(covariance, own)
    variance = float(_covariance(np.array([day]), np.array([day]))[0, 0] + NOISE**2 - weights @ own)
    return Effect(float(weights @ effects), float(np.sqrt(max(variance, 0.0))))


def _covariance(a: Ints, b: Ints) -> Floats:
    apart = np.abs(a[:, None] - b[None, :]).astype(float)
    drift = DRIFT**2 * np.exp(-apart / DRIFT_DAYS)
    season = SEASON**2 * np.exp(-2 * np.sin(np.pi * apart / YEAR_DAYS) ** 2 / SMOOTHNESS**2)
    return np.asarray(MEAN**2 + drift + season)

"""Season and level: what a date adds to everyone's forecast alike, measured in the past and forecast for the next horizon.

Buy-till-you-die knows no calendar: held against the window of days after a past date it shows by how much that window was
livelier or quieter than a usual one. The effect of a window is the mean of the effects of its days, so that windows of any length
tell of each other: short ones, over sooner, of what is new. Days are forecast by Gaussian process regression, from a level that
drifts and a season that returns after a year; both are drawn to the mean where the history does not tell. The strengths below are
standard deviations, of log-odds and of log amounts alike. How they were chosen, and what they gain, is in docs/models.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from training.arrays import Floats, Ints, probability_of
from training.data import TrainingData
from training.members.kinds import LifetimeMember
from training.splits import YEAR_DAYS

MEAN, DRIFT, SEASON, NOISE = 1.0, 0.35, 0.3, 0.1
DRIFT_DAYS = 700.0
"""How long a level lasts: its correlation falls to 1/e in this time."""

NOISE_DAYS = 90.0
"""The length of a window whose effect has the noise NOISE; its variance is the less, the more days there are to even it out."""

WINDOW_POINTS = 6
"""Days, evenly spread, that stand for those of a window."""

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
class Windows:
    """The `effects` (k,) measured of windows that begin at `days` (k,) and last `lengths` (k,) days."""

    days: Ints
    lengths: Ints
    effects: Floats

    def forecast(self, day: int, length: int) -> Effect:
        """The effect of another window, as far as these tell of it; a mean of 0 where there are none.

        A year of windows with one lively month: the same month is forecast livelier than the others.

        >>> days = 30 * np.arange(12)
        >>> year = Windows(days, np.full(12, 30), np.where(days == 90, 0.5, 0.0))
        >>> year.forecast(90 + 364, 30).mean > year.forecast(270 + 364, 30).mean
        True
        """
        wanted = _points(np.array([day]), np.array([length]))
        prior = float(_covariance(wanted, wanted)[0, 0] + _noise(np.array([length]))[0])
        if len(self.days) == 0:
            return Effect(0.0, float(np.sqrt(prior)))
        points = _points(self.days, self.lengths)
        own = _covariance(wanted, points)[0]
        weights = np.linalg.solve(_covariance(points, points) + np.diag(_noise(self.lengths)), own)
        return Effect(float(weights @ self.effects), float(np.sqrt(max(prior - weights @ own, 0.0))))


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

    def forecast_amount(self, day: int) -> Effect:
        """The effect that the horizon from `day` will have on the amount.

        Amounts are known over one horizon alone, so its windows need not be taken apart: each stands for its first day.
        """
        return Windows(self.days, np.zeros_like(self.days), self.amount).forecast(day, 0)


def measure_season(known: TrainingData, lifetime: LifetimeMember) -> Season:
    """Measure the effects of the dates of labelled rows, against buy-till-you-die."""
    days = np.array(known.labelled_days, dtype=np.int64)
    effects = [_effects(known.at(int(day)), lifetime) for day in days]
    churn, amount = np.array(effects).reshape(-1, 2).T
    return Season(days, churn, amount)


def churn_windows(data: TrainingData, day: int, lifetime: LifetimeMember) -> Windows:
    """What the windows of all horizons that end at or before `day` added to the log-odds of churn, against buy-till-you-die."""
    found = [
        (start, days, log_odds_shift(logits, float(churned.mean())))
        for start in np.unique(data.day[data.day < day])
        for days, logits, churned in _over_all_horizons(data.at(int(start)), lifetime)
        if start + days <= day
    ]
    starts, lengths, effects = np.array(found).reshape(-1, 3).T
    return Windows(starts.astype(np.int64), lengths.astype(np.int64), effects)


def _over_all_horizons(rows: TrainingData, lifetime: LifetimeMember) -> Iterator[tuple[int, Floats, Floats]]:
    """Days of each horizon, what buy-till-you-die forecasts of churn over it, and who churned (NaN: not over)."""
    for days, churned in {rows.horizon_days: rows.churned, **rows.further}.items():
        yield days, replace(lifetime, horizon_days=days).churn_logit(rows.matrix), churned


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


def _noise(lengths: Ints) -> Floats:
    """The variance (k,) of what is peculiar to windows; one that stands for its first day (length 0) has that of NOISE_DAYS."""
    return np.asarray(NOISE**2 * NOISE_DAYS / np.where(lengths > 0, lengths, NOISE_DAYS))


def _points(days: Ints, lengths: Ints) -> Floats:
    """The days (k, WINDOW_POINTS) that stand for windows."""
    shares = (np.arange(WINDOW_POINTS) + 0.5) / WINDOW_POINTS
    return np.asarray(days[:, None] + lengths[:, None] * shares)


def _covariance(a: Floats, b: Floats) -> Floats:
    """The covariance (k, m) of windows, given their points: the mean over pairs of days."""
    apart = np.abs(a[:, None, :, None] - b[None, :, None, :])
    drift = DRIFT**2 * np.exp(-apart / DRIFT_DAYS)
    season = SEASON**2 * np.exp(-2 * np.sin(np.pi * apart / YEAR_DAYS) ** 2 / SMOOTHNESS**2)
    return np.asarray((MEAN**2 + drift + season).mean(axis=(2, 3)))

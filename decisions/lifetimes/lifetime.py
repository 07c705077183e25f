"""Lifetime value from the models: what a customer is expected to bring while they last, discounted, and how sure that is."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from decisions.columns import Floats

LOW, HIGH = 0.1, 0.9
"""The levels of the interval: of ten such customers, about one brings less and one brings more."""
BLOCK = 20_000
HALVINGS = 12
WIDEST = 3.0
"""The widest spread of log spend that is believed; a wider one comes of quantiles that fit no distribution of ours."""


def geometric_sum(factor: Floats, periods: Floats) -> Floats:
    """`1 + factor + factor**2 + ...` over `periods` terms, the last one in part where `periods` is no whole number.

    `factor` lies in [0, 1]; missing stays missing.

    >>> geometric_sum(np.array([1.0, 0.5]), np.array([2.5, 2.0]))
    array([2.5, 1.5])
    """
    whole = np.floor(periods)
    near = np.where((factor > 0.5) & (factor < 1), factor, 0.75)  # near 1 the plain quotient would lose half of its digits
    below = np.where(factor <= 0.5, factor, 0.0)
    full = np.where(factor <= 0.5, (1 - below**whole) / (1 - below), np.expm1(whole * np.log(near)) / (near - 1))
    full = np.where(factor == 1, whole, full)
    total: Floats = full + (periods - whole) * factor**whole
    return np.where(np.isnan(factor), np.nan, total)


def horizon_discount(yearly_rate: float, horizon_days: Floats) -> Floats:
    """What one unit of money a horizon from now is worth today.

    >>> horizon_discount(0.1, np.array([365.0])).round(4)
    array([0.9091])
    """
    discount: Floats = (1 + yearly_rate) ** (-horizon_days / 365)
    return discount


def expected_horizons(churn_probability: Floats, horizon_days: Floats, *, yearly_rate: float, years: float) -> Floats:
    """How many horizons of the next `years` years a customer is expected to be there for, in today's money, shape (n,).

    They are there in the k-th horizon with probability `(1 - churn_probability) ** (k - 1)`, and each horizon is paid at its end.
    The churn of the next horizon stands for all later ones: that is the assumption of the geometric model.
    """
    discount = horizon_discount(yearly_rate, horizon_days)
    return discount * geometric_sum((1 - churn_probability) * discount, 365 * years / horizon_days)


def lifetime_value(
    churn_probability: Floats, expected_value: Floats, horizon_days: Floats, *, yearly_rate: float, years: float
) -> Floats:
    """Expected value of the next `years` years: each horizon brings `expected_value` to those who are still there.

    The chance to buy in the first horizon is already in the expected value, so all are there for it. At no churn and no
    discount it is the number of horizons times `expected_value`.
    """
    return expected_value * expected_horizons(churn_probability, horizon_days, yearly_rate=yearly_rate, years=years)


def lifetime_interval(
    churn_probability: Floats,
    expected_value: Floats,
    value_high: Floats,
    horizon_days: int,
    *,
    yearly_rate: float,
    years: float,
) -> tuple[Floats, Floats]:
    """The 10 % and 90 % quantiles of what a customer brings in the next `years` years, each of shape (n,).

    How it is propagated: a customer is active for T horizons, where each one is the last with `churn_probability` (geometric, cut
    off at the end of the years); while active they spend W in each, which is not known but stays: log-normal, with the mean
    `expected_value / (1 - churn_probability)` and the spread that makes `value_high` the 90 % quantile of the next horizon. The
    quantiles are those of W times the discounted number of horizons. Spending that changes from horizon to horizon evens out, so
    the interval is then wider than it need be, not narrower. Missing where a loss is expected or a figure is missing.
    """
    low, high = np.empty((2, churn_probability.size))
    weights = _discounted_horizons(horizon_days, yearly_rate, years)
    for start in range(0, churn_probability.size, BLOCK):
        block = slice(start, start + BLOCK)
        p, mean, spread = _spend_while_active(churn_probability[block], expected_value[block], value_high[block])
        low[block], high[block] = (_quantile(level, p, mean, spread, weights) for level in (LOW, HIGH))
    return low, high


def _discounted_horizons(horizon_days: int, yearly_rate: float, years: float) -> Floats:
    """What 1, 2, ... active horizons of one unit each are worth today, up to the end of the years."""
    horizons = 365 * years / horizon_days
    steps = np.arange(1.0, np.ceil(horizons) + 1)
    part = np.minimum(1.0, horizons - (steps - 1))
    return np.asarray(np.cumsum(part * (1 + yearly_rate) ** (-steps * horizon_days / 365)))


def _spend_while_active(p: Floats, expected: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
    """Churn probability, mean of the spend in an active horizon, and standard deviation of its logarithm.

    With z the normal quantile at the level of `high` among the active, (0.9 - p) / (1 - p), the spread s is the smaller solution
    of log(high / mean) = s z - s**2 / 2; z where there is none, which comes nearest.
    """
    mean = np.where(p < 1, expected / np.maximum(1 - p, 1e-300), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = ndtri((HIGH - p) / (1 - p))
        above = np.log(high / mean)
        root = np.sqrt(np.maximum(z * z - 2 * above, 0.0))
        spread = np.where(above > 0, z - root, z + root)
    return p, mean, np.clip(spread, 1e-6, WIDEST)


def _quantile(level: float, p: Floats, mean: Floats, spread: Floats, weights: Floats) -> Floats:
    """The quantile of W times the discounted horizons; 0 up to the chance of no active horizon at all."""
    told = (p >= HIGH) | ~np.isnan(spread)  # who will most likely never be active needs no spread: both quantiles are 0
    known = ~np.isnan(p) & ((p >= 1) | (mean == 0) | ((mean > 0) & told))
    beyond = known & (level > p) & (mean > 0)
    answer = np.where(known, 0.0, np.nan)
    answer[beyond] = _mixed_quantile(level, p[beyond], np.log(mean[beyond]) - spread[beyond] ** 2 / 2, spread[beyond], weights)
    return answer


def _mixed_quantile(level: float, p: Floats, centre: Floats, spread: Floats, weights: Floats) -> Floats:
    """The quantile where it is positive: between those of the shortest and the longest stay, by halving, then along the chord."""
    stays = (1 - p) ** np.arange(1, weights.size + 1)[:, None]
    chances, logs = np.concatenate([stays[:-1] * p, stays[-1:]]), np.log(weights)

    def missed(place: Floats) -> Floats:
        inside = (chance * ndtr((place - log - centre) / spread) for chance, log in zip(chances, logs, strict=True))
        return np.asarray(p + sum(inside) - level)

    low = logs[0] + centre + spread * ndtri((level - p) / (1 - p))
    high = logs[-1] + centre + spread * ndtri(level)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = missed(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    left, right = missed(low), missed(high)
    chord = np.clip(-left / np.where(right > left, right - left, 1.0), 0.0, 1.0)
    return np.asarray(np.exp(low + chord * (high - low)))

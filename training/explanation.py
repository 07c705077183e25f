"""Why a forecast is what it is: signed contributions of the features that add up to it, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import NamedTuple

import numpy as np

from training.arrays import EDGE, LOGIT_EDGE, Floats, Ints, expected_value
from training.members.stack import Blend

Sum = tuple[Floats, float]
"""Contributions (n, features) and their baseline."""


@dataclass(frozen=True)
class Explanation:
    """Signed contributions (n, features). Churn: with `churn_baseline` they sum to logit(churn_probability).

    Value: with `value_baseline` they sum to log(expected_value); NaN where that is 0 or less.
    """

    churn: Floats
    churn_baseline: float
    value: Floats
    value_baseline: float


class Refunds(NamedTuple):
    """What customers who buy nothing are worth (n,), 0 or less, and the feature that says so; None where none does."""

    values: Floats
    column: int | None


class Habits(NamedTuple):
    """How customers buy (n,), and the feature that says so."""

    values: Ints
    column: int


def explained(churn_sum: Sum, amount_sum: Sum, log_odds: Floats, log_amount: Floats, refunds: Refunds) -> Explanation:
    """The explanation of a model's log-odds of churn and log amount (n,), given both as sums over features.

    The value is split between being active, the amount and refunds by their Shapley values, and within each in the proportions
    of its own contributions. The log-odds have bounds that their sum does not have: there contributions shrink.
    """
    churn_base, amount_base = float(np.clip(churn_sum[1], -LOGIT_EDGE, LOGIT_EDGE)), amount_sum[1]
    churn = _shared(log_odds - churn_base, churn_sum[0])
    inputs = np.column_stack([log_odds, log_amount, refunds.values])
    parts, base = shapley(_log_expected_value, inputs, np.array([churn_base, amount_base, 0.0]))
    value = _shared(parts[:, 0], churn) + _shared(parts[:, 1], amount_sum[0])
    if refunds.column is not None:
        value[:, refunds.column] += parts[:, 2]
    value[expected_value(*inputs.T) <= 0] = np.nan
    return Explanation(churn, churn_base, value, base)


def blended(blend: Blend, sums: Sequence[Sum], habits: Habits | None = None) -> Sum:
    """The blend of the members' sums; its level and the coming season belong to the baseline.

    A habit's own weights change what each feature adds; its own level is due to the feature that says the habit.
    """
    weighted = list(zip(blend.weights, sums, strict=True))
    contributions = np.asarray(sum(weight * values for weight, (values, _) in weighted))
    base = blend.intercept + blend.shift + sum(weight * base for weight, (_, base) in weighted)
    if blend.own and habits is not None:
        *own, level = np.array(blend.own)[habits.values].T
        for more, (values, member_base) in zip(own, sums, strict=True):
            contributions += more[:, None] * values
            level = level + more * member_base
        contributions[:, habits.column] += level
    return contributions, float(base)


def shapley(forecast: Callable[..., Floats], inputs: Floats, reference: Floats) -> Sum:
    """Exact Shapley values (n, k) of a forecast of k inputs (n, k), and its value at the reference (k,).

    An input outside a coalition takes the reference's value. The values sum to the forecast less that at the reference.

    >>> shapley(lambda a, b: a * b, np.array([[2.0, 3.0]]), np.array([0.0, 1.0]))
    (array([[4., 2.]]), 0.0)
    """
    n, k = inputs.shape
    known = {coalition: _forecast_of(forecast, inputs, reference, coalition) for coalition in _coalitions(range(k))}
    values = np.zeros((n, k))
    for player in range(k):
        for others in _coalitions([each for each in range(k) if each != player]):
            weight = factorial(len(others)) * factorial(k - len(others) - 1) / factorial(k)
            values[:, player] += weight * (known[tuple(sorted((*others, player)))] - known[others])
    return values, float(known[()][0]) if n else 0.0


def _coalitions(players: Sequence[int]) -> list[tuple[int, ...]]:
    return [coalition for size in range(len(players) + 1) for coalition in combinations(players, size)]


def _forecast_of(forecast: Callable[..., Floats], inputs: Floats, reference: Floats, coalition: tuple[int, ...]) -> Floats:
    mixed = np.tile(reference, (len(inputs), 1))
    mixed[:, coalition] = inputs[:, coalition]
    return forecast(*mixed.T)


def _log_expected_value(log_odds: Floats, log_amount: Floats, refunds: Floats) -> Floats:
    """The logarithm of the expected value; that of a value far below any real one where refunds outweigh it."""
    expected = expected_value(log_odds, log_amount, refunds)
    return np.log(np.where(expected > 0, expected, EDGE**2 * np.exp(log_amount)))


def _shared(part: Floats, contributions: Floats) -> Floats:
    """Contributions (n, features) made to sum to `part` (n,): none of them grows, and what is lacking then goes by their sizes.

    >>> _shared(np.array([1.0, 3.0]), np.array([[3.0, -1.0], [3.0, -1.0]]))
    array([[ 1.5 , -0.5 ],
           [ 3.75, -0.75]])
    """
    sizes = np.abs(contributions)
    factor = np.clip(_quotient(part, contributions.sum(axis=1)), -1, 1)
    found = factor[:, None] * contributions
    return found + _quotient(part - found.sum(axis=1), sizes.sum(axis=1))[:, None] * sizes


def _quotient(part: Floats, whole: Floats) -> Floats:
    """The quotients (n,) part / whole; 0 where the whole is 0."""
    with np.errstate(over="ignore"):
        return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)

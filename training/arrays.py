"""Small arithmetic on arrays that every part of training shares."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from features.arrays.cores import cores

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

R = TypeVar("R")
S = TypeVar("S")

ROWS_AT_ONCE = 4_096
"""Rows that one core takes at a time."""

EDGE = 1e-6
"""Probabilities stay in [EDGE, 1 - EDGE], so that their logit is finite and one surprise never costs everything."""

LOGIT_EDGE = float(np.log((1 - EDGE) / EDGE))


def thinned(matrix: Floats, rows: int) -> Floats:
    """At most `rows` rows of a matrix (n, features), evenly spread.

    >>> thinned(np.arange(5.0)[:, None], 2).ravel()
    array([0., 3.])
    """
    return matrix[:: max(1, -(-len(matrix) // rows))]


def logit(probability: Floats) -> Floats:
    """Log-odds; the input is clipped into [EDGE, 1 - EDGE] first.

    >>> logit(np.array([0.5, 1.0])).round(3)
    array([ 0.   , 13.816])
    """
    possible = inside(probability)
    return np.log(possible) - np.log1p(-possible)


def inside(probability: Floats) -> Floats:
    """The probability, clipped into [EDGE, 1 - EDGE]."""
    clipped: Floats = np.clip(probability, EDGE, 1 - EDGE)
    return clipped


def probability_of(log_odds: Floats) -> Floats:
    """The inverse of `logit`, within [EDGE, 1 - EDGE]."""
    probability: Floats = expit(np.clip(log_odds, -LOGIT_EDGE, LOGIT_EDGE))
    return probability


def expected_value(log_odds: Floats, log_amount: Floats, refunds: Floats) -> Floats:
    """What customers are expected to bring (n,): the amount if they buy, the refunds (0 or less) if they do not."""
    churn = probability_of(log_odds)
    return (1 - churn) * np.exp(log_amount) + churn * refunds


def in_parts(work: Callable[[Floats], R], matrix: Floats) -> list[R]:
    """What `work` makes of each part of the rows, in their order; the parts, at least one, are spread over all cores."""
    parts = [matrix[start : start + ROWS_AT_ONCE] for start in range(0, max(len(matrix), 1), ROWS_AT_ONCE)]
    if len(parts) == 1:
        return [work(matrix)]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, parts))


def at_once(first: Callable[[], R], second: Callable[[], S]) -> tuple[R, S]:
    """What two pieces of work that know nothing of each other come to, each on a thread of its own: the same, sooner."""
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        return first(), other.result()

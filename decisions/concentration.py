"""How unevenly value is spread over customers: the Lorenz curve, the Gini coefficient, and who brings half of it."""

from __future__ import annotations

import numpy as np

from decisions.columns import Floats

KNOWN_SHARES = (0.5, 0.75, 0.9)
"""The shares of value that a report tells of."""


def lorenz_curve(values: Floats) -> tuple[Floats, Floats]:
    """Shares of customers from the poorest up, and the share of all positive value that they bring; both (n + 1,), from 0 to 1.

    A negative or missing value counts as a customer who brings nothing. Without any positive value the second is NaN but for its
    ends.

    >>> customers, value = lorenz_curve(np.array([3.0, 1.0]))
    >>> customers.tolist(), value.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    rising = np.sort(np.maximum(np.nan_to_num(values, nan=0.0), 0.0))
    brought = np.concatenate([[0.0], np.cumsum(rising)])
    customers = np.arange(brought.size) / max(rising.size, 1)
    value = brought / brought[-1] if brought[-1] > 0 else np.full(brought.size, np.nan)
    return customers, value


def gini(values: Floats) -> float:
    """The Gini coefficient of `values`, from 0 (all bring the same) to 1 (one brings all).

    It is one less twice the area under the Lorenz curve. Missing where nobody brings anything; a negative or missing value counts
    as nothing.

    >>> gini(np.array([1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
    """
    customers, value = lorenz_curve(values)
    return float(1 - 2 * np.trapezoid(value, customers)) + 0.0


def customers_bringing(values: Floats, share: float) -> float:
    """The smallest share of customers who bring `share` of all positive value; missing where nobody brings anything.

    >>> customers_bringing(np.array([50.0, 30.0, 10.0, 10.0, 0.0]), 0.75)
    0.4
    """
    falling = np.sort(values[values > 0])[::-1]
    if not falling.size:
        return float("nan")
    brought = np.cumsum(falling)
    return float(np.searchsorted(brought, share * brought[-1] * (1 - 1e-12)) + 1) / values.size

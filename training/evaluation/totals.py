"""What a procedure promised all customers together at earlier dates, and what came: from this a total gets its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from training.arrays import Floats
from training.card.report import handed_out
from training.evaluation.backtest import Backtest

FILE = "totals.json"
"""Where a training keeps them, beside its card."""


@dataclass(frozen=True)
class Total:
    """The value promised to all customers of a date over its horizon, the value that came, and how many customers there were.

    `error` is the standard error of their ratio that single customers explain (`decisions.reviews.figures.ratio_error`).
    """

    as_of: date
    customers: int
    promised: float
    came: float
    error: float


def totals(tested: Backtest) -> tuple[Total, ...]:
    """One for each date of a backtest, the newest first; each forecast learned only from what was known at its date."""
    forecasts = [(fold, handed_out(tested, fold).expected_value) for fold in tested.folds]
    return tuple(total(fold.as_of, expected, fold.value) for fold, expected in forecasts if _is_told(expected, fold.value))


def total(as_of: date, expected: Floats, value: Floats) -> Total:
    """The total of expected values (n,), which must be positive, beside that of the values (n,) that came."""
    promised, came = float(expected.sum()), float(value.sum())
    left = value - came / promised * expected
    return Total(as_of, len(value), promised, came, float(np.sqrt(left @ left)) / promised)


def as_plain(found: tuple[Total, ...]) -> dict[str, Any]:
    """As JSON keeps them."""
    return {"totals": [{**asdict(each), "as_of": str(each.as_of)} for each in found]}


def from_plain(content: Mapping[str, Any]) -> tuple[Total, ...]:
    """What `as_plain` made.

    >>> one = Total(date(2026, 1, 1), 3, 10.0, 12.0, 0.1)
    >>> from_plain(as_plain((one,))) == (one,)
    True
    """
    return tuple(Total(**{**each, "as_of": date.fromisoformat(each["as_of"])}) for each in content["totals"])


def _is_told(expected: Floats, value: Floats) -> bool:
    return bool(np.isfinite(expected).all() and np.isfinite(value).all() and expected.sum() > 0)

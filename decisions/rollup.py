"""Customers added up: by tier or another word, by kind, by account, by who looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.columns import Columns, Texts, number, require

SUMMED = ("expected_value", "current_value", "potential_value", "value_at_risk", "lifetime_value")
"""The amounts that are added up."""


@dataclass(frozen=True)
class Group:
    """Some customers together: how many, their mean churn probability, and the sums of their amounts.

    `name` is None for those who belong nowhere. A missing amount of a customer adds nothing to its sum.
    """

    name: str | None
    customers: int
    churn_probability: float
    expected_value: float
    current_value: float
    potential_value: float
    value_at_risk: float
    lifetime_value: float


def roll_up(columns: Columns, names: Texts, order: Sequence[str] | None = None) -> tuple[Group, ...]:
    """The customers by `names` (n,), None for those who belong nowhere, who come last.

    In the given `order`, which then also lists names that nobody has, else by falling expected value.
    """
    require(columns, ("churn_probability", *SUMMED), "a roll-up")
    known, place = _places(names, order)
    sizes = np.bincount(place, minlength=len(known))
    sums = {name: _sums(columns, name, place, len(known)) for name in ("churn_probability", *SUMMED)}
    shown = [code for code in range(len(known)) if sizes[code] or (order is not None and known[code] is not None)]
    if order is None:
        shown.sort(key=lambda code: (known[code] is None, -sums["expected_value"][code], known[code]))
    return tuple(
        Group(
            known[code],
            int(sizes[code]),
            float(sums["churn_probability"][code] / sizes[code]) if sizes[code] else float("nan"),
            **{name: float(sums[name][code]) for name in SUMMED},
        )
        for code in shown
    )


def _places(names: Texts, order: Sequence[str] | None) -> tuple[list[str | None], np.ndarray]:
    """The names, None at the end, and where among them each customer is."""
    found = set(names.tolist()) - {None}
    known = [*(order or ()), *sorted(found - set(order or ())), None]
    place_of = {name: place for place, name in enumerate(known)}
    return known, np.array([place_of[name] for name in names.tolist()], dtype=np.int64)


def _sums(columns: Columns, name: str, place: np.ndarray, groups: int) -> np.ndarray:
    return np.bincount(place, np.nan_to_num(number(columns, name, place.size)), minlength=groups)

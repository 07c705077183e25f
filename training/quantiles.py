"""The 10 % and 90 % quantiles of a value that is often 0: inf{v: F(v) >= q}, held to their promise on a later date.

A customer stays away with probability 1 - p, and then brings 0; else what they bring spreads around the expected amount as the
ratios seen out of time did, apart for groups of customers who are more or less likely to buy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.arrays import Floats, Ints

LOW, HIGH = 0.1, 0.9
GROUP_ROWS = 300
"""Active rows that a group needs to have a spread of its own."""

MOST_GROUPS = 5
GRID = np.linspace(0, 1, 201)
LEVELS = np.linspace(0.5, 0.995, 100)

LEAST_RATIO = 1e-3
"""Where refunds eat the purchases the ratio to the expected amount counts as this."""


@dataclass(frozen=True)
class Spread:
    """`ratios`: for each group of customers, value over expected amount at the levels of GRID; groups end at `edges` of p.

    `high_levels` (one a group) are the levels that keep the promise of 90 %, found on forecasts made out of time.
    """

    edges: tuple[float, ...]
    ratios: tuple[tuple[float, ...], ...]
    high_levels: tuple[float, ...]

    def quantiles(self, active_probability: Floats, amount: Floats) -> tuple[Floats, Floats]:
        """The low and the high quantile (n,), ordered, at least 0."""
        group = np.searchsorted(np.array(self.edges), active_probability)
        low = self.at_level(LOW, group, active_probability, amount)
        high = self.at_level(np.array(self.high_levels)[group], group, active_probability, amount)
        return np.minimum(low, high), high

    def at_level(self, level: Floats | float, group: Ints, active: Floats, amount: Floats) -> Floats:
        """The quantile (n,) at a level, for customers of the given groups."""
        inside = (level - (1 - active)) / active
        ratio = np.zeros(len(active))
        for each, ratios in enumerate(self.ratios):
            ratio[group == each] = np.interp(inside[group == each], GRID, ratios)
        return np.where(inside > 0, ratio * amount, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Spread:
        """Read what `to_dict` wrote."""
        ratios = tuple(tuple(group) for group in values["ratios"])
        return cls(tuple(values["edges"]), ratios, tuple(values["high_levels"]))


DEFAULT_RATIOS = tuple(
    map(float, np.exp(np.interp(GRID, (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), (-3, -1.6, -0.9, -0.25, 0.4, 0.95, 2.3))))
)
"""A log-normal-like spread, for a company without a single labelled date."""


DEFAULT_SPREAD = Spread((), (DEFAULT_RATIOS,), (HIGH,))


def fit_spread(active_probability: Floats, amount: Floats, value: Floats, churned: Floats) -> Spread:
    """Learn the spread from forecasts made out of time and what came; arrays (n,)."""
    bought = churned == 0
    groups = min(MOST_GROUPS, int(bought.sum()) // GROUP_ROWS)
    if groups == 0 and bought.sum() < 20:
        return DEFAULT_SPREAD
    levels = np.linspace(0, 1, max(groups, 1) + 1)[1:-1]
    # Edges are forecasts of buyers, and some buyers lie above the last one: no group is empty where many forecasts are alike.
    edges = np.unique(np.quantile(active_probability[bought], levels, method="lower"))
    edges = edges[edges < active_probability[bought].max()]
    group = np.searchsorted(edges, active_probability)
    ratio = np.maximum(value / amount, LEAST_RATIO)
    ratios = [tuple(map(float, np.quantile(ratio[bought & (group == each)], GRID))) for each in range(len(edges) + 1)]
    plain = Spread(tuple(map(float, edges)), tuple(ratios), (HIGH,) * len(ratios))
    held = [
        _held_level(plain, each, active_probability[group == each], amount[group == each], value[group == each])
        for each in range(len(ratios))
    ]
    return Spread(plain.edges, plain.ratios, tuple(held))


def _held_level(spread: Spread, group: int, active: Floats, amount: Floats, value: Floats) -> float:
    """The lowest level of a group whose quantile is exceeded no more often than promised; arrays of the group's rows."""
    promised = np.minimum(active, 1 - HIGH).mean()
    place = np.full(len(active), group)
    for level in LEVELS:
        if (value > spread.at_level(level, place, active, amount)).mean() <= promised:
            return float(level)
    return float(LEVELS[-1])

"""Promised churn against what came, drawn: customers of like risk as dots, on the diagonal where promises are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from decisions.reviews.figures import Between
from serving.console import format as show
from serving.console.text import t

SIZE = 240
"""Pixels of each side of the square."""

_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Group:
    """Customers of like risk: the mean that was promised, and the share that left with its bounds."""

    customers: int
    promised: float
    came: Between


@dataclass(frozen=True)
class Dot:
    """A group as drawn, in pixels from the upper left; `low` and `high` are the ends of its bounds, `says` its words."""

    x: float
    y: float
    low: float
    high: float
    says: str


@dataclass(frozen=True)
class Calibration:
    """The square from nothing to `most` on both sides."""

    size: int
    most: str
    dots: tuple[Dot, ...]


def calibration_chart(groups: Sequence[Group]) -> Calibration | None:
    """The chart; None without groups."""
    if not groups:
        return None
    reach = max(max(each.promised, each.came.high) for each in groups)
    most = next((step for step in _STEPS if reach <= step), ceil(reach))
    return Calibration(SIZE, show.percent(most), tuple(_dot(each, most) for each in groups))


def _dot(group: Group, most: float) -> Dot:
    says = t(
        "calibration.says",
        customers=show.number(group.customers),
        promised=show.percent(group.promised),
        came=show.percent(group.came.value),
    )
    y, low, high = (round(SIZE * (1 - share / most), 1) for share in (group.came.value, group.came.low, group.came.high))
    return Dot(round(SIZE * group.promised / most, 1), y, low, high, says)

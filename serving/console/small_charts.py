"""Small drawings beside a figure: how it went so far, and where it stands among others. Places are in percent of the width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from decisions.columns import Floats
from serving.console.charts import Span

LINE_HEIGHT = 44
"""Pixels of a line; its points keep MARGIN from the edges, so that no dot is cut."""

MARGIN = 6
BARS = 24
BARS_HEIGHT = 36
_TAILS = (0.5, 99.5)  # a single giant would press all others into the first bar


@dataclass(frozen=True)
class Point:
    """One value: `x` in percent, `y` in pixels from the top, and what it says."""

    x: str
    y: float
    says: str


@dataclass(frozen=True)
class Stroke:
    """A piece of the line between two points."""

    x1: str
    y1: float
    x2: str
    y2: float


@dataclass(frozen=True)
class Line:
    """A line through points; the last one is the value of now."""

    points: tuple[Point, ...]
    strokes: tuple[Stroke, ...]
    height: int = LINE_HEIGHT


@dataclass(frozen=True)
class Heights:
    """How many others have about which value, as bars (`y` from the top, `height`, in pixels), and where one stands: `mark`."""

    bars: tuple[tuple[Span, float, float], ...]
    mark: str
    height: int = BARS_HEIGHT


def line(values: Sequence[tuple[float, float, str]]) -> Line | None:
    """A line through (place, value, words), places in any unit and order of time; None for fewer than two points.

    Values are shares of one: the line says how high, not only whether up or down.
    """
    if len(values) < 2:
        return None
    first, last = values[0][0], values[-1][0]
    points = tuple(Point(f"{2 + 96 * (at - first) / (last - first):.2f}%", _height_at(value), says) for at, value, says in values)
    return Line(points, tuple(Stroke(a.x, a.y, b.x, b.y) for a, b in pairwise(points)))


def heights(values: Sequence[float] | Floats, own: float) -> Heights | None:
    """The distribution of `values` and the place of `own` in it; None where all are alike or none is known.

    >>> heights([1.0, 1.0], 1.0) is None, heights([1.0, 2.0, 3.0], 3.0).mark
    (True, '98.00%')
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not known.size or known.min() == known.max():
        return None
    low, high = np.percentile(known, _TAILS) if known.size > 200 else (known.min(), known.max())
    if low == high:
        low, high = known.min(), known.max()
    counts = np.histogram(known.clip(low, high), bins=BARS, range=(low, high))[0]
    tall = BARS_HEIGHT * counts / counts.max()
    width = 100 / BARS
    bars = tuple(
        (Span(f"{place * width:.2f}%", f"{0.86 * width:.2f}%"), round(BARS_HEIGHT - each, 1), round(each, 1))
        for place, each in enumerate(tall.tolist())
        if each
    )
    inside = min(max(own, low), high)  # before the division, which could overflow
    return Heights(bars, f"{2 + 96 * (inside - low) / (high - low):.2f}%")


def _height_at(share: float) -> float:
    return round(MARGIN + (1 - min(1.0, max(0.0, share))) * (LINE_HEIGHT - 2 * MARGIN), 1)

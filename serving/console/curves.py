"""The geometry of curves over two scales; `templates/_curves.html` draws them as SVG.

All places are percentages of a box whose corner is at the bottom left, so that a curve fits any screen and its words keep their
size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TICKS = 4
"""About how many lines a scale has."""


@dataclass(frozen=True)
class Tick:
    """A line of a scale with its name; `place` in percent, from the left or from the top."""

    place: str
    name: str


@dataclass(frozen=True)
class Dot:
    """A point that stands out, with what it says when pointed at."""

    x: str
    y: str
    says: str


@dataclass(frozen=True)
class Curve:
    """`line` holds the corners of a line in a box of 100 by 100, `ground` those of the area below it; `says` tells all of it."""

    line: str
    ground: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    dots: tuple[Dot, ...]
    says: str


Name = Callable[[float], str]


def curve(
    x: Sequence[float], y: Sequence[float], *, named: tuple[Name, Name], says: str, dots: Sequence[tuple[float, float, str]] = ()
) -> Curve | None:
    """A rising curve from the corner, both scales from 0; None where there is nothing to draw.

    `named` writes the figures of the scales, `dots` are points (x, y, words) that stand out.
    """
    right, top = max(x, default=0.0), max([*y, *(dot[1] for dot in dots)], default=0.0)
    if not (right > 0 and top > 0):
        return None
    corners = [f"{100 * a / right:.2f},{100 - 100 * b / top:.2f}" for a, b in zip(x, y, strict=True)]
    return Curve(
        line=" ".join(corners),
        ground=" ".join([f"{100 * x[0] / right:.2f},100", *corners, f"{100 * x[-1] / right:.2f},100"]),
        across=tuple(Tick(_at(each / right), named[0](each)) for each in steps(right) if each <= 0.93 * right),
        up=tuple(Tick(_at(1 - each / top), named[1](each)) for each in steps(top) if 0 < each <= 0.93 * top),
        dots=tuple(Dot(_at(min(a / right, 1.0)), _at(1 - b / top), words) for a, b, words in dots),
        says=says,
    )


def steps(most: float) -> list[float]:
    """Round figures from 0 up to `most`, few enough to be read.

    >>> steps(9200.0), steps(1.0)
    ([0.0, 2000.0, 4000.0, 6000.0, 8000.0], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    unit = 10.0 ** math.floor(math.log10(most / TICKS))
    step = next(factor * unit for factor in (1, 2, 5, 10) if most / (factor * unit) <= TICKS + 1)
    return [round(index * step, 10) for index in range(int(most / step + 1e-9) + 1)]


def _at(share: float) -> str:
    return f"{100 * share:.2f}%"

"""How figures and grades are said in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from training.metrics.intervals import Interval

GRADES: Mapping[str, str] = {
    "A": "surely and clearly better than every simple rival",
    "B": "surely better than every simple rival",
    "C": "not surely better than the best simple rival",
    "D": "surely worse than a simple rival, which therefore is the model",
}


def number_text(value: object, digits: int = 4) -> str:
    """A number with the digits that count; anything else as it is; a dash where nothing is known.

    >>> number_text(1234567.0), number_text(0.01234567), number_text(float("nan")), number_text(3)
    ('1,234,567', '0.01235', '-', '3')
    """
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def interval_text(interval: Interval | None) -> str:
    """A figure with its bounds.

    >>> interval_text(Interval(0.8, 0.75, 0.85))
    '0.8 [0.75, 0.85]'
    """
    if interval is None:
        return ""
    if np.isnan(interval.value):
        return "-"
    return "{} [{}, {}]".format(*(number_text(each, 3) for each in (interval.value, interval.low, interval.high)))


def counted(count: int, one: str, many: str = "") -> str:
    """How many there are of what.

    >>> counted(1, "date"), counted(1200, "date"), counted(2, "date was", "dates were")
    ('1 date', '1,200 dates', '2 dates were')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def sentence(words: str) -> str:
    """Words with a capital letter and a full stop.

    >>> sentence("no worse than the champion")
    'No worse than the champion.'
    """
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"

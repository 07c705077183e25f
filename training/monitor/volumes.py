"""How many rows came of late, and how long nothing came: against what is usual for the table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.arrays import Ints
from training.monitor.usual import Usual

WINDOW_DAYS = 28
"""Whole weeks, so that weekdays weigh alike."""

MOST_WINDOWS, LEAST_WINDOWS = 13, 3
"""Windows before the one compared with that say what is usual: a year of them; no judgement with fewer than three."""

VOLUME_FACTOR, CHANCE_DEVIATIONS = 1.5, 4.0
"""A change that matters, and the standard deviations of counts that are no chance; it must be more than usual, too."""

LEAST_SILENCE_DAYS, SILENCE_FACTOR = 3, 2
"""A table is silent when nothing came for twice its longest gap of a year, and for more than three days."""

YEAR_DAYS = 365


def window_counts(days: Ints, as_of_day: int) -> Ints:
    """Rows of the days (n,) by window before `as_of_day`, the newest first, back to the oldest whole one.

    >>> window_counts(np.array([0, 10, 40, 55]), as_of_day=56)
    array([2, 2])
    """
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    whole = (as_of_day - int(days.min())) // WINDOW_DAYS
    back = (as_of_day - 1 - days) // WINDOW_DAYS
    return np.bincount(back, minlength=whole)[:whole].astype(np.int64)


def silence(days: Ints, as_of_day: int) -> tuple[int | None, int | None]:
    """Days without an event until now, and the longest such time of the year before; None where that takes more events.

    >>> silence(np.array([10, 11, 15]), as_of_day=20)
    (4, 3)
    """
    different = np.unique(days[days >= as_of_day - YEAR_DAYS])
    if not len(different):
        return None, None
    gaps = np.diff(different) - 1
    return as_of_day - 1 - int(different[-1]), int(gaps.max()) if len(gaps) else None


def volume_troubles(windows: Ints, since_training: int) -> Iterator[str]:
    """The newest window against the one before it, and against the one `since_training` windows earlier."""
    for back in sorted({1, max(1, since_training)}):
        past = windows[back : back + MOST_WINDOWS + 1]
        if len(past) > LEAST_WINDOWS and _is_unusual(int(windows[0]), past, back):
            when = f"in the {WINDOW_DAYS} before" if back == 1 else f"in as many at training, {back * WINDOW_DAYS} days earlier"
            yield f"{int(windows[0]):,} rows in the last {WINDOW_DAYS} days, {int(past[0]):,} {when}"


def silence_troubles(silent: int | None, longest: int | None) -> Iterator[str]:
    """A time without events that is much longer than any before."""
    if silent is not None and longest is not None and silent > max(LEAST_SILENCE_DAYS, SILENCE_FACTOR * longest):
        yield f"nothing for {silent} days; the longest gap of the year before was {longest} days"


def _is_unusual(newest: int, past: Ints, back: int) -> bool:
    """Whether the newest count differs from the first of the `past` ones by more than matters, chance and what is usual."""
    logs, then = np.log(past + 0.5), int(past[0])
    usual = Usual(tuple(range(0, len(past) * WINDOW_DAYS, WINDOW_DAYS)), back * WINDOW_DAYS)
    limit = max(np.log(VOLUME_FACTOR), usual.limit(np.abs(logs[:, None] - logs[None, :])))
    by_chance = abs(newest - then) <= CHANCE_DEVIATIONS * np.sqrt(newest + then)
    return bool(abs(np.log(newest + 0.5) - logs[0]) > limit and not by_chance)

"""ISO times of few rows into days and instants without data frames: what `features.reading.times` makes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from features.asof import NEVER_DAY, NEVER_US
from features.reading.times import FIRST_DAY, LAST_DAY

SECOND_US, MINUTE_US, HOUR_US, DAY_US = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000

ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:([T ])[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?)"
    r"(?(2)(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)"
)
"""A day, or a time of day with an offset (the third group) or without."""

AS_ZERO = str.maketrans("123456789", "0" * 9)
NAIVE_SHAPE = re.compile(r"0000-00-00([T ]00:00(:00(\.0{1,6})?)?)?")
"""The same without an offset, every digit as 0."""

Integers: TypeAlias = npt.NDArray[np.int64]


class FewTimes(NamedTuple):
    """`day` int32 (NEVER_DAY = missing) and `us` int64 (NEVER_US = missing), as in `features.reading.times.Times`."""

    day: npt.NDArray[np.int32]
    us: Integers


class Clock(NamedTuple):
    """The clocks of a zone: `offsets` from UTC by period, and the instants at which all periods but the first begin.

    On the clocks themselves each period but the last `ends`, and each `begins`; between the two, clocks skip or repeat.
    """

    instants: Integers
    offsets: Integers
    ends: Integers
    begins: Integers


def read_few_times(values: Sequence[Any], zone: str) -> FewTimes | None:
    """Days in `zone` and instants of ISO texts (None: missing), naive ones local to `zone`.

    None where a value is no such text, or outside the years that tables may hold.

    >>> read_few_times(["1970-01-02", "1970-01-01T23:30-02:00", None], "UTC").day.tolist()
    [1, 1, 2147483647]
    """
    given = [value for value in values if value is not None]
    times = FewTimes(np.full(len(values), NEVER_DAY, dtype=np.int32), np.full(len(values), NEVER_US))
    read = _read(given, zone) if set(map(type, given)) <= {str} else None
    if read is None:
        return None
    present = np.array([value is not None for value in values], dtype=bool) if len(given) < len(values) else slice(None)
    times.day[present], times.us[present] = read
    return times


def _read(texts: Sequence[str], zone: str) -> tuple[Integers, Integers] | None:
    """(day, instant) of texts that are all there."""
    naive, offsets = (texts, []) if _all_naive(texts) else _split(texts)
    try:
        wall = np.array(naive, dtype="datetime64[us]").astype(np.int64)
    except ValueError:  # there is no such day, or no such time of day
        return None
    clock = _clock(zone)
    us = _instants(wall, clock)
    if offsets:
        aware = np.array([offset is not None for offset in offsets], dtype=bool)
        us[aware] = wall[aware] - [_minutes(offset) * MINUTE_US for offset in offsets if offset]
        wall[aware] = us[aware] + clock.offsets[np.searchsorted(clock.instants, us[aware], side="right")]
    day = wall // DAY_US
    inside = len(naive) == len(texts) and (day >= FIRST_DAY).all() and (day <= LAST_DAY).all()
    return (day, us) if inside else None


def _all_naive(texts: Sequence[str]) -> bool:
    """Whether all are days, or times without an offset: told by their few different shapes, as one by one takes longer."""
    joined = "\n".join(texts)
    shapes = set(joined.translate(AS_ZERO).split("\n"))
    return joined.count("\n") == len(texts) - 1 and all(NAIVE_SHAPE.fullmatch(shape) for shape in shapes)


def _split(texts: Sequence[str]) -> tuple[list[str], list[str | None]]:
    """The times and their offsets, of the texts that are such."""
    matches = [match for text in texts if (match := ISO.fullmatch(text))]
    return [match[1] for match in matches], [match[3] for match in matches]


def _minutes(offset: str) -> int:
    """The minutes of Z or +HH:MM."""
    if offset == "Z":
        return 0
    minutes = 60 * int(offset[1:3]) + int(offset[4:])
    return -minutes if offset[0] == "-" else minutes


def _instants(wall: Integers, clock: Clock) -> Integers:
    """The instants of times as clocks show them: of a repeated one the first, of a skipped one that an hour (or a day) later."""
    moved = wall
    for step in (HOUR_US, DAY_US):
        skipped = moved < clock.begins[np.searchsorted(clock.ends, moved, side="right")]
        if not skipped.any():
            break
        moved = np.where(skipped, wall + step, moved)
    return moved - clock.offsets[np.searchsorted(clock.ends, moved, side="right")]


@lru_cache(maxsize=16)
def _clock(zone: str) -> Clock:
    """The clocks of a zone in the years that tables may hold, by the same rules of zones as `features.reading.times` uses.

    Clocks that change twice within one day and come back to what they were are taken not to change.
    """
    days = np.arange(FIRST_DAY - 2, LAST_DAY + 3) * DAY_US
    offsets = _offsets(days, zone)
    changed = np.flatnonzero(offsets[1:] != offsets[:-1])
    before, after = days[changed], days[changed + 1]  # the change lies after the one, and not after the other
    while (after - before > SECOND_US).any():
        middle = (before + after) // (2 * SECOND_US) * SECOND_US
        yet = _offsets(middle, zone) == offsets[changed]
        before, after = np.where(yet, middle, before), np.where(yet, after, middle)
    offsets = offsets[np.append(changed, -1)]
    begins = np.insert(after + offsets[1:], 0, np.iinfo(np.int64).min)
    return Clock(after, offsets, after + offsets[:-1], begins)


def _offsets(instants: Integers, zone: str) -> Integers:
    """By how much the clocks of a zone are ahead of UTC."""
    times = pl.Series(instants).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    return times.dt.replace_time_zone(None).to_physical().to_numpy() - instants

"""The cores of the machine, and work on long arrays spread over them in slices that stay in a core's cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

SLICE_ROWS = 2**17
"""How many rows a slice holds."""

MANY_ROWS = 4 * SLICE_ROWS
"""From here on it pays to spread them: what is done for a block of customers stays on the core that makes the block."""

Item = TypeVar("Item")
Made = TypeVar("Made")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_cores(work: Callable[[Item], Made], items: Iterable[Item], rows: int) -> list[Made]:
    """What `work` makes of each item; side by side where there are so many rows in all that it pays.

    >>> over_cores(abs, [1, -2], rows=2)
    [1, 2]
    """
    if rows < MANY_ROWS:
        return list(map(work, items))
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, items))


def over_slices(work: Callable[[slice], Made], rows: int) -> list[Made]:
    """What `work` makes of neighbouring slices of all rows."""
    return over_cores(work, [slice(first, min(first + SLICE_ROWS, rows)) for first in range(0, rows, SLICE_ROWS)], rows)


def sort_over_cores(values: npt.NDArray[Any]) -> None:
    """Sort an array in place. A long one is first cut at its medians, which takes a tenth of the time that sorting takes.

    >>> values = np.array([3, 1, 2])
    >>> sort_over_cores(values)
    >>> values.tolist()
    [1, 2, 3]
    """
    parts = [values]
    while len(parts) < cores() and len(parts[0]) >= MANY_ROWS:
        parts = [half for part in parts for half in _halves(part)]
    over_cores(np.ndarray.sort, parts, len(values))


def _halves(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both halves of an array in its own memory, after what belongs into the first was moved there."""
    middle = len(values) // 2
    values.partition(middle)
    return values[:middle], values[middle:]

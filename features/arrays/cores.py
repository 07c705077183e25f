"""The cores of the machine, and work on arrays spread over them in slices that stay in a core's cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

SLICE_ROWS = 2**15
"""How many rows a slice holds."""

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slices(rows: int) -> list[slice]:
    """All rows, in neighbouring slices.

    >>> slices(SLICE_ROWS + 1)
    [slice(0, 32768, None), slice(32768, 32769, None)]
    """
    return [slice(first, min(first + SLICE_ROWS, rows)) for first in range(0, rows, SLICE_ROWS)]


def on_all_cores(work: Callable[[T], R], parts: Iterable[T]) -> Sequence[R]:
    """What `work` makes of each part, in their order; on this thread alone where there is one part, or one core."""
    each = list(parts)
    if len(each) < 2 or cores() < 2:
        return [work(one) for one in each]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, each))

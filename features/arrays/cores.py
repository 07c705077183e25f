"""The cores of the machine, and work on long arrays spread over them in slices that stay in a core's cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

SLICE_ROWS = 2**15
"""How many rows a slice holds."""

MANY_SLICES = 16
"""From here on it pays to spread them: what is done for a block of customers stays on the core that makes the block."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_slices(work: Callable[[slice], None], rows: int) -> None:
    """Do `work` for neighbouring slices of all rows."""
    slices = [slice(first, min(first + SLICE_ROWS, rows)) for first in range(0, rows, SLICE_ROWS)]
    if len(slices) < MANY_SLICES:
        for part in slices:
            work(part)
        return
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(work, slices):
            pass  # an error in a slice is raised here

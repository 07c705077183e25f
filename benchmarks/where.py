"""Where the time of a panel goes, seen from outside: every thread's place in the code, many times a second."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

STAGES: Mapping[str, str] = {
    "numbering": "numbering and sorting",
    "ledgers": "numbering and sorting",
    "rows": "views",
    "positions": "windows",
    "aggregates": "windows",
    "blocks": "formulas",
    "panels": "output",
}
"""Module of `features.arrays` -> what it does. Formulas belong to whoever evaluates them: a view's columns to views."""

EVERY_SECONDS = 0.002
EXECUTOR = str(Path("features") / "arrays")


def shares(work: Callable[[], Any]) -> dict[str, float]:
    """Run `work`; the share of each stage in all the time that threads spent in the executor, in order of `STAGES`."""
    seen: Counter[str] = Counter()
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, done), daemon=True)
    watcher.start()
    work()
    done.set()
    watcher.join()
    total = max(sum(seen.values()), 1)
    return {stage: seen[stage] / total for stage in dict.fromkeys(STAGES.values())}


def _watch(seen: Counter[str], done: threading.Event) -> None:
    while not done.is_set():
        for frame in sys._current_frames().values():
            stage = _stage(frame)
            if stage:
                seen[stage] += 1
        time.sleep(EVERY_SECONDS)


def _stage(frame: FrameType | None) -> str | None:
    """The stage of the innermost frame that belongs to one; None for a thread that waits or does something else."""
    if frame and Path(frame.f_code.co_filename).stem in ("threading", "thread", "_base"):
        return None
    while frame:
        file = Path(frame.f_code.co_filename)
        if EXECUTOR in str(file.parent) and file.stem in STAGES:
            return STAGES[file.stem]
        frame = frame.f_back
    return None

"""How often a key may call: one count for all workers of a machine, in a small file that they share.

A limit of n requests a minute is a bucket of n that fills again evenly in a minute: n at once are let through, then one every
60 / n seconds. What is kept of a bucket is one number, the time at which it will be full again.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

log = logging.getLogger("keepwell.serving")

BUCKETS = 4096
MINUTE_S = 60.0

_BUCKET = struct.Struct("<Qd")
"""The id of a key, as a number, and the second at which its bucket is full."""

_NEIGHBOURS = 16


class RateLimits:
    """The buckets of all keys, in the file at `path`; `seconds` is a clock that all processes of the machine share.

    Where there can be no such file, each worker counts for itself, and the log says so.

    >>> import tempfile
    >>> limits = RateLimits(Path(tempfile.mkdtemp()) / "limits", seconds=lambda: 1000.0)
    >>> [limits.wait_s("00000000000000aa", 2) for _ in range(3)]
    [0, 0, 30]
    """

    def __init__(self, path: Path, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._file, self._buckets = _open(path)

    def wait_s(self, key_id: str, requests_per_minute: int) -> int:
        """Take one request out of a key's bucket: 0, or how many seconds to wait where the bucket is empty."""
        number, step = int(key_id, 16), MINUTE_S / requests_per_minute
        with self._locked():
            now = self._seconds()
            place, full_at = self._find(number, now)
            full_at = max(full_at, now) + step
            if full_at - now > MINUTE_S + 1e-6:  # no room in the minute; the small number is the float's own
                return ceil(full_at - now - MINUTE_S)
            _BUCKET.pack_into(self._buckets, place, number, full_at)
        return 0

    def _find(self, number: int, now: float) -> tuple[int, float]:
        """Where a key's bucket is, and when it is full; of a key that has none, the first place that tells nothing any more."""
        free = None
        for place in _places(number):
            owner, full_at = _BUCKET.unpack_from(self._buckets, place)
            tells = now < full_at <= now + MINUTE_S  # a later time is of before the machine was started again
            if owner == number:
                return place, full_at if tells else now
            if free is None and not tells:
                free = place
        return free if free is not None else next(_places(number)), now

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The system lets go of the lock of a process that dies."""
        if self._file is None:
            yield
            return
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def _places(number: int) -> Iterator[int]:
    return ((number + step) % BUCKETS * _BUCKET.size for step in range(_NEIGHBOURS))


def _open(path: Path) -> tuple[int | None, mmap.mmap]:
    size = BUCKETS * _BUCKET.size
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.truncate(file, size)
        return file, mmap.mmap(file, size)
    except OSError as error:
        log.warning("limits a minute are those of each worker: %s", error)
        return None, mmap.mmap(-1, size)

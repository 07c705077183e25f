"""What takes longer than a page may: worked out beside the requests, one after the other, and kept for whoever asks again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any

from keepwell.errors import RequestError

KEPT = 24
"""Results that are kept; the oldest beyond are forgotten, and worked out anew when asked for."""

MOST_WAITING = 6


class Background:
    """One thread, begun with the first errand; an errand is known by its key."""

    def __init__(self) -> None:
        self._lock, self._pool = Lock(), ThreadPoolExecutor(max_workers=1, thread_name_prefix="console")
        self._errands: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def ask(self, key: Hashable, work: Callable[[], Any], *, wait_s: float) -> Future[Any]:
        """The errand of a key, begun if it is new, after at most `wait_s`: the caller looks whether it is done.

        One that failed can be asked for anew. RequestError where too many wait already.
        """
        with self._lock:
            errand = self._errands.get(key)
            if errand is None or (errand.done() and errand.exception() is not None):
                self._refuse_many()
                errand = self._errands[key] = self._pool.submit(work)
                while len(self._errands) > KEPT:
                    self._errands.popitem(last=False)
        wait([errand], wait_s)
        return errand

    def known(self, key: Hashable) -> Future[Any] | None:
        """The errand of a key, if somebody has asked for it."""
        with self._lock:
            return self._errands.get(key)

    def forget(self, key: Hashable) -> None:
        """Let an errand that is over be worked out anew by whoever asks next."""
        with self._lock:
            errand = self._errands.get(key)
            if errand is not None and errand.done():
                del self._errands[key]

    def _refuse_many(self) -> None:
        if sum(not errand.done() for errand in self._errands.values()) >= MOST_WAITING:
            hint = "wait until some of it is done, and reload the page"
            raise RequestError("too much is being worked out already", hint=hint, status=429, code="too_many_errands")

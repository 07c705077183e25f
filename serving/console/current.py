"""Which scores the pages show: new ones as soon as their list of customers is read, so that nobody has to wait for that.

Reading the list of a million customers takes seconds. Until it is done, whoever is at work goes on with the scores before, which
the store keeps. The first visitor after a pause waits instead: they have seen nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from serving.console.background import Background
from serving.store import Load, Store

AT_ONCE = 20_000
"""Lists of up to so many customers are read at once: that takes no time."""

SOON_S, PATIENT_S = 0.2, 10.0
"""How long a page waits for new scores: while somebody is at work, and after a pause."""

PAUSE = timedelta(minutes=5)


class Current:
    """The load that is shown by one process; `read` brings all that its pages need into memory."""

    def __init__(self, read: Callable[[Store, Load], None]) -> None:
        self._read, self._reading, self._lock = read, Background(), Lock()
        self._shown: Load | None = None
        self._asked_at: datetime | None = None

    def load(self, store: Store, newest: Load | None, at: datetime) -> Load | None:
        """The load to show at the instant `at`, where `newest` is the store's: this one, or for some seconds the one before."""
        with self._lock:
            shown, wait_s = self._shown, SOON_S if self._asked_at and at - self._asked_at < PAUSE else PATIENT_S
            self._asked_at = at
        if shown is not None and newest is not None and not self._is_read(store, shown, newest, wait_s):
            return shown
        with self._lock:
            self._shown = newest
        return newest

    def _is_read(self, store: Store, shown: Load, newest: Load, wait_s: float) -> bool:
        """Whether pages may show the newest load: it is read, or there is nothing else to show."""
        if newest.id == shown.id or newest.customers <= AT_ONCE:
            return True
        errand = self._reading.ask(newest.id, lambda: self._read(store, newest), wait_s=wait_s)
        return errand.done() or shown.id not in {load.id for load in store.loads()}

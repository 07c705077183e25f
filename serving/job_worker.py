"""Keeping a claimed job: beats while it runs, where it is, and the word to stop when it is no longer ours."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from keepwell.errors import DataError, HistoryError, KeepwellError, ModelError, RequestError, StoreError
from serving.store.jobs import Job, Jobs

log = logging.getLogger("keepwell.jobs")

BEAT_S = 10.0
LOOK_S = 1.0
"""How often a worker looks whether its job was cancelled."""

_CODES: dict[type[KeepwellError], str] = {
    DataError: "bad_data",
    HistoryError: "no_history",
    ModelError: "no_model",
    StoreError: "no_store",
}


class JobProgress:
    """Progress that goes into the store: each step begun, and how many are done."""

    def __init__(self, jobs: Jobs, job: Job) -> None:
        self._jobs, self._job, self._done = jobs, job, 0

    @contextmanager
    def step(self, title: str, /) -> Iterator[None]:
        """Note the step, then that it is done."""
        self._jobs.tell(self._job, step=title[:100])
        yield
        self._done += 1
        self._jobs.tell(self._job, steps_done=self._done)

    def count(self, done: int, total: int) -> None:
        """Parts of a step are not told: each word is a write."""


@contextmanager
def kept(jobs: Jobs, job: Job, now: Callable[[], datetime]) -> Iterator[threading.Event]:
    """Beat while the block runs. Yields the event `lost`: set, and the process told to end, once the job is ours no more."""
    lost, over = threading.Event(), threading.Event()

    def watch() -> None:
        beaten = now()
        while not over.wait(LOOK_S):
            try:
                mine = jobs.still_mine(job)
                if mine and (now() - beaten).total_seconds() >= BEAT_S:
                    mine, beaten = jobs.beat(job, now()), now()
            except StoreError as error:  # away for a while: the job goes on
                log.warning("the job cannot be told of: %s", error.message)
                continue
            if not mine and not over.is_set():
                lost.set()
                os.kill(os.getpid(), signal.SIGTERM)
                return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield lost
    finally:
        over.set()
        watching.join()


def error_of(error: Exception) -> dict[str, str]:
    """Why a job failed, for whoever asked for it; of a fault of ours only that it is one."""
    if isinstance(error, KeepwellError):
        known = error.code if isinstance(error, RequestError) else _CODES.get(type(error), "failed")
        return {"code": known, "message": error.message, "hint": error.hint}
    if isinstance(error, OSError):
        return {"code": "no_room", "message": str(error.strerror or error), "hint": "see that there is room in KEEPWELL_HOME"}
    log.error("a job failed", exc_info=error)
    return {"code": "internal_error", "message": "something went wrong on our side", "hint": "the server's log says more"}

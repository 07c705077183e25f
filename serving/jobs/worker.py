"""Keeping a claimed job: beats while it runs, how far it is, and the word to stop when it is no longer ours."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

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


class Ending:
    """Why a worker must stop: its job is not its own any more (`lost`), or the process was told to end (`told`)."""

    def __init__(self) -> None:
        self.lost, self.told = threading.Event(), threading.Event()

    def require_none(self) -> None:
        """Raise KeyboardInterrupt where the worker must stop: a library may have swallowed the one that said so first."""
        if self.lost.is_set() or self.told.is_set():
            raise KeyboardInterrupt

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """What a signal does."""
        if not self.lost.is_set():
            self.told.set()
        raise KeyboardInterrupt


class JobProgress:
    """Progress that goes into the store: each step begun, and how many are done. KeyboardInterrupt where work must stop."""

    def __init__(self, jobs: Jobs, job: Job, ending: Ending) -> None:
        self._jobs, self._job, self._ending, self._done = jobs, job, ending, 0

    @contextmanager
    def step(self, title: str, /) -> Iterator[None]:
        """Note the step, then that it is done."""
        self._tell(step=title[:100])
        yield
        self._done += 1
        self._tell(steps_done=self._done)

    def count(self, done: int, total: int) -> None:
        """Parts of a step are not told: each word is a write."""

    def _tell(self, **progress: str | int) -> None:
        if not self._jobs.tell(self._job, **progress):
            self._ending.lost.set()
        self._ending.require_none()


@contextmanager
def kept(jobs: Jobs, job: Job, now: Callable[[], datetime], ending: Ending) -> Iterator[None]:
    """Beat while the block runs, and interrupt it once the job is lost or the process is told to end. For the main thread."""
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(jobs, job, now, ending, over), daemon=True)
    before = {each: signal.signal(each, ending.interrupt) for each in (signal.SIGTERM, signal.SIGINT)}
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        for each, handler in before.items():
            signal.signal(each, handler)


def _watch(jobs: Jobs, job: Job, now: Callable[[], datetime], ending: Ending, over: threading.Event) -> None:
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
            ending.lost.set()
            os.kill(os.getpid(), signal.SIGTERM)
            return


def error_of(error: BaseException) -> dict[str, str]:
    """Why a job failed, for whoever asked for it; of a fault of ours only that it is one."""
    if isinstance(error, KeepwellError):
        known = error.code if isinstance(error, RequestError) else _CODES.get(type(error), "failed")
        return {"code": known, "message": error.message, "hint": error.hint}
    if isinstance(error, OSError):
        return {"code": "no_room", "message": str(error.strerror or error), "hint": "see that there is room in KEEPWELL_HOME"}
    log.error("a job failed", exc_info=error)
    return {"code": "internal_error", "message": "something went wrong on our side", "hint": "the server's log says more"}

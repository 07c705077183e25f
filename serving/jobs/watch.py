"""Running jobs beside the service: when one waits, a child process of its own takes it.

What a job needs of memory and processor is so never the service's, and a job that dies takes nothing with it. The child is
`keepwell jobs run`: it claims, beats and finishes by itself, so it goes on where the service is killed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from keepwell.errors import StoreError
from keepwell.settings import Settings
from serving.store.jobs import Jobs, worker_name

log = logging.getLogger("keepwell.jobs")

LOOK_S = 2.0
REST_S = 30.0
"""After a child that failed, the next one begins that much later."""

LONGEST_STOP_S = 10.0
_CODE = Path(__file__).parents[2]
"""Where the packages of Keepwell lie."""


class JobWatch:
    """Looks after the jobs of a store from one worker of the service; each worker has its own, and one wins each job."""

    def __init__(self, jobs: Jobs, settings: Settings, now: Callable[[], datetime]) -> None:
        self._jobs, self._settings, self._now = jobs, settings, now
        self._child: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            went_well = await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_S if went_well else REST_S)

    def look(self) -> bool:
        """Start a child where a job waits and none of ours runs; False when the last one failed, or the store is away."""
        try:
            return self._look()
        except StoreError as error:
            log.warning("jobs wait: %s", error.message)
            return False

    def close(self) -> None:
        """End the child: its job waits again, for whoever comes next."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(LONGEST_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        with suppress(StoreError):  # the next look of anybody finds the dead
            self._jobs.leave(worker_name(self._child.pid), self._now())

    def _look(self) -> bool:
        child, code = self._child, None if self._child is None else self._child.poll()
        if child is not None:
            if code is None:
                return True
            self._jobs.leave(worker_name(child.pid), self._now())
            self._child = None
            if code != 0:
                log.warning("the worker of a job ended with code %d", code)
                return False
        if self._jobs.may_begin(self._now()):
            self._child = self._begin()
        return True

    def _begin(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "cli", "jobs", "run"]
        paths = os.pathsep.join(filter(None, (str(_CODE), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, **self._settings.to_environment(), "PYTHONPATH": paths}
        return subprocess.Popen(words, env=environment, cwd=self._settings.home_path, stdin=subprocess.DEVNULL)  # noqa: S603  # our own words

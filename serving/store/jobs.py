"""Jobs in the store: asked for, claimed by one worker at a time, told how far they are, finished.

A claim is one writing transaction, and writers of a store come one after the other, so no two workers win the same job; while a
job runs, no other one begins. A worker beats while it runs; whoever has been silent for long is dead, and its job is taken
again. All changes of a running job are made only while that attempt still holds it: who lost a job cannot finish it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, select, update

from serving.store.engine import WRITER_WAITS_S, reading, writing
from serving.store.job_schema import jobs

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = ("queued", "running", "done", "failed", "cancelled")

SILENT_S = WRITER_WAITS_S
"""A beat may wait that long behind a large load; a worker that is silent for longer is dead."""

MOST_ATTEMPTS = 3
KEPT_JOBS = 100
"""Finished jobs that are kept, with their results; the oldest beyond are removed."""

DIED = {
    "code": "worker_died",
    "message": f"the worker ended {MOST_ATTEMPTS} times before the job was done",
    "hint": "the machine may lack memory: score with `keepwell score` where there is more, and look at the service's log",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are instants in UTC; `error` has code, message and hint; `customers` is None until they are counted."""

    id: str
    kind: str
    company: str
    state: str
    request: Mapping[str, Any]
    request_key: str | None
    created_at: datetime
    created_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    step: str | None
    steps_done: int
    customers: int | None
    model_version: str | None
    result: str | None
    error: Mapping[str, str] | None


_COLUMNS = [jobs.c[each.name] for each in fields(Job)]


class Jobs:
    """The jobs of a store. Every method raises StoreError when the store cannot be used; nothing here reads the clock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        job_id: str,
        kind: str,
        company: str,
        request: Mapping[str, Any],
        *,
        at: datetime,
        request_key: str | None = None,
        by: str | None = None,
    ) -> Job:
        """Queue a job; where `request_key` has been used by the company before, the job of then is the answer."""
        values = {"id": job_id, "kind": kind, "company": company, "request": dict(request), "request_key": request_key}
        with writing(self._engine) as connection:
            if request_key is not None:
                same = and_(jobs.c.company == company, jobs.c.request_key == request_key)
                if (known := _first(connection, same)) is not None:
                    return known
            more = {"state": QUEUED, "created_at": at, "created_by": by, "attempts": 0, "steps_done": 0}
            connection.execute(insert(jobs).values(**values, **more))
            return _require(connection, job_id)

    def get(self, job_id: str) -> Job | None:
        """The job of an id; None where there is none."""
        with reading(self._engine) as connection:
            return _first(connection, jobs.c.id == job_id)

    def newest(self, limit: int = 20) -> tuple[Job, ...]:
        """The jobs asked for last, newest first."""
        query = select(*_COLUMNS).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
        with reading(self._engine) as connection:
            return tuple(_job(row) for row in connection.execute(query).mappings())

    def waiting(self) -> int:
        """How many jobs wait."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).where(jobs.c.state == QUEUED)) or 0

    def may_begin(self, at: datetime) -> bool:
        """Whether a claim would be worth it: something waits or was left by the dead, and nothing runs. A cheap look."""
        with reading(self._engine) as connection:
            running, claimable = _standing(connection, at)
        return claimable and not running

    def claim(self, worker: str, at: datetime) -> Job | None:
        """Take the oldest job that waits, or that a dead worker left; None while another runs, and when there is none.

        A job that killed MOST_ATTEMPTS workers has failed.
        """
        with writing(self._engine) as connection:
            _bury(connection, at)
            running, claimable = _standing(connection, at)
            if running or not claimable:
                return None
            waiting = select(jobs.c.id).where(jobs.c.state == QUEUED).order_by(jobs.c.created_at, jobs.c.id).limit(1)
            job_id = connection.scalars(waiting).one()
            taken = {"state": RUNNING, "worker": worker, "started_at": at, "heartbeat_at": at, "steps_done": 0, "step": None}
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(**taken, attempts=jobs.c.attempts + 1))
            return _require(connection, job_id)

    def beat(self, job: Job, at: datetime) -> bool:
        """Say that the job is being worked at; whether it is still this attempt's: it was cancelled, or taken, if not."""
        return self._change(job, heartbeat_at=at)

    def still_mine(self, job: Job) -> bool:
        """The same question without a word: a look that waits for no writer."""
        with reading(self._engine) as connection:
            return connection.scalar(select(jobs.c.id).where(_held(job))) is not None

    def tell(self, job: Job, **progress: Any) -> bool:  # noqa: ANN401  # columns of different types
        """Note how far the job is: step, steps_done, customers, model_version. Whether it is still this attempt's."""
        return self._change(job, **progress)

    def finish(self, job: Job, at: datetime, *, result: str) -> bool:
        """The job is done; whether it was still this attempt's to finish."""
        return self._change(job, state=DONE, finished_at=at, result=result, step=None)

    def fail(self, job: Job, at: datetime, error: Mapping[str, str]) -> bool:
        """The job cannot be done, and says why."""
        return self._change(job, state=FAILED, finished_at=at, error=dict(error))

    def put_back(self, job: Job, *, count: bool = False) -> bool:
        """The worker cannot go on: the job waits again, as if this attempt had not been unless it counts."""
        return self._change(job, state=QUEUED, worker=None, step=None, attempts=job.attempts - (not count))

    def leave(self, worker: str, at: datetime) -> None:
        """What a worker that has died was at waits again, or has failed for good."""
        with writing(self._engine) as connection:
            _let_go(connection, jobs.c.worker == worker, at)

    def cancel(self, job_id: str, at: datetime) -> Job | None:
        """End a job that waits or runs; its worker stops within seconds. What is over stays as it is. None: no such job."""
        with writing(self._engine) as connection:
            open_still = and_(jobs.c.id == job_id, jobs.c.state.in_((QUEUED, RUNNING)))
            connection.execute(update(jobs).where(open_still).values(state=CANCELLED, finished_at=at))
            return _first(connection, jobs.c.id == job_id)

    def prune(self) -> tuple[str, ...]:
        """Remove the oldest finished jobs beyond KEPT_JOBS; their ids, for whoever keeps their results."""
        over = jobs.c.state.in_((DONE, FAILED, CANCELLED))
        order = select(jobs.c.id).where(over).order_by(jobs.c.finished_at.desc(), jobs.c.id)
        with writing(self._engine) as connection:
            ids = tuple(connection.scalars(order.offset(KEPT_JOBS)))
            connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
        return ids

    def _change(self, job: Job, **values: Any) -> bool:  # noqa: ANN401  # columns of different types
        with writing(self._engine) as connection:
            return connection.execute(update(jobs).where(_held(job)).values(**values)).rowcount == 1


def worker_name(process: int | None = None) -> str:
    """A process of this machine, as claims name it; None: the one that asks."""
    return f"{socket.gethostname()[:80]}:{process or os.getpid()}"


def _held(job: Job) -> ColumnElement[bool]:
    """That the attempt still holds its job: each claim counts one up."""
    return and_(jobs.c.id == job.id, jobs.c.state == RUNNING, jobs.c.attempts == job.attempts)


def _standing(connection: Connection, at: datetime) -> tuple[bool, bool]:
    """(whether a living worker runs a job, whether there is a job to claim)."""
    rows = connection.execute(select(jobs.c.state, jobs.c.worker, jobs.c.heartbeat_at).where(jobs.c.state.in_((QUEUED, RUNNING))))
    found = [(row.state, row.state == RUNNING and _lives(row.worker, row.heartbeat_at, at)) for row in rows]
    return any(lives for _, lives in found), any(not lives for _, lives in found)


def _bury(connection: Connection, at: datetime) -> None:
    """Let go of what dead workers hold."""
    running = connection.execute(select(jobs.c.id, jobs.c.worker, jobs.c.heartbeat_at).where(jobs.c.state == RUNNING))
    for row in running.all():
        if not _lives(row.worker, row.heartbeat_at, at):
            _let_go(connection, jobs.c.id == row.id, at)


def _let_go(connection: Connection, which: ColumnElement[bool], at: datetime) -> None:
    abandoned = update(jobs).where(which, jobs.c.state == RUNNING)
    connection.execute(abandoned.where(jobs.c.attempts >= MOST_ATTEMPTS).values(state=FAILED, finished_at=at, error=DIED))
    connection.execute(abandoned.values(state=QUEUED, worker=None, step=None))


def _lives(worker: str, heartbeat_at: datetime, at: datetime) -> bool:
    """Whether a worker beats, and, where it is of this machine, is there at all."""
    machine, _, process = worker.rpartition(":")
    if machine == worker_name().rpartition(":")[0] and not _is_running(int(process)):
        return False
    return at - heartbeat_at < timedelta(seconds=SILENT_S)


def _is_running(process: int) -> bool:
    with suppress(PermissionError):  # it is there, and another user's
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


def _first(connection: Connection, which: ColumnElement[bool]) -> Job | None:
    row = connection.execute(select(*_COLUMNS).where(which)).mappings().first()
    return None if row is None else _job(row)


def _require(connection: Connection, job_id: str) -> Job:
    found = _first(connection, jobs.c.id == job_id)
    assert found is not None, "it was written in this transaction"
    return found


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(**row)

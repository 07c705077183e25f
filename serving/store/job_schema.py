"""The table of jobs that run beside requests: what was asked, how far it is, what came of it."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from serving.store.schema import PERSON_CHARACTERS, UtcDateTime, metadata

# `state` is queued, running, done, failed or cancelled. A worker that runs a job says so by `heartbeat_at`: one that has
# been silent for long is dead, and another takes its job.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("company", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("request", JSON, nullable=False),
    Column("request_key", String(200)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(PERSON_CHARACTERS)),
    Column("started_at", UtcDateTime),
    Column("heartbeat_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("worker", String(100)),
    Column("attempts", Integer, nullable=False),
    Column("step", String(100)),
    Column("steps_done", Integer, nullable=False),
    Column("customers", Integer),
    Column("model_version", String(100)),
    Column("result", Text),
    Column("error", JSON),
)
Index("ix_jobs_state", jobs.c.state, jobs.c.created_at)
Index("ix_jobs_request_key", jobs.c.company, jobs.c.request_key, unique=True)

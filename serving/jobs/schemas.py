"""What the endpoints of jobs take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from serving.endpoints.field_types import Answer, Day, Strict, Text

KEY_CHARACTERS = 200
Key = Annotated[str, StringConstraints(min_length=1, max_length=KEY_CHARACTERS, pattern=r"^[\x21-\x7e]*$")]
JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

JOB_ID_EXAMPLE = "5f0c9f4c0d6f4a0f9d1f6c1c2b7a8e90"
JOB_EXAMPLE = {"data": "shop", "as_of": "2026-01-01", "request_key": "shop-2026-01-01"}


class JobRequest(Strict):
    """Score a company by reference, as `keepwell score` does."""

    kind: Literal["score"] = "score"
    """What to do; there is only this."""
    data: Text = Field(description="A folder of tables or a company.yaml, as a path below the folder KEEPWELL_JOBS_ROOT.")
    as_of: Day | None = Field(
        default=None, description="Only what happened before counts. Left out: the day of the request, in the company's zone."
    )
    horizon_days: Annotated[int, Field(ge=0, le=3660)] | None = Field(
        default=None, description="Left out: the only horizon that has a champion."
    )
    format: Literal["parquet", "csv"] = "parquet"
    """How the scores are written."""
    load: bool = Field(default=True, description="Also make these the scores that the console and /v1/scores show.")
    explain: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(
        default=None, description="Customers that get reasons: those with most at risk. Left out: 20,000."
    )
    allow_hindsight: bool = Field(default=False, description="Allow a model whose labels reach past as_of.")
    request_key: Key | None = Field(
        default=None, description="A word of yours: asked again with the same one, the job of the first time is the answer."
    )


class JobCancel(Strict):
    """End a job."""

    id: JobId
    """Which job."""


class JobAnswer(Answer):
    """A job: what was asked, how far it is, what came of it."""

    id: str
    """What to ask for it by."""
    kind: str
    """What it does."""
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    """How far it is."""
    company: str
    """The company's key."""
    data: str
    """What is scored, as it was asked."""
    as_of: date | None
    """The day that the scores are of; null: not settled yet."""
    created_at: datetime
    """When it was asked for."""
    started_at: datetime | None = Field(description="When the latest attempt began.")
    finished_at: datetime | None
    """When it ended; null: it has not."""
    attempts: int = Field(description="How often a worker has begun; after three that died the job has failed.")
    step: str | None = Field(description="What the worker is at, while it runs.")
    steps_done: int
    """How many steps are behind it."""
    customers: int | None = Field(description="How many were scored; null until they are.")
    model_version: str | None
    """The model that scores; null: none has been chosen yet."""
    error: dict[str, Any] | None = Field(description="Why it failed: code, message, hint.")
    result: str | None = Field(description="Where the scores can be fetched, once it is done.")

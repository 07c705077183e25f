"""Jobs as the service takes them: checked, queued, looked at, cancelled, their results handed out.

A job names its data by a path below one configured folder. What it names is looked at when it is asked for and again before it
is read: nothing outside that folder is ever read, whatever links, `..` or a company.yaml say. No clock, no HTTP.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from pathlib import Path, PurePosixPath

from features.reading.sources import database_tables, read_key, table_places
from keepwell.errors import ConfigError, RequestError
from serving.jobs.schemas import JobAnswer, JobRequest
from serving.store.jobs import DONE, Job, Jobs

MOST_WAITING = 100
"""More jobs than this do not wait: whoever asks for more is told to come again."""

RESULT_PATH = "/v1/jobs/result"
_ID = re.compile(r"[0-9a-f]{32}")


class JobDesk:
    """Takes jobs for one store; `root` (None: no jobs are taken) is the folder of data, `folder` that of results.

    `company` is the only one whose data are taken; None for any.
    """

    def __init__(self, jobs: Jobs, root: Path | None, folder: Path, company: str | None = None) -> None:
        self.jobs, self.root, self.folder, self.company = jobs, root, folder, company

    def submit(self, request: JobRequest, at: datetime, by: str | None = None) -> JobAnswer:
        """Queue a job. Raises RequestError for data that are not below the root, a key used for something else, a full queue."""
        company = self._company_of(request.data)
        if self.jobs.waiting() >= MOST_WAITING:
            hint = "try again when some are done"
            raise RequestError(f"{MOST_WAITING} jobs wait already", hint=hint, status=429, code="too_many_jobs")
        asked = request.model_dump(mode="json", exclude={"request_key", "kind"})
        key = request.request_key
        job = self.jobs.add(uuid.uuid4().hex, request.kind, company, asked, at=at, request_key=key, by=by)
        if job.request != asked:
            raise RequestError(
                f"request_key {key!r} was used for another job",
                hint="use a new key for a new job",
                status=409,
                code="key_used",
                field="request_key",
            )
        return job_answer(job)

    def state(self, job_id: str) -> JobAnswer:
        """How far a job is. RequestError when there is none of that id."""
        return job_answer(self._require(job_id))

    def cancel(self, job_id: str, at: datetime) -> JobAnswer:
        """End a job; one that is over stays as it is. RequestError when there is none of that id."""
        self._require(job_id)
        cancelled = self.jobs.cancel(job_id, at)
        return job_answer(cancelled or self._require(job_id))

    def result(self, job_id: str) -> Path:
        """The file of a job that is done. RequestError while it is not, and where the file is not on this machine."""
        job = self._require(job_id)
        if job.state != DONE or job.result is None:
            hint = "wait until its state is done: GET /v1/jobs?id=..."
            raise RequestError(f"the job is {job.state}", hint=hint, status=409, code="job_not_done")
        file = self.folder / job.result
        if not file.is_file():
            hint = "ask the machine that ran the job, let all of them share KEEPWELL_HOME, or run it again"
            raise RequestError("the result is not on this machine", hint=hint, status=410, code="result_gone")
        return file

    def _require(self, job_id: str) -> Job:
        job = self.jobs.get(job_id) if _ID.fullmatch(job_id) else None
        if job is None:
            hint = "ids come from POST /v1/jobs; jobs that were over long ago are removed"
            raise RequestError("there is no such job", hint=hint, status=404, code="no_job", field="id")
        return job

    def _company_of(self, data: str) -> str:
        """The key of the company at `data`, whose tables all lie below the root."""
        if self.root is None:
            hint = "whoever runs it names the folder of data in KEEPWELL_JOBS_ROOT"
            raise RequestError("this service takes no jobs", hint=hint, status=403, code="jobs_off")
        try:
            key = read_key(place_below(self.root, data))
        except (ConfigError, OSError) as error:  # their words may tell of the machine
            raise _refused("is no folder of tables and no company.yaml that can be read") from error
        if self.company not in (None, key):
            raise _refused(f"belongs to company {key!r}, and this service serves {self.company!r}")
        return key


def place_below(root: Path, data: str) -> Path:
    """The folder or company.yaml that `data` names below `root`, once all that would be read is known to lie there too.

    RequestError otherwise: for a path that leaves the root by `..` or by links, a table that does, and a database.
    """
    parts = PurePosixPath(data).parts
    if not parts or data.startswith("/") or ".." in parts or "\\" in data or "\0" in data:
        raise _refused("must be a path below the folder of data, as shop or shop/company.yaml")
    place, top = _found(root / data), root.resolve()
    if place is None or not place.is_relative_to(top):
        raise _refused("is not there")
    try:
        outside = [table for table in table_places(place) if not _lies_wholly_in(top, table)]
        databases = database_tables(place)
    except (ConfigError, OSError) as error:
        raise _refused("is no folder of tables and no company.yaml that can be read") from error
    if outside or databases:
        raise _refused("names tables that are not files below the folder of data")
    return place


def job_answer(job: Job) -> JobAnswer:
    """A job as the endpoint tells it."""
    told = {name: getattr(job, name) for name in JobAnswer.model_fields if name not in ("data", "as_of", "result")}
    result = f"{RESULT_PATH}?id={job.id}" if job.state == DONE else None
    return JobAnswer(data=job.request["data"], as_of=job.request["as_of"], result=result, **told)


def _found(path: Path) -> Path | None:
    """Where a path leads; None: nowhere, as its name is too long for the system, links go in a circle, or a folder is locked."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: pathlib's word for the circle
        return None


def _lies_wholly_in(top: Path, place: Path) -> bool:
    """Whether a table's file, or every file of its folder, is below `top` when all links are followed."""
    inside = (place, *place.rglob("*")) if place.is_dir() else (place,)
    return all(path.resolve().is_relative_to(top) for path in inside)


def _refused(why: str) -> RequestError:
    hint = "name a folder of tables or a company.yaml below KEEPWELL_JOBS_ROOT"
    return RequestError(f"data {why}", hint=hint, status=422, code="bad_data", field="data")

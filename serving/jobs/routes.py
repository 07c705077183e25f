"""What can be fetched of jobs: how far one is, and its result. To ask for one and to end one are endpoints that take JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from keepwell.errors import RequestError
from serving.endpoints.answers import answer_to
from serving.jobs.desk import RESULT_PATH, JobDesk

JOBS_PATH = "/v1/jobs"
CANCEL_PATH = "/v1/jobs/cancel"
JOB_PATHS = (JOBS_PATH, RESULT_PATH, CANCEL_PATH)

MEDIA_TYPES = {".parquet": "application/vnd.apache.parquet", ".csv": "text/csv; charset=utf-8"}
"""What a result is, by its ending."""


def job_routes(desk: Callable[[], JobDesk]) -> list[Route]:
    """The two routes, on the desk that there is when they are called."""

    def state(job_id: str) -> Response:
        return Response(desk().state(job_id).model_dump_json(), media_type="application/json")

    def result(job_id: str) -> Response:
        file = desk().result(job_id)
        return FileResponse(file, media_type=MEDIA_TYPES[file.suffix], filename=f"{job_id}{file.suffix}")

    return [Route(JOBS_PATH, _answering(state), methods=["GET"]), Route(RESULT_PATH, _answering(result), methods=["GET"])]


def _answering(told: Callable[[str], Response]) -> Callable[[Request], object]:
    """An endpoint that answers to the id in the query; the store is asked in a thread."""

    async def endpoint(request: Request) -> Response:
        try:
            return await asyncio.to_thread(told, _id_in(request))
        except Exception as error:
            return answer_to(error)

    return endpoint


def _id_in(request: Request) -> str:
    ids = request.query_params.getlist("id")
    if len(ids) != 1:
        hint = "ask as ?id=... with the id that POST /v1/jobs gave"
        raise RequestError("the query must name one id", hint=hint, status=422, code="bad_field", field="id")
    return ids[0]

"""The OpenAPI document: every path, every status that can come, and examples that work with the model that answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from keepwell import __version__
from serving.endpoints.answer_schemas import (
    ExplainAnswer,
    ModelAnswer,
    OutcomesAnswer,
    PlanAnswer,
    PredictAnswer,
    ScoresAnswer,
)
from serving.endpoints.error_schemas import ErrorAnswer
from serving.endpoints.examples import histories_example, outcomes_example, plan_example, rows_example, stored_example
from serving.endpoints.model_facts import entries
from serving.endpoints.schemas import (
    MOST_CUSTOMERS,
    ExplainRequest,
    OutcomesRequest,
    PlanRequest,
    PredictRequest,
    PredictRowsRequest,
    ScoresRequest,
)
from serving.jobs.desk import RESULT_PATH
from serving.jobs.routes import CANCEL_PATH, JOBS_PATH, MEDIA_TYPES
from serving.jobs.schemas import JOB_EXAMPLE, JOB_ID_EXAMPLE, JobAnswer, JobCancel, JobRequest

if TYPE_CHECKING:
    from features.definitions import Entry
    from training.registry import ModelInfo

ERRORS = {
    400: "The body is no JSON.",
    401: "A key is needed, and none that is good was sent.",
    403: "The key may not do this, the service takes no such requests, or not under this host name.",
    404: "There is no such job.",
    408: "The body came too slowly.",
    409: "The request_key was used for another job, or the job is not done yet.",
    410: "The result is not on the machine that answers.",
    413: "The body is too large.",
    415: "The content type is not application/json.",
    422: "A field is missing, unknown or wrong; `field` says which.",
    429: "Too many requests of this key, or too many jobs wait; `Retry-After` says when to come again.",
    500: "A fault of the service.",
    503: "No champion or no scores yet, or too much to do; `hint` says what to do, `Retry-After` when to come again.",
    504: "There was no answer in time.",
}
OF_PROBES = (403, 500, 504)
"""What any path may answer."""

OF_CALLS = (*OF_PROBES, 401, 429, 503)
"""What any path may answer that asks who calls."""

OF_BODIES = (*OF_CALLS, 400, 408, 413, 415, 422)
"""What any path may answer that takes a body."""

_FILES = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()}
_JSON, _TEXT = "application/json", "text/plain"
_ERROR_EXAMPLE = {
    "error": {
        "code": "bad_field",
        "message": "Input should be a finite number",
        "field": "customers[0].transactions[3].amount",
        "hint": "see /docs.json for the fields",
    }
}


class Post(NamedTuple):
    """An endpoint that takes JSON and gives JSON; `examples` by title."""

    path: str
    name: str
    summary: str
    request: type[BaseModel]
    answer: type[BaseModel]
    examples: Mapping[str, Any]
    errors: tuple[int, ...] = ()


def openapi(info: ModelInfo | None = None) -> dict[str, Any]:
    """The whole document, as plain JSON values (OpenAPI 3.1); with the features and examples of the model, where there is one."""
    posts = _posts(info)
    modes = [(post.request, "validation") for post in posts] + [(post.answer, "serialization") for post in posts]
    modes += [(model, "serialization") for model in (ModelAnswer, ErrorAnswer)]
    _, schemas = models_json_schema(modes, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # literal modes
    if info:
        for name in ("PredictRowsRequest", "ExplainRequest"):
            schemas["$defs"][name]["properties"]["features"] |= _features_schema(info)
    paths = {post.path: _post(post) for post in posts}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Keepwell",
            "version": __version__,
            "description": "Who will leave, and what each customer will spend.",
        },
        "servers": [{"url": "/"}],
        "paths": {
            **paths,
            JOBS_PATH: paths[JOBS_PATH] | _get_job("How far a job is", "get_job", {_JSON: {"schema": _ref(JobAnswer)}}),
            RESULT_PATH: _get_job("The scores of a job that is done", "job_result", _FILES, 409, 410),
            "/v1/model": _get("The model that answers, and what it reads", "model", {_JSON: {"schema": _ref(ModelAnswer)}}),
            "/livez": _get("Whether the service runs", "livez", {_TEXT: {}}, OF_PROBES),
            "/healthz": _get("The same as /livez", "healthz", {_TEXT: {}}, OF_PROBES),
            "/readyz": _get("Whether there is a champion to predict with", "readyz", {_JSON: {}}, (*OF_PROBES, 503)),
            "/metrics": _get("Metrics for Prometheus", "metrics", {_TEXT: {}}),
            "/docs.json": _get("This document", "docs", {_JSON: {}}),
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "`keepwell keys create` makes one."}},
        },
        "security": [{"key": []}, {}],
    }


def _posts(info: ModelInfo | None) -> tuple[Post, ...]:
    histories, rows, stored = histories_example(info), rows_example(info), stored_example()
    explained = {"a raw history": histories, "a feature row": rows, "customers with batch scores": stored}
    return (
        Post("/v1/predict", "predict", "Predict from raw histories", PredictRequest, PredictAnswer, {"a raw history": histories}),
        Post(
            "/v1/predict_rows",
            "predict_rows",
            "Predict from feature rows",
            PredictRowsRequest,
            PredictAnswer,
            {"a feature row": rows},
        ),
        Post("/v1/explain", "explain", "Explain forecasts", ExplainRequest, ExplainAnswer, explained),
        Post("/v1/scores", "scores", "Look up batch scores by id", ScoresRequest, ScoresAnswer, {"two customers": stored}),
        Post("/v1/plan", "plan", "Plan actions for customers by id", PlanRequest, PlanAnswer, {"a budget": plan_example()}),
        Post(
            "/v1/outcomes",
            "outcomes",
            "Record what happened",
            OutcomesRequest,
            OutcomesAnswer,
            {"a customer who accepted": outcomes_example(info)},
        ),
        Post(JOBS_PATH, "job", "Ask for a batch job", JobRequest, JobAnswer, {"a folder of tables": JOB_EXAMPLE}, (409,)),
        Post(CANCEL_PATH, "cancel_job", "End a batch job", JobCancel, JobAnswer, {"a job": {"id": JOB_ID_EXAMPLE}}, (404,)),
    )


def _features_schema(info: ModelInfo) -> dict[str, Any]:
    """Feature rows of this model: every feature, and no other."""
    columns = {entry.name: _column_schema(entry) for entry in entries(info.feature_names)}
    return {"properties": columns, "required": [*columns], "additionalProperties": False}


def _column_schema(entry: Entry) -> dict[str, Any]:
    bounds = {"minimum": entry.low, "maximum": entry.high}
    number = {"type": "number"} | {name: bound for name, bound in bounds.items() if bound is not None}
    items = {"anyOf": [number, {"type": "null"}]} if entry.missing else number
    return {"type": "array", "items": items, "maxItems": MOST_CUSTOMERS, "description": f"{entry.meaning} ({entry.unit})"}


def _post(post: Post) -> dict[str, Any]:
    examples = {title: {"value": value} for title, value in post.examples.items()}
    body = {"required": True, "content": {_JSON: {"schema": _ref(post.request), "examples": examples}}}
    responses = _responses({_JSON: {"schema": _ref(post.answer)}}, (*OF_BODIES, *post.errors))
    return {"post": {"summary": post.summary, "operationId": post.name, "requestBody": body, "responses": responses}}


def _get(summary: str, name: str, content: dict[str, Any], errors: Collection[int] = OF_CALLS) -> dict[str, Any]:
    return {"get": {"summary": summary, "operationId": name, "responses": _responses(content, errors)}}


def _get_job(summary: str, name: str, content: dict[str, Any], *errors: int) -> dict[str, Any]:
    asked = {"name": "id", "in": "query", "required": True, "schema": {"type": "string"}, "example": JOB_ID_EXAMPLE}
    path = _get(summary, name, content, (*OF_CALLS, 404, 422, *errors))
    return {"get": path["get"] | {"parameters": [asked]}}


def _responses(content: dict[str, Any], errors: Collection[int]) -> dict[str, Any]:
    """What may come: 200 with this content, and each of these errors."""
    good: dict[str, Any] = {"200": {"description": "Done.", "content": content}}
    return good | {str(status): _error(status) for status in sorted(set(errors))}


def _error(status: int) -> dict[str, Any]:
    content = {_JSON: {"schema": _ref(ErrorAnswer), "example": _ERROR_EXAMPLE}}
    wait = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return {"description": ERRORS[status], "content": content} | ({"headers": wait} if status in (429, 503) else {})


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}

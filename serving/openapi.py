"""The OpenAPI document: every path, every status that can come, and examples that work with the model that answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from keepwell import __version__
from serving.answer_schemas import ErrorAnswer, ExplainAnswer, ModelAnswer, PredictAnswer, ScoresAnswer
from serving.examples import histories_example, rows_example, stored_example
from serving.job_routes import CANCEL_PATH, JOBS_PATH, MEDIA_TYPES
from serving.job_schemas import JOB_EXAMPLE, JOB_ID_EXAMPLE, JobAnswer, JobCancel, JobRequest
from serving.jobs import RESULT_PATH
from serving.model_facts import entries
from serving.schemas import MOST_CUSTOMERS, ExplainRequest, PredictRequest, PredictRowsRequest, ScoresRequest

if TYPE_CHECKING:
    from features.definitions import Entry
    from training.registry import ModelInfo

ERRORS = {
    400: "The body is no JSON.",
    413: "The body is too large.",
    415: "The content type is not application/json.",
    422: "A field is missing, unknown or wrong; `field` says which.",
    500: "A fault of the service.",
    503: "No champion or no scores yet, or they cannot be reached; `hint` says what to do.",
    504: "There was no answer in time.",
}
JOB_ERRORS = {
    403: "The service takes no jobs.",
    404: "There is no such job.",
    409: "The request_key was used for another job, or the job is not done yet.",
    410: "The result is not on the machine that answers.",
    429: "Too many jobs wait.",
}
"""What only the paths of jobs answer."""


_FILES = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()}
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
            JOBS_PATH: paths[JOBS_PATH]
            | _get_job("How far a job is", "get_job", {"application/json": {"schema": _ref(JobAnswer)}}),
            RESULT_PATH: _get_job("The scores of a job that is done", "job_result", _FILES, 409, 410),
            "/v1/model": _get("The model that answers, and what it reads", "model", "application/json", 503, answer=ModelAnswer),
            "/livez": _get("Whether the service runs", "livez", "text/plain"),
            "/healthz": _get("The same as /livez", "healthz", "text/plain"),
            "/readyz": _get("Whether there is a champion to predict with", "readyz", "application/json", 503),
            "/metrics": _get("Metrics for Prometheus", "metrics", "text/plain"),
            "/docs.json": _get("This document", "docs", "application/json"),
        },
        "components": {"schemas": schemas["$defs"]},
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
        Post(
            JOBS_PATH, "job", "Ask for a batch job", JobRequest, JobAnswer, {"a folder of tables": JOB_EXAMPLE}, (403, 409, 429)
        ),
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
    body = {"required": True, "content": {"application/json": {"schema": _ref(post.request), "examples": examples}}}
    good: dict[str, Any] = {"200": {"description": "Done.", "content": {"application/json": {"schema": _ref(post.answer)}}}}
    responses = good | {str(status): _error(status) for status in sorted((*ERRORS, *post.errors))}
    return {"post": {"summary": post.summary, "operationId": post.name, "requestBody": body, "responses": responses}}


def _get(summary: str, name: str, media_type: str, *errors: int, answer: type[BaseModel] | None = None) -> dict[str, Any]:
    content = {"schema": _ref(answer)} if answer else {}
    good: dict[str, Any] = {"200": {"description": "Yes." if errors else "Here it is.", "content": {media_type: content}}}
    responses = good | {str(status): _error(status) for status in (*errors, 500)}
    return {"get": {"summary": summary, "operationId": name, "responses": responses}}


def _get_job(summary: str, name: str, content: dict[str, Any], *errors: int) -> dict[str, Any]:
    asked = {"name": "id", "in": "query", "required": True, "schema": {"type": "string"}, "example": JOB_ID_EXAMPLE}
    good: dict[str, Any] = {"200": {"description": "Here it is.", "content": content}}
    responses = good | {str(status): _error(status) for status in sorted((404, 422, 500, 503, 504, *errors))}
    return {"get": {"summary": summary, "operationId": name, "parameters": [asked], "responses": responses}}


def _error(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(ErrorAnswer), "example": _ERROR_EXAMPLE}}
    return {"description": (ERRORS | JOB_ERRORS)[status], "content": content}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}

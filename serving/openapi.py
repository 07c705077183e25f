"""The OpenAPI document: every path, every status that can come, and examples that work."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from keepwell import __version__
from serving.schemas import ErrorAnswer, PredictAnswer, PredictRequest, ScoresAnswer, ScoresRequest

_ERRORS = {
    400: "The body is no JSON.",
    413: "The body is too large.",
    415: "The content type is not application/json.",
    422: "A field is missing, unknown or wrong; `field` says which.",
    500: "A fault of the service.",
    503: "No champion or no scores yet, or they cannot be reached; `hint` says what to do.",
    504: "There was no answer in time.",
}

_PREDICT_EXAMPLE = {
    "as_of": "2026-01-01",
    "customers": [
        {
            "customer_id": "00042",
            "joined_at": "2024-03-05",
            "attributes": {"plan": "gold", "household_size": 3},
            "transactions": [
                {"ordered_at": "2025-09-14", "amount": 59.9, "order_id": "A-1"},
                {"ordered_at": "2025-11-30T18:20:00Z", "amount": 24.5, "order_id": "A-2"},
                {"ordered_at": "2025-12-04", "amount": -24.5},
            ],
            "complaints": [{"opened_at": "2025-12-02", "kind": "complaint", "severity": 4}],
            "payments": [{"due_at": "2025-10-14", "amount": 59.9, "paid_at": "2025-10-20"}],
            "surveys": [{"answered_at": "2025-12-10", "satisfaction": 4, "recommend": 3}],
            "contacts": [],
        }
    ],
}
_SCORES_EXAMPLE = {"customer_ids": ["00042", "00043"]}
_ERROR_EXAMPLE = {
    "error": {
        "code": "bad_field",
        "message": "Input should be a finite number",
        "field": "customers[0].transactions[3].amount",
        "hint": "see /docs.json for the fields",
    }
}


def openapi() -> dict[str, Any]:
    """The whole document, as plain JSON values (OpenAPI 3.1)."""
    models: list[type[BaseModel]] = [PredictRequest, PredictAnswer, ScoresRequest, ScoresAnswer, ErrorAnswer]
    modes = [(model, "validation" if model.__name__.endswith("Request") else "serialization") for model in models]
    _, schemas = models_json_schema(modes, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # literal modes
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Keepwell",
            "version": __version__,
            "description": "Who will leave, and what each customer will spend.",
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/v1/predict": _post("Predict from raw histories", "predict", PredictRequest, PredictAnswer, _PREDICT_EXAMPLE),
            "/v1/scores": _post("Look up batch scores by id", "scores", ScoresRequest, ScoresAnswer, _SCORES_EXAMPLE),
            "/livez": _get("Whether the service runs", "livez", "text/plain"),
            "/healthz": _get("The same as /livez", "healthz", "text/plain"),
            "/readyz": _get("Whether there is a champion to predict with", "readyz", "application/json", 503),
            "/metrics": _get("Metrics for Prometheus", "metrics", "text/plain"),
            "/docs.json": _get("This document", "docs", "application/json"),
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _post(summary: str, name: str, request: type[BaseModel], answer: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": _ref(request), "example": example}}}
    good: dict[str, Any] = {"200": {"description": "Done.", "content": {"application/json": {"schema": _ref(answer)}}}}
    responses = good | {str(status): _error(status) for status in _ERRORS}
    return {"post": {"summary": summary, "operationId": name, "requestBody": body, "responses": responses}}


def _get(summary: str, name: str, media_type: str, *errors: int) -> dict[str, Any]:
    good: dict[str, Any] = {"200": {"description": "Yes." if errors else "Here it is.", "content": {media_type: {}}}}
    responses = good | {str(status): _error(status) for status in (*errors, 500)}
    return {"get": {"summary": summary, "operationId": name, "responses": responses}}


def _error(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(ErrorAnswer), "example": _ERROR_EXAMPLE}}
    return {"description": _ERRORS[status], "content": content}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}

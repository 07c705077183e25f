"""What a key may do, and which path asks for what: data, in one place."""

from __future__ import annotations

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "predict": "predict and explain from what the request brings",
    "read": "read stored scores and what the model is",
    "plan": "make plans from stored scores",
    "outcome": "record what came of actions",
    "admin": "everything, batch jobs and metrics among it",
}
"""Every scope with what it allows."""

OPEN, ANY_KEY = "", "any"

NEEDS: Mapping[str, str] = {
    "/livez": OPEN,
    "/readyz": OPEN,
    "/healthz": OPEN,
    "/docs.json": ANY_KEY,
    "/metrics": "admin",
    "/v1/predict": "predict",
    "/v1/predict_rows": "predict",
    "/v1/explain": "predict",
    "/v1/scores": "read",
    "/v1/model": "read",
    "/v1/plan": "plan",
    "/v1/outcomes": "outcome",
    "/v1/jobs": "admin",
    "/v1/jobs/result": "admin",
    "/v1/jobs/cancel": "admin",
}
"""What each path asks of a key: a scope, any valid key, or nothing. The console has people, not keys, and is not here."""

PROBES = ("/livez", "/readyz", "/healthz", "/metrics")
"""Asked every few seconds by whoever watches the service: never in a queue, and in the log only when they fail."""


def needed_for(path: str) -> str:
    """What a path asks for; of one that the table forgot, the most."""
    return NEEDS.get(path, "admin")

"""Examples of requests that work with the model that answers: histories with every column it has seen, rows of its features."""

from __future__ import annotations

import json
from datetime import date, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any

from features.tables import EVENT_TABLES, TABLES
from serving.endpoints.requests import columns_read, feature_rows
from serving.endpoints.schemas import CUSTOMER_COLUMNS, PredictRequest

if TYPE_CHECKING:
    from training.registry import ModelInfo

CUSTOMER_ID = "00042"
_WITHOUT_MODEL = date(2026, 1, 1)


def histories_example(info: ModelInfo | None) -> dict[str, Any]:
    """A customer with purchases, a refund, a complaint, a payment and a survey, every other column null."""
    as_of = info.labels_until if info else _WITHOUT_MODEL

    def day(ago: int) -> str:
        return (as_of - timedelta(days=ago)).isoformat()

    rows: dict[str, list[dict[str, Any]]] = {
        "transactions": [
            {"ordered_at": day(109), "amount": 59.9, "order_id": "A-1"},
            {"ordered_at": f"{day(32)}T18:20:00Z", "amount": 24.5, "order_id": "A-2"},
            {"ordered_at": day(28), "amount": -24.5, "order_id": "A-2"},
        ],
        "complaints": [{"opened_at": day(30), "kind": "complaint", "severity": 4}],
        "payments": [{"due_at": day(79), "amount": 59.9, "paid_at": day(73)}],
        "surveys": [{"answered_at": day(22), "satisfaction": 4, "recommend": 3}],
    }
    customer = {column.name: None for column in CUSTOMER_COLUMNS} | {"customer_id": CUSTOMER_ID, "joined_at": day(667)}
    tables = {name: [_every_column(name) | row for row in rows.get(name, [])] for name in EVENT_TABLES}
    return {"as_of": as_of.isoformat(), "customers": [customer | {"attributes": _attributes(info)} | tables]}


def rows_example(info: ModelInfo | None) -> dict[str, Any]:
    """The features of the customer of `histories_example`; all missing where the model learned from no purchases."""
    asked = PredictRequest.model_validate_json(json.dumps(histories_example(info)))
    as_of = asked.as_of or _WITHOUT_MODEL
    features: dict[str, list[float | None]] = {"recency_days": [32.0]}
    if info and info.churn == "purchases":
        _, matrix = feature_rows(asked.customers, info, as_of)
        values = matrix[0].tolist()
        features = {name: [None if isnan(value) else value] for name, value in zip(info.feature_names, values, strict=True)}
    elif info:
        features = {name: [None] for name in info.feature_names}
    return {"as_of": as_of.isoformat(), "customer_ids": [CUSTOMER_ID], "features": features}


def stored_example() -> dict[str, Any]:
    """Two customers by id."""
    return {"customer_ids": [CUSTOMER_ID, "00043"]}


def plan_example() -> dict[str, Any]:
    """The same customers under limits."""
    return {**stored_example(), "budget": 500.0, "capacities": {"call": 20}}


def outcomes_example(info: ModelInfo | None) -> dict[str, Any]:
    """A customer who was called and took what was offered."""
    day = (info.labels_until if info else _WITHOUT_MODEL).isoformat()
    call = {"customer_id": CUSTOMER_ID, "action": "satisfaction_call", "on": day}
    return {"outcomes": [call | {"step": "contacted", "key": "crm-1801"}, call | {"step": "accepted", "key": "crm-1802"}]}


def _every_column(table: str) -> dict[str, None]:
    return {column.name: None for column in TABLES[table].columns if column.name != "customer_id"}


def _attributes(info: ModelInfo | None) -> dict[str, Any]:
    if info is None:
        return {"plan": "gold", "household_size": 3}
    listed, read = TABLES["customers"].names, columns_read(info.feature_names)
    own = (column.removeprefix("customers.") for column in read if column.startswith("customers."))
    return {name: None for name in own if name not in listed}

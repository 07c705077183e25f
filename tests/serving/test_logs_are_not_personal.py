"""Logs tell of requests and faults, and never of customers."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from keepwell.errors import StoreError
from serving.endpoints import examples
from serving.store import Store
from serving.store.engine import writing
from serving.store.schema import plan_items, plans

WHO, NAME = "SECRET-7781", "Theodora Unmistakable"
PLAN = {
    **{"load_id": 1, "company": "acme", "horizon_days": 30, "as_of": date(2026, 1, 1), "model_version": "1", "notes": []},
    **{"made_at": datetime(2026, 1, 1, tzinfo=UTC), "capacities": {}, "cost": 1.0, "expected_net_value": 1.0, "customers": 1},
}
ITEM = {"customer_id": WHO, "priority": 1, "action": "call", "cost": 1.0, "expected_net_value": 1.0, "churn_probability": 0.5}


def bodies(client: TestClient) -> list[tuple[str, str]]:
    """What the endpoints may be asked about one customer, in order and out of order."""
    info = client.state.holder.champion.scorer.info
    asked = {
        "/v1/predict": examples.histories_example(info),
        "/v1/predict_rows": examples.rows_example(info),
        "/v1/explain": examples.histories_example(info),
        "/v1/scores": examples.stored_example(),
        "/v1/plan": examples.plan_example(),
        "/v1/outcomes": examples.outcomes_example(info),
    }
    good = [(path, json.dumps(body).replace(examples.CUSTOMER_ID, WHO)) for path, body in asked.items()]
    wrong = [(path, json.dumps({"customer_ids": WHO, "customers": [{"customer_id": WHO, "name": NAME}]})) for path in asked]
    return [*good, *wrong, *((path, f'{{"customer_id": "{WHO}", ') for path in asked)]


def test_no_request_and_no_refusal_leaves_a_customer_in_the_log(loaded: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [loaded.post(path, content=body).status_code for path, body in bodies(loaded)]
    answers.append(loaded.get(f"/v1/scores?customer_id={WHO}").status_code)
    answers.append(loaded.get(f"/console/customers?q={WHO}").status_code)
    assert 200 in answers
    assert {400, 422} & set(answers)
    told = [record.getMessage() + str(record.exc_text or "") + str(vars(record).get("facts", "")) for record in caplog.records]
    ours = [line for line, record in zip(told, caplog.records, strict=True) if record.name.startswith("keepwell")]
    assert len(ours) >= len(answers) - 1
    assert [line for line in ours if WHO in line or NAME in line] == []


def write_twice(store: Store) -> None:
    """Plan the same customer twice, which the database refuses."""
    with writing(store._engine) as connection:
        key = connection.execute(insert(plans).values(**PLAN)).inserted_primary_key
        connection.execute(insert(plan_items), [{"plan_id": key[0], **ITEM}, {"plan_id": key[0], **ITEM}])


def test_a_fault_of_the_database_is_told_without_the_values_that_it_met(store_url: str) -> None:
    with closing(Store(store_url)) as store:
        store.migrate()
        with pytest.raises(StoreError, match="cannot be used") as met:
            write_twice(store)
    assert WHO not in met.value.message
    assert WHO not in str(met.value.__cause__).split("DETAIL:", maxsplit=1)[0]  # SQLAlchemy's part: statement and values

"""What comes from outside and is odd gets the documented answer, at every endpoint."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from tests.serving.endpoints.test_feature_rows import rows
from tests.serving.test_service import error, one
from training.scorer import Scorer

POSTS = ("/v1/predict", "/v1/predict_rows", "/v1/explain", "/v1/scores", "/v1/plan", "/v1/outcomes")
EMOJI = "🦊👩‍👩‍👧‍👦"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"[" * 10_000 + b"]" * 10_000, 400, "bad_request"),
        (b'{"customer_ids":' * 10_000 + b"1" + b"}" * 10_000, 400, "bad_request"),
        (b'{"customer_ids": [1], "unknown": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, "bad_request"),
        (b"{", 400, "bad_request"),
        (b"", 400, "bad_request"),
        (b"\xff", 400, "bad_request"),
        (b"null", 422, "bad_field"),
        (b"[]", 422, "bad_field"),
        (b"{}", 422, "bad_field"),
        (b'{"customer_ids": [NaN]}', 422, "bad_field"),
        (b'{"customer_ids": [true]}', 422, "bad_field"),
        (b'{"customer_ids": [1.5]}', 422, "bad_field"),
    ],
)
def test_a_body_that_is_no_request_is_refused_everywhere(
    loaded: TestClient, path: str, content: bytes, status: int, code: str
) -> None:
    assert error(loaded.post(path, content=content), status, code)["hint"]


@pytest.mark.parametrize("path", ["/v1/predict_rows", "/v1/explain"])
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_feature_rows_hold_only_finite_numbers(
    served: TestClient, scorer: Scorer, panel: pl.DataFrame, path: str, word: str
) -> None:
    body = rows(panel, scorer, 1)
    body["features"]["spend_90d"] = ["here"]
    refused = error(served.post(path, content=json.dumps(body).replace('"here"', word)), 422, "bad_field")
    assert refused["field"] == "features.spend_90d[0]"


@pytest.mark.parametrize(
    "day", ["0001-01-01", "9999-12-31", "1899-12-31", "2101-01-01", "2025-02-29", "01/02/2025", 20_000, True]
)
def test_a_day_that_is_none_is_refused(served: TestClient, day: object) -> None:
    assert error(served.post("/v1/predict", json={**one(), "as_of": day}), 422, "bad_field")["field"] == "as_of"


@pytest.mark.parametrize("day", ["1900-01-01", "2100-12-31"])
def test_the_first_and_the_last_day_have_answers(served: TestClient, day: str) -> None:
    answer = served.post("/v1/predict", json={**one(), "as_of": day, "allow_hindsight": True})
    assert (answer.status_code, answer.json()["as_of"]) == (200, day)


def test_an_id_may_be_any_text_and_comes_back_as_it_went(loaded: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    assert loaded.post("/v1/predict", json=one(customer_id=EMOJI)).json()["predictions"][0]["customer_id"] == EMOJI
    body = {**rows(panel, scorer, 2), "customer_ids": [EMOJI, -7]}
    for path, told in (("/v1/predict_rows", "predictions"), ("/v1/explain", "explanations")):
        assert [each["customer_id"] for each in loaded.post(path, json=body).json()[told]] == [EMOJI, -7]
    for path in ("/v1/scores", "/v1/plan", "/v1/explain"):
        assert loaded.post(path, json={"customer_ids": [EMOJI, 7.0]}).json()["unknown"] == [EMOJI, "7"]


def test_equal_events_count_as_often_as_they_come(served: TestClient) -> None:
    purchase = {"ordered_at": "2024-12-01", "amount": 20.0}
    once, twice = (
        served.post("/v1/predict", json=one(transactions=[purchase] * times)).json()["predictions"][0] for times in (1, 2)
    )
    assert twice["expected_value"] > once["expected_value"]


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/explain"])
def test_a_history_of_refunds_alone_has_no_figures(served: TestClient, path: str) -> None:
    body = one(transactions=[{"ordered_at": "2024-12-01", "amount": -5.0}, {"ordered_at": "2024-12-02", "amount": -1e6}])
    answer = served.post(path, json=body).json()
    (told,) = answer.get("predictions") or answer["explanations"]
    assert (told["churn_probability"], told["expected_value"]) == (None, None)
    assert told["note"] == "no purchase is known before as_of"


@pytest.mark.parametrize("amount", [1e-9, 1e9, 1e12, 5e-324])
def test_amounts_of_any_size_have_finite_answers_or_a_refusal(served: TestClient, amount: float) -> None:
    answer = served.post("/v1/predict", json=one(transactions=[{"ordered_at": "2024-12-01", "amount": amount}]))
    if answer.status_code == 422:
        assert answer.json()["error"]["field"] == "transactions.amount"
        return
    figures: dict[str, Any] = answer.json()["predictions"][0]
    assert figures["note"] or 0 < figures["churn_probability"] < 1


def test_extreme_feature_rows_have_answers_without_a_fault(served: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    """Each feature at the least and the largest value that it may have, one after the other."""
    body = rows(panel, scorer, 1)
    described = served.get("/docs.json").json()["components"]["schemas"]["PredictRowsRequest"]["properties"]["features"]
    for name, column in described["properties"].items():
        number = column["items"].get("anyOf", [column["items"]])[0]
        for value in (number.get("minimum", -1e15), number.get("maximum", 1e15)):
            changed = {**body, "features": {**body["features"], name: [value]}}
            assert served.post("/v1/predict_rows", json=changed).status_code == 200, (name, value)


def test_who_records_outcomes_is_told_of_no_other_customer(loaded: TestClient, scored: pl.DataFrame) -> None:
    known = scored["customer_id"].cast(pl.String).to_list()
    row = {"action": "loyalty_reward", "step": "contacted", "on": "2025-01-05"}
    for wrong in (known[0].lower(), known[0].replace("0", ""), "😀"):
        refused = loaded.post("/v1/outcomes", json={"outcomes": [{"customer_id": wrong, **row}]})
        assert refused.status_code == 422
        assert "is no customer" in refused.text
        assert not [each for each in known if each in refused.text]

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from features.company import Company
from serving.batch.reasons import reason_lists, reasons_of
from serving.front.context import Caller
from tests.serving.conftest import AS_OF
from tests.serving.endpoints.test_feature_rows import rows
from tests.serving.test_service import error, histories, one
from training.scorer import Scorer


def sums(explanation: dict[str, Any]) -> dict[str, float]:
    found = {"churn": 0.0, "value": 0.0}
    for reason in explanation["reasons"]:
        found[reason["target"]] += reason["contribution"]
    return found


def test_reasons_add_up_to_the_forecast(served: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    for explanation in served.post("/v1/explain", json=rows(panel, scorer, 50)).json()["explanations"]:
        churn, found = explanation["churn_probability"], sums(explanation)
        assert found["churn"] == pytest.approx(math.log(churn / (1 - churn)), rel=1e-9, abs=1e-9)
        assert found["value"] == pytest.approx(math.log(explanation["expected_value"]), rel=1e-9, abs=1e-9)


def test_reasons_are_those_of_batch_scoring(
    served: TestClient, shop: Company, scorer: Scorer, panel: pl.DataFrame, scored: pl.DataFrame
) -> None:
    """The same names, in the same order, with the same contributions, from raw histories and from feature rows."""
    explained = scored.filter(pl.col("reasons").is_not_null()).head(10)
    ids = explained["customer_id"].to_list()
    bodies = histories(shop, ids), rows(panel.filter(pl.col("customer_id").is_in(ids)), scorer, len(ids))
    for body in bodies:
        found = {each["customer_id"]: each["reasons"] for each in served.post("/v1/explain", json=body).json()["explanations"]}
        for row in explained.iter_rows(named=True):
            mine, batch = found[row["customer_id"]], row["reasons"]
            assert [each["name"] for each in mine] == [each["name"] for each in batch]
            assert [each["contribution"] for each in mine] == pytest.approx([each["contribution"] for each in batch], abs=1e-9)


def test_reasons_as_plain_values_are_those_of_the_frame(scorer: Scorer, panel: pl.DataFrame) -> None:
    matrix = np.ascontiguousarray(panel.select(pl.col(scorer.info.feature_names).fill_null(np.nan)).to_numpy())[:40]
    found = scorer.predict(matrix)
    assert reason_lists(scorer, matrix, found) == reasons_of(scorer, matrix, found, np.arange(40)).to_list()


def test_stored_feature_rows_are_explained_by_id(loaded: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    body = rows(panel, scorer, 2)
    first, second = body["customer_ids"]
    answer = loaded.post("/v1/explain", json={"customer_ids": [second, "nobody", first, second]}).json()
    assert (answer["as_of"], answer["unknown"]) == (AS_OF.isoformat(), ["nobody"])
    assert answer["explanations"] == list(reversed(loaded.post("/v1/explain", json=body).json()["explanations"]))


def test_stored_feature_rows_are_for_those_who_may_read_them(
    loaded: TestClient, scorer: Scorer, panel: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.front.access_layer.LOCAL", Caller(scopes=frozenset({"predict"})))
    assert "scope read" in error(loaded.post("/v1/explain", json={"customer_ids": ["a"]}), 403, "missing_scope")["message"]
    assert loaded.post("/v1/explain", json=rows(panel, scorer, 1)).status_code == 200


def test_stored_feature_rows_have_a_date_of_their_own(loaded: TestClient) -> None:
    body = {"customer_ids": ["a"], "as_of": "2025-03-01"}
    assert error(loaded.post("/v1/explain", json=body), 422, "bad_field")["field"] == "as_of"


def test_a_customer_without_a_purchase_has_nothing_to_explain(served: TestClient) -> None:
    explanation = served.post("/v1/explain", json=one(transactions=[])).json()["explanations"][0]
    assert (explanation["reasons"], explanation["note"]) == (None, "no purchase is known before as_of")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"as_of": "2025-01-01"},
        {"features": {"recency_days": [1.0]}},
        {**one(), "customer_ids": [7]},
        {**one(), "features": {"recency_days": [1.0]}},
        {"customer_ids": [*range(101)]},
        {"customer_ids": []},
    ],
)
def test_one_kind_of_question_is_asked_at_a_time(served: TestClient, body: dict[str, Any]) -> None:
    error(served.post("/v1/explain", json=body), 422, "bad_field")

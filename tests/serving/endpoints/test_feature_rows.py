from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from features.catalog import CATALOG
from features.company import Company
from tests.serving.conftest import AS_OF, HORIZON
from tests.serving.test_service import FURTHER, error, histories
from training.scorer import Scorer


def rows(panel: pl.DataFrame, scorer: Scorer, customers: int = 3) -> dict[str, Any]:
    """The body of a request for the first customers of a panel."""
    frame = panel.head(customers)
    features = {name: frame[name].to_list() for name in scorer.info.feature_names}
    return {"as_of": AS_OF.isoformat(), "customer_ids": frame["customer_id"].to_list(), "features": features}


def test_feature_rows_get_what_batch_scoring_gives(
    served: TestClient, scorer: Scorer, panel: pl.DataFrame, scored: pl.DataFrame
) -> None:
    answer = served.post("/v1/predict_rows", json=rows(panel, scorer, panel.height)).json()
    assert (answer["as_of"], answer["stale"], answer["model"]["horizon_days"]) == (AS_OF.isoformat(), False, HORIZON)
    found = pl.DataFrame(answer["predictions"])
    assert found["customer_id"].to_list() == scored["customer_id"].to_list()
    for name in (*FURTHER, "churn_probability", "expected_value", "value_low", "value_high", "value_at_risk"):
        np.testing.assert_allclose(found[name], scored[name], rtol=1e-9, err_msg=name)


def test_feature_rows_and_histories_get_the_same_figures(
    served: TestClient, shop: Company, scorer: Scorer, panel: pl.DataFrame
) -> None:
    body = rows(panel, scorer, 20)
    of_rows = served.post("/v1/predict_rows", json=body).json()["predictions"]
    of_histories = served.post("/v1/predict", json=histories(shop, body["customer_ids"])).json()["predictions"]
    by_id = {each.pop("customer_id"): each for each in of_histories}
    for each in of_rows:
        customer_id = each.pop("customer_id")
        each.pop("note"), by_id[customer_id].pop("note")
        assert each == pytest.approx(by_id[customer_id], rel=1e-9)


def test_the_order_of_the_columns_does_not_matter(served: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    body = rows(panel, scorer)
    turned = {**body, "features": dict(reversed(body["features"].items()))}
    assert served.post("/v1/predict_rows", json=turned).json() == served.post("/v1/predict_rows", json=body).json()


def test_null_is_missing_and_no_zero(served: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    body = rows(panel, scorer, 1)
    missing = [name for name, entry in CATALOG.items() if entry.missing and name in body["features"]]
    body["features"] |= {name: [None] for name in missing}
    answer = served.post("/v1/predict_rows", json=body).json()["predictions"][0]
    values = panel.head(1).with_columns(pl.lit(np.nan).alias(name) for name in missing).select(scorer.info.feature_names)
    expected = scorer.predict(values.cast(pl.Float64).fill_null(np.nan).to_numpy())
    assert answer["churn_probability"] == pytest.approx(expected.churn_probability[0], rel=1e-9)


def test_null_is_refused_where_a_feature_always_has_a_value(served: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    body = rows(panel, scorer)
    body["features"]["recency_days"][1] = None
    refused = error(served.post("/v1/predict_rows", json=body), 422, "bad_field")
    assert (refused["field"], refused["message"]) == ("features.recency_days[1]", "recency_days is never missing")


@pytest.mark.parametrize("path", ["/v1/predict_rows", "/v1/explain"])
def test_a_column_that_is_missing_or_unknown_is_refused_by_name(
    served: TestClient, scorer: Scorer, panel: pl.DataFrame, path: str
) -> None:
    body = rows(panel, scorer)
    without = {name: values for name, values in body["features"].items() if name not in ("recency_days", "spend_30d")}
    refused = error(served.post(path, json={**body, "features": without}), 422, "missing_features")
    assert refused["field"] in ("features.recency_days", "features.spend_30d")
    assert "recency_days" in refused["message"]
    assert "spend_30d" in refused["message"]
    more = {**body["features"], "recency_dayz": [1.0] * 3}
    refused = error(served.post(path, json={**body, "features": more}), 422, "unknown_features")
    assert (refused["field"], "/v1/model" in refused["hint"]) == ("features.recency_dayz", True)


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ([1.0, 2.0], "features.recency_days"),
        ([1.0, 2.0, 3.0, 4.0], "features.recency_days"),
        ([], "features.recency_days"),
        ([1.0, "2", 3.0], "features.recency_days[1]"),
        ([1.0, True, 3.0], "features.recency_days[1]"),
        ([1.0, -5.0, 3.0], "features.recency_days[1]"),
        ([1.0, 2.0, 1e300], "features.recency_days[2]"),
        (5.0, "features.recency_days"),
        (None, "features.recency_days"),
    ],
)
def test_a_column_of_another_length_or_kind_or_range_is_refused(
    served: TestClient, scorer: Scorer, panel: pl.DataFrame, column: Any, field: str
) -> None:
    body = rows(panel, scorer)
    body["features"]["recency_days"] = column
    assert error(served.post("/v1/predict_rows", json=body), 422, "bad_field")["field"] == field


def test_customers_of_feature_rows_come_once_and_have_limits(served: TestClient, scorer: Scorer, panel: pl.DataFrame) -> None:
    body = rows(panel, scorer)
    twice = {**body, "customer_ids": ["7", "8", 7]}
    assert error(served.post("/v1/predict_rows", json=twice), 422, "repeated_customer")["field"] == "customer_ids[2]"
    for ids in ([], [*range(1_001)]):
        assert error(served.post("/v1/predict_rows", json={**body, "customer_ids": ids}), 422, "bad_field")


def test_feature_rows_of_a_day_that_the_labels_reach_past_are_refused(
    served: TestClient, scorer: Scorer, panel: pl.DataFrame
) -> None:
    body = {**rows(panel, scorer), "as_of": "2024-12-24"}
    assert error(served.post("/v1/predict_rows", json=body), 422, "hindsight")["field"] == "as_of"
    assert served.post("/v1/predict_rows", json={**body, "allow_hindsight": True}).status_code == 200


def test_the_model_tells_every_feature_that_it_reads(served: TestClient, shop: Company, scorer: Scorer) -> None:
    told = served.get("/v1/model").json()
    assert [feature["name"] for feature in told["features"]] == list(scorer.info.feature_names)
    assert (told["company"], told["zone"], told["tables"]) == (shop.key, shop.zone, sorted(shop.tables))
    assert told["model"] == served.get("/readyz").json()["model"]
    recency = next(feature for feature in told["features"] if feature["name"] == "recency_days")
    assert (recency["unit"], recency["low"], recency["table"]) == ("days", 1, "transactions")
    assert "transactions.quantity" in told["columns"]

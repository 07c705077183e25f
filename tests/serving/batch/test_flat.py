"""Scores of a flat table: everybody gets one, and what only a history can tell is null."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import polars as pl
import pytest

from datasets.contracts import simulate_flat
from features.company import Company
from features.reading.sources import read_company
from keepwell.errors import ModelError, RequestError
from serving.batch.flat import flat_scoring_panel, score_flat
from serving.batch.scoring import SCORE_TYPES
from serving.champion import Champion, try_out
from serving.endpoints.examples import rows_example
from serving.endpoints.explain import explain
from serving.endpoints.openapi import openapi
from serving.endpoints.predict import predict, predict_rows
from serving.endpoints.schemas import ExplainRequest, PredictRequest, PredictRowsRequest
from training.flat.data import flat_data
from training.flat.model import FlatScorer
from training.flat.recipe import FlatRecipe
from training.flat.validation import FAMILY, fit_flat, label_info, unseen
from training.members.trees import TreeSettings

DAY = date(2026, 1, 1)
RECIPE = FlatRecipe(churn_trees=TreeSettings(rounds=20, leaves=6))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("companies") / "flat"
    simulate_flat(folder, customers=300, seed=5, as_of=DAY)
    return read_company(folder)


@pytest.fixture(scope="module")
def scorer(company: Company) -> FlatScorer:
    data = flat_data(company, 0, None, ())
    return fit_flat(data, unseen(data, RECIPE, seed=0), RECIPE, label_info(data, FAMILY), seed=0)


def test_every_customer_is_scored_labelled_or_not(company: Company, scorer: FlatScorer) -> None:
    scores = score_flat(company, scorer, DAY)
    assert scores.columns == list(SCORE_TYPES)
    assert scores["customer_id"].to_list() == sorted(company.tables["customers"]["customer_id"])
    assert scores["churn_probability"].is_between(0, 1, closed="none").all()
    absent = [name for name in ("expected_value", "value_at_risk", "status", "value_tier") if scores[name].null_count() < 300]
    assert absent == []


def test_reasons_add_up_and_go_to_those_most_likely_to_leave(company: Company, scorer: FlatScorer) -> None:
    scores = score_flat(company, scorer, DAY, most_explained=10)
    explained = scores.filter(pl.col("reasons").is_not_null())
    assert explained["churn_probability"].min() >= scores["churn_probability"].sort(descending=True)[9]
    for p, reasons in explained.select("churn_probability", "reasons").iter_rows():
        assert {reason["target"] for reason in reasons} == {"churn"}
        np.testing.assert_allclose(sum(reason["contribution"] for reason in reasons), np.log(p / (1 - p)), atol=1e-9)


def test_a_company_that_lacks_a_column_or_a_model_of_later_labels_is_refused(company: Company, scorer: FlatScorer) -> None:
    people = company.tables["customers"].drop("visits")
    attributes = {name: kind for name, kind in company.attributes.items() if name != "visits"}
    part = Company(**{**vars(company), "tables": {**company.tables, "customers": people}, "attributes": attributes})
    with pytest.raises(ModelError, match="the model reads attr_visits, and customers have no such column 'visits'"):
        flat_scoring_panel(part, scorer.info, DAY)
    with pytest.raises(ModelError, match="has learned from what happened until 2026-01-01"):
        score_flat(company, scorer, date(2025, 12, 31))


def test_the_endpoint_takes_no_history_for_it(scorer: FlatScorer) -> None:
    try_out(scorer)
    request = PredictRequest.model_validate({"customers": [{"customer_id": "a", "transactions": []}]})
    with pytest.raises(RequestError, match="learned from a flat table of customers, and cannot be asked"):
        predict(Champion("flat", 0, "1", scorer), request, DAY)


def test_the_endpoint_takes_feature_rows_for_it_and_gives_what_batch_scoring_gives(company: Company, scorer: FlatScorer) -> None:
    panel, champion = flat_scoring_panel(company, scorer.info, DAY).head(20), Champion("flat", 0, "1", scorer)
    features = {name: panel[name].to_list() for name in scorer.info.feature_names}
    asked = {"customer_ids": panel["customer_id"].to_list(), "features": features}
    found = predict_rows(champion, PredictRowsRequest.model_validate(asked), DAY).predictions
    scores = score_flat(company, scorer, DAY).head(20)
    np.testing.assert_allclose([each.churn_probability for each in found], scores["churn_probability"], rtol=1e-9)
    assert {each.expected_value for each in found} == {None}
    explained = explain(champion, ExplainRequest.model_validate(asked), DAY).explanations
    assert all(reason.target == "churn" for each in explained for reason in each.reasons or [])
    assert all(each.reasons for each in explained)


def test_the_published_examples_of_it_are_of_feature_rows(scorer: FlatScorer) -> None:
    request = PredictRowsRequest.model_validate_json(json.dumps(rows_example(scorer.info)))
    assert predict_rows(Champion("flat", 0, "1", scorer), request, DAY).predictions[0].churn_probability is not None
    assert openapi(scorer.info)["paths"]["/v1/predict_rows"]

"""Endpoint = batch = training, over random histories: the same rows of features, and from them the same scores and reasons."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from features.panel import build_panel, panel_names
from serving.batch.reasons import reasons_of
from serving.champion import Champion
from serving.endpoints.answer_schemas import Explanation, PredictAnswer
from serving.endpoints.explain import explain
from serving.endpoints.predict import FIGURES, predict, predict_rows
from serving.endpoints.schemas import ExplainRequest, PredictRequest, PredictRowsRequest
from tests.features.strategies import ATTRIBUTION_DAYS, DECIMALS, Story, crowd, stories
from tests.serving.conftest import renamed, scorer_for
from tests.serving.endpoints.test_requests import as_request

few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def champion_of(story: Story) -> Champion:
    """A model that reads all that the story's company has, and has learned from nothing later."""
    company = story.company()
    scorer = scorer_for(company, names=panel_names(company, [story.as_of]))
    facts = {"labels_until": story.as_of, "decimals": DECIMALS, "attribution_days": ATTRIBUTION_DAYS}
    return Champion(company.key, scorer.info.horizon_days, "1", renamed(scorer, **facts))


def requested(story: Story) -> dict[str, Any]:
    return {**as_request(story.tables, story.as_of), "allow_missing_columns": True}


def of_panel(story: Story, champion: Champion) -> pl.DataFrame:
    """The rows that training and batch scoring read."""
    return build_panel(story.company(), [story.as_of], champion.scorer.info.feature_names)


def as_rows(panel: pl.DataFrame, story: Story) -> dict[str, Any]:
    features = {name: panel[name].to_list() for name in panel.columns if name not in ("customer_id", "as_of")}
    return {"as_of": story.as_of.isoformat(), "customer_ids": panel["customer_id"].to_list(), "features": features}


def figures(answer: PredictAnswer) -> dict[Any, list[float]]:
    """What an answer says of all for whom it has figures."""
    told = {each.customer_id: [getattr(each, name) for name in FIGURES] for each in answer.predictions}
    return {customer: values for customer, values in told.items() if values[0] is not None}


def contributions(explanation: Explanation) -> dict[tuple[str, str], float]:
    """Contributions by target and feature. Which of two equally strong ones comes first is no matter."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    for reason in explanation.reasons or []:
        found[reason.target, reason.feature] += reason.contribution
    return found


def assert_all_ways_agree(story: Story) -> None:
    body = requested(story)
    if not body["customers"] or "transactions" not in story.tables:
        return
    champion = champion_of(story)
    panel = of_panel(story, champion)
    of_histories = predict(champion, PredictRequest.model_validate_json(json.dumps(body)), story.as_of)
    if panel.is_empty():
        assert figures(of_histories) == {}
        return
    of_rows = predict_rows(champion, PredictRowsRequest.model_validate_json(json.dumps(as_rows(panel, story))), story.as_of)
    matrix = np.ascontiguousarray(panel.select(pl.col(champion.scorer.info.feature_names).fill_null(np.nan)).to_numpy())
    batch = champion.scorer.predict(matrix)
    assert [*figures(of_rows)] == panel["customer_id"].to_list()
    for row, customer in enumerate(panel["customer_id"]):
        expected = [batch.churn_probability[row], batch.expected_value[row], batch.value_low[row], batch.value_high[row]]
        assert figures(of_rows)[customer][:4] == pytest.approx(expected, rel=1e-9)
        assert figures(of_histories)[customer] == pytest.approx(figures(of_rows)[customer], rel=1e-9)
    explanations = explain(champion, ExplainRequest.model_validate_json(json.dumps(body)), story.as_of).explanations
    in_batch = reasons_of(champion.scorer, matrix, batch, np.arange(len(matrix)))
    by_id = {each.customer_id: each for each in explanations}
    assert {customer for customer, each in by_id.items() if each.reasons} == set(panel["customer_id"])
    for customer, reasons in zip(panel["customer_id"], in_batch, strict=True):
        expected_reasons = {(each["target"], each["feature"]): each["contribution"] for each in reasons}
        assert contributions(by_id[customer]) == pytest.approx(expected_reasons, rel=1e-9, abs=1e-9)


@few
@given(stories())
def test_histories_rows_and_batch_give_the_same_scores_and_reasons(story: Story) -> None:
    assert_all_ways_agree(story)


@pytest.mark.parametrize("late", [False, True])
def test_customers_with_every_table_have_the_same_scores_and_reasons_all_ways(late: bool) -> None:
    assert_all_ways_agree(crowd(8, customers=12, late=late))


@pytest.mark.slow
@settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def test_a_thousand_companies_have_the_same_scores_and_reasons_all_ways(story: Story) -> None:
    assert_all_ways_agree(story)

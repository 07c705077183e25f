"""The scorer's promises: ranges, sums, and the same bits after a round trip."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from keepwell.errors import ModelError
from training.arrays import ROWS_AT_ONCE
from training.procedure import fit_procedure
from training.scorer import FILE, Predictions, Scorer


def arrays(forecast: Predictions) -> list[np.ndarray]:
    """Every array of a forecast."""
    own = [getattr(forecast, field.name) for field in fields(Predictions) if field.name != "further_churn"]
    return [*own, *forecast.further_churn.values()]


def test_predictions_are_finite_ordered_and_in_range(scorer: Scorer, matrix: np.ndarray):
    forecast = scorer.predict(matrix)
    assert all(np.isfinite(each).all() for each in arrays(forecast))
    assert ((forecast.churn_probability > 0) & (forecast.churn_probability < 1)).all()
    assert (forecast.value_low <= forecast.value_high).all()
    assert (forecast.value_if_active > 0).all()


def test_churn_contributions_sum_to_the_log_odds(scorer: Scorer, matrix: np.ndarray):
    p, explanation = scorer.predict(matrix).churn_probability, scorer.explain(matrix)
    assert np.abs(explanation.churn.sum(1) + explanation.churn_baseline - np.log(p / (1 - p))).max() < 1e-9


@pytest.mark.parametrize("refund_rate", [0.0, 0.01, 0.19])
def test_value_contributions_sum_to_the_logarithm_and_are_missing_where_there_is_none(scorer, matrix, refund_rate):
    refunding = replace(scorer, refund_rate=refund_rate)
    expected, explanation = refunding.predict(matrix).expected_value, refunding.explain(matrix)
    positive = expected > 0
    assert positive.any()
    sums = explanation.value[positive].sum(1) + explanation.value_baseline
    assert np.abs(sums - np.log(expected[positive])).max() < 1e-9
    assert np.isnan(explanation.value[~positive]).all()


def test_extreme_log_odds_are_clipped_and_still_explained(scorer: Scorer, matrix: np.ndarray):
    certain = replace(scorer, churn=replace(scorer.churn, intercept=40.0))
    p, explanation = certain.predict(matrix).churn_probability, certain.explain(matrix)
    assert p.max() == pytest.approx(1 - 1e-6)
    assert np.abs(explanation.churn.sum(1) + explanation.churn_baseline - np.log(p / (1 - p))).max() < 1e-6


def test_a_row_has_the_same_bits_alone_and_among_many(scorer: Scorer, matrix: np.ndarray):
    many = np.tile(matrix, (1 + 2 * ROWS_AT_ONCE // len(matrix), 1))
    whole, explained = scorer.predict(many), scorer.explain(matrix)
    for place in (0, 7, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, len(many) - 1):
        alone = scorer.predict(many[place : place + 1])
        for among, one in zip(arrays(whole), arrays(alone), strict=True):
            np.testing.assert_array_equal(among[place], one[0])
    for place in (0, len(matrix) - 1):
        alone = scorer.explain(matrix[place : place + 1])
        np.testing.assert_allclose(alone.value[0], explained.value[place], rtol=0, atol=1e-12)
        assert alone.value_baseline == pytest.approx(explained.value_baseline, abs=1e-12)


def test_a_saved_scorer_comes_back_to_the_same_bits(scorer: Scorer, matrix: np.ndarray, tmp_path: Path):
    scorer.save(tmp_path / "model")
    again = Scorer.load(tmp_path / "model")
    assert again.info == scorer.info
    assert again.recipe == scorer.recipe
    assert all(map(np.array_equal, arrays(again.predict(matrix)), arrays(scorer.predict(matrix))))
    assert np.array_equal(again.explain(matrix).value, scorer.explain(matrix).value, equal_nan=True)


def test_a_model_knows_after_how_many_days_its_company_takes_an_outcome_as_known(shop, shop_data, scorer: Scorer):
    assert (shop.attribution_days, shop_data.attribution_days, scorer.info.attribution_days) == (30, 30, 30)
    patient = fit_procedure(replace(shop_data, attribution_days=45), shop_data.as_of_day, scorer.recipe, seed=0)
    assert patient.info == replace(scorer.info, attribution_days=45)


def test_a_model_saved_before_outcomes_had_a_day_takes_the_usual_days(scorer: Scorer, tmp_path: Path):
    replace(scorer, info=replace(scorer.info, attribution_days=45)).save(tmp_path)
    saved = json.loads((tmp_path / FILE).read_text())
    assert Scorer.load(tmp_path).info.attribution_days == saved["info"].pop("attribution_days") == 45
    (tmp_path / FILE).write_text(json.dumps(saved))
    assert Scorer.load(tmp_path).info == scorer.info


def test_the_same_data_and_seed_give_the_same_file(shop_data, scorer: Scorer, tmp_path: Path):
    fresh = replace(shop_data, memo={})
    fit_procedure(fresh, fresh.as_of_day, scorer.recipe, seed=0).save(tmp_path / "second")
    scorer.save(tmp_path / "first")
    assert (tmp_path / "first" / FILE).read_bytes() == (tmp_path / "second" / FILE).read_bytes()


def test_an_absent_or_foreign_file_is_a_model_error(tmp_path: Path):
    with pytest.raises(ModelError, match="no scorer in"):
        Scorer.load(tmp_path)
    (tmp_path / FILE).write_text(json.dumps({"format": 0}))
    with pytest.raises(ModelError, match="has format 0, and this version reads 1 to"):
        Scorer.load(tmp_path)


def test_a_matrix_of_other_features_is_refused(scorer: Scorer, matrix: np.ndarray):
    with pytest.raises(ModelError, match="needs a matrix of"):
        scorer.predict(matrix[:, :-1])

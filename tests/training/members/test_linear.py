"""The linear member against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.members.linear import LinearModel, fit_encoder, fit_logistic, fit_ridge


def some_rows(n: int = 3_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.gamma(1, 20, (n, 3))
    matrix[random.random((n, 3)) < 0.2] = np.nan
    log_odds = np.where(np.isnan(matrix[:, 0]), 1.0, 1.5 - np.log1p(matrix[:, 0])) + 0.02 * np.nan_to_num(matrix[:, 1])
    return matrix, (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)


def test_the_mean_forecast_is_the_mean_answer_at_the_optimum():
    matrix, y = some_rows()
    model = fit_logistic(matrix, y, np.zeros(len(y)), np.ones(len(y)), ridge=1.0)
    assert (1 / (1 + np.exp(-model.predict(matrix)))).mean() == pytest.approx(y.mean(), abs=1e-3)


def test_an_offset_is_taken_out_of_the_forecast():
    matrix, y = some_rows()
    ones = np.ones(len(y))
    plain, shifted = (fit_logistic(matrix, y, offset * ones, ones, ridge=1.0) for offset in (0.0, 0.7))
    assert plain.predict(matrix) - shifted.predict(matrix) == pytest.approx(0.7, abs=0.01)


def test_contributions_sum_to_the_forecast():
    matrix, y = some_rows()
    model = fit_ridge(matrix, y, np.ones(len(y)), ridge=1.0)
    values, base = model.centred_contributions(matrix)
    assert values.sum(1) + base == pytest.approx(model.predict(matrix), abs=1e-12)
    assert values.mean(0) == pytest.approx(0, abs=1e-9)


def test_json_brings_back_the_same_bits():
    matrix, y = some_rows()
    model = fit_ridge(matrix, y, np.ones(len(y)), ridge=1.0)
    assert np.array_equal(LinearModel.from_dict(model.to_dict()).predict(matrix), model.predict(matrix))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-6, 1e6))
def test_the_currency_does_not_matter(scale):
    matrix, _ = some_rows(300)
    assert fit_encoder(matrix * scale).columns(matrix * scale) == pytest.approx(fit_encoder(matrix).columns(matrix), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(0, 1), ridge=st.floats(1, 1000), seed=st.integers(0, 50))
def test_the_search_ends_at_a_finite_model_however_rare_the_answer(rate, ridge, seed):
    random = np.random.default_rng(seed)
    matrix = random.normal(0, 1, (200, 4)) * random.choice([0, 1, 1e5], 4)
    y = (random.random(200) < rate).astype(float)
    model = fit_logistic(matrix, y, np.zeros(200), np.ones(200), ridge)
    assert np.abs(model.predict(matrix)).max() < 50


def test_values_beyond_those_seen_are_held_at_the_last_one_seen():
    matrix, y = some_rows()
    model = fit_ridge(matrix, y, np.ones(len(y)), ridge=1.0)
    top = np.nanmax(matrix, axis=0)[None, :]
    assert model.predict(top * 1000) == pytest.approx(model.predict(top))


def test_a_feature_that_is_always_missing_or_constant_adds_nothing():
    matrix, y = some_rows()
    dull = np.column_stack([matrix, np.full(len(y), np.nan), np.full(len(y), 7.0)])
    model = fit_ridge(dull, y, np.ones(len(y)), ridge=1.0)
    assert model.centred_contributions(dull)[0][:, 3:] == pytest.approx(0, abs=1e-9)

"""The tree member: additive, repeatable, and the same after a round trip through text."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.members.trees import TreeModel, TreeSettings, fit_trees


def fitted(objective: str, seed: int = 0) -> tuple[TreeModel, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    matrix = random.gamma(1, 20, (2_000, 4))
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    amount = np.exp(random.normal(np.nan_to_num(matrix[:, 0]) / 60, 0.5))
    y = (amount > 1.5).astype(float) if objective == "binary" else amount
    zeros, ones = np.zeros(len(y)), np.ones(len(y))
    model = fit_trees(matrix, y, zeros, ones, objective=objective, settings=TreeSettings(rounds=40), seed=seed)
    return model, matrix, y


@pytest.mark.parametrize("objective", ["binary", "gamma", "regression"])
def test_contributions_sum_to_the_forecast(objective):
    model, matrix, _ = fitted(objective)
    values, base = model.contributions(matrix)
    assert values.sum(1) + base == pytest.approx(model.predict(matrix), abs=1e-10)


def test_text_brings_back_the_same_bits():
    model, matrix, _ = fitted("gamma")
    again = TreeModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert np.array_equal(again.predict(matrix), model.predict(matrix))


def test_the_same_seed_gives_the_same_bits():
    (one, matrix, _), (two, _, _) = fitted("binary", seed=3), fitted("binary", seed=3)
    assert np.array_equal(one.predict(matrix), two.predict(matrix))


def test_forecasts_are_on_the_level_of_the_answers():
    model, matrix, y = fitted("gamma")
    assert np.exp(model.predict(matrix)).mean() == pytest.approx(y.mean(), rel=0.05)
    model, matrix, y = fitted("binary")
    assert (1 / (1 + np.exp(-model.predict(matrix)))).mean() == pytest.approx(y.mean(), abs=0.02)

"""Metrics against scikit-learn and SciPy, weights against repeated rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training.metrics import METRICS, Outcome, interval, resampled_weights
from training.scorer import Predictions


def example(n: int, seed: int) -> tuple[Outcome, Predictions]:
    random = np.random.default_rng(seed)
    churned = np.append(random.random(n - 2) < 0.6, [True, False])
    value = np.where(churned, 0.0, np.round(random.gamma(1, 50, n), 2) + 0.01)
    p = np.clip(np.round(random.beta(2, 2, n), 2), 0.01, 0.99)
    expected = random.gamma(1, 30, n)
    return Outcome(churned, value), Predictions(p, expected, expected, expected * 0.1, expected * 3)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 300), seed=st.integers(0, 1_000))
def test_figures_agree_with_their_reference(n, seed):
    outcome, forecast = example(n, seed)
    y, p, ones = outcome.churned, forecast.churn_probability, np.ones(n)
    references = {
        "churn_auc": roc_auc_score(y, p),
        "churn_average_precision": average_precision_score(y, p),
        "churn_log_loss": log_loss(y, p),
        "churn_brier_loss": brier_score_loss(y, p),
        "value_rank_correlation": spearmanr(outcome.value, forecast.expected_value)[0],
        "value_mae": np.abs(outcome.value - forecast.expected_value).mean(),
        "value_total_ratio": forecast.expected_value.sum() / outcome.value.sum(),
    }
    for name, reference in references.items():
        assert METRICS[name](outcome, forecast)(ones) == pytest.approx(reference, rel=1e-9), name


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"churn_calibration_error", "value_rank_correlation"}))
def test_a_weight_of_two_is_the_row_twice(name):
    outcome, forecast = example(60, seed=4)
    twice = np.append(np.arange(60), 7)
    fields = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")
    longer = Predictions(**{field: getattr(forecast, field)[twice] for field in fields})
    weights = np.where(np.arange(60) == 7, 2.0, 1.0)
    repeated = METRICS[name](Outcome(outcome.churned[twice], outcome.value[twice]), longer)(np.ones(61))
    assert METRICS[name](outcome, forecast)(weights) == pytest.approx(repeated, rel=1e-6)


def test_a_perfect_forecast_has_a_gini_of_one_and_no_error():
    outcome, forecast = example(50, seed=1)
    perfect = Predictions(forecast.churn_probability, outcome.value, outcome.value, outcome.value, outcome.value)
    figures = {name: METRICS[name](outcome, perfect)(np.ones(50)) for name in ("value_gini", "value_mae", "value_rmse")}
    assert figures == {"value_gini": pytest.approx(1), "value_mae": 0, "value_rmse": 0}


def test_an_interval_holds_its_figure_and_narrows_with_more_customers():
    widths = []
    for n in (100, 10_000):
        outcome, forecast = example(n, seed=2)
        found = interval(METRICS["churn_log_loss"](outcome, forecast), resampled_weights(np.arange(n), seed=0))
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 5


def test_all_rows_of_a_customer_are_drawn_together():
    customer = np.array([3, 1, 3, 2, 1])
    weights = resampled_weights(customer, seed=1)
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, 1], weights[:, 4])
    assert (weights[:, [0, 1, 3]].sum(1) == 3).all()

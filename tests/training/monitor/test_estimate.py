"""Performance estimated without labels is what labels say on average, if the probabilities are right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from training.metrics.profit import expected_maximum_profit, sorted_contacts
from training.monitor.estimate import (
    auc_interval,
    estimate,
    estimated_auc,
    estimated_log_loss,
    estimated_profit,
    estimated_profit_own_value,
)

probabilities = st.lists(st.floats(0.001, 0.999) | st.sampled_from([0.25, 0.5]), min_size=2, max_size=40).map(np.array)


@given(probabilities)
def test_the_expected_auc_is_that_over_pairs_of_customers(p: np.ndarray) -> None:
    right = pairs = 0.0
    for (i, a), (j, b) in product(enumerate(p), repeat=2):
        if i != j:
            pairs += a * (1 - b)
            right += a * (1 - b) * (1.0 if a > b else 0.5 if a == b else 0.0)
    assert estimated_auc(p) == pytest.approx(right / pairs)
    assert 0.5 - 1e-9 <= estimated_auc(p) <= 1


@given(probabilities)
def test_the_order_of_the_customers_changes_nothing(p: np.ndarray) -> None:
    assert estimated_auc(p[::-1]) == pytest.approx(estimated_auc(p))
    assert estimated_profit(p[::-1]) == pytest.approx(estimated_profit(p))


@given(probabilities)
def test_the_expected_log_loss_is_the_mean_over_what_may_come(p: np.ndarray) -> None:
    assert estimated_log_loss(p) == pytest.approx(np.mean(-p * np.log(p) - (1 - p) * np.log(1 - p)))


def test_one_customer_has_no_pair() -> None:
    assert np.isnan(estimated_auc(np.array([0.3])))


@pytest.mark.parametrize("shape", [(0.5, 0.5), (2.0, 5.0), (8.0, 1.0)])
def test_labels_that_come_as_the_scores_say_agree(shape: tuple[float, float]) -> None:
    random = np.random.default_rng(0)
    p = np.clip(random.beta(*shape, 20_000), 1e-6, 1 - 1e-6)
    y = random.random(len(p)) < p
    worth = random.gamma(1.0, 100.0, len(p))
    found = estimate(p, worth)
    assert found.auc.value == pytest.approx(roc_auc_score(y, p), abs=0.01)
    assert found.auc.low <= roc_auc_score(y, p) <= found.auc.high
    assert found.log_loss == pytest.approx(log_loss(y, p), abs=0.01)
    assert found.churned == pytest.approx(y.mean(), abs=0.01)
    assert found.profit == pytest.approx(expected_maximum_profit(sorted_contacts(y, p)).profit, rel=0.03)


@pytest.mark.parametrize("other", [lambda x: x * 2, lambda x: x * 0.4, np.abs])
def test_estimates_come_true_within_three_points_when_other_customers_come(other: Callable[[np.ndarray], np.ndarray]) -> None:
    """A model learned from some customers is asked about others, whose behaviour for what they are is the same."""
    random = np.random.default_rng(3)
    before, now = random.normal(size=(2, 20_000))
    y = random.random(20_000) < 1 / (1 + np.exp(-1.5 * before))
    model = LogisticRegression().fit(before[:, None], y)
    p = model.predict_proba(other(now)[:, None])[:, 1]
    came = random.random(20_000) < 1 / (1 + np.exp(-1.5 * other(now)))
    found, at_training = estimate(p, np.ones(20_000)), roc_auc_score(y, before)
    assert found.auc.value == pytest.approx(roc_auc_score(came, p), abs=0.03)
    assert found.log_loss == pytest.approx(log_loss(came, p), abs=0.03)
    assert abs(at_training - roc_auc_score(came, p)) > 0.03  # so that the figure of the training would have been wrong


def test_the_bounds_hold_the_auc_of_labels_as_often_as_they_say() -> None:
    random = np.random.default_rng(1)
    p = random.beta(1, 2, 500)
    bounds = auc_interval(p)
    came = [roc_auc_score(random.random(500) < p, p) for _ in range(400)]
    assert np.mean([bounds.low <= auc <= bounds.high for auc in came]) == pytest.approx(0.9, abs=0.05)


def test_the_profit_with_each_ones_value_is_no_less_than_contacting_nobody() -> None:
    random = np.random.default_rng(2)
    p, worth = random.beta(0.5, 8, 300), random.gamma(0.1, 10, 300)
    assert estimated_profit_own_value(p, worth) >= 0
    assert estimated_profit_own_value(p, np.zeros(300)) >= 0

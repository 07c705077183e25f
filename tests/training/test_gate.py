from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from training.gate import CONFIDENCE, judge, log_losses, upper_bound, value_losses

AS_OF = date(2024, 1, 1)


def customers(seed: int, count: int = 3_000):
    random = np.random.default_rng(seed)
    truth = expit(random.normal(0, 1.5, count))
    mean = random.lognormal(3, 1, count)
    churned = random.random(count) < truth
    value = np.where(churned, 0, random.poisson(mean / (1 - truth)))
    return churned, value.astype(float), SimpleNamespace(churn_probability=truth, expected_value=mean)


def worsened(model, shift: float = 0.0, factor: float = 1.0):
    return SimpleNamespace(
        churn_probability=expit(logit(model.churn_probability) + shift), expected_value=model.expected_value * factor
    )


def test_the_same_forecast_is_no_worse_than_itself() -> None:
    churned, value, model = customers(0)
    verdict = judge(churned, value, model, model, as_of=AS_OF, seed=0)
    assert verdict.promote
    assert verdict.compared_at == AS_OF
    assert [comparison.candidate for comparison in verdict.comparisons] == [
        comparison.champion for comparison in verdict.comparisons
    ]


@pytest.mark.parametrize(
    ("shift", "factor", "said"), [(1.0, 1.0, "log_loss"), (0.0, 2.0, "value_deviance"), (1.0, 2.0, "log_loss and value_deviance")]
)
def test_a_worse_candidate_is_refused_and_the_reason_says_in_what(shift: float, factor: float, said: str) -> None:
    churned, value, model = customers(1)
    verdict = judge(churned, value, worsened(model, shift, factor), model, as_of=AS_OF, seed=0)
    assert not verdict.promote
    assert f"in {said} (" in verdict.reason


def test_a_better_candidate_is_promoted() -> None:
    churned, value, model = customers(2)
    assert judge(churned, value, model, worsened(model, 0.5, 1.5), as_of=AS_OF, seed=0).promote


def test_too_few_customers_are_no_proof_for_a_different_model() -> None:
    churned, value, model = customers(3, count=25)
    noise = np.random.default_rng(3).normal(0, 1, 25)
    other = SimpleNamespace(
        churn_probability=expit(logit(model.churn_probability) + noise), expected_value=model.expected_value * np.exp(noise)
    )
    assert not judge(churned, value, other, model, as_of=AS_OF, seed=0).promote


def test_the_verdict_depends_on_the_seed_alone() -> None:
    churned, value, model = customers(4)
    first, again = (judge(churned, value, worsened(model, 0.05), model, as_of=AS_OF, seed=7) for _ in range(2))
    assert first == again


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=30), st.floats(0.1, 10))
def test_no_constant_has_a_lower_value_loss_than_the_mean(values: list[float], factor: float) -> None:
    value = np.array(values)
    at_mean = value_losses(value, np.full(len(value), value.mean())).mean()
    elsewhere = value_losses(value, np.full(len(value), value.mean() * factor)).mean()
    assert at_mean <= elsewhere + 1e-6 * (1 + value.mean())


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_no_probability_has_a_lower_log_loss_than_the_true_one(truth: float, forecast: float) -> None:
    def expected_loss(probability: float) -> float:
        happened = log_losses(np.array([True, False]), np.array([probability, probability]))
        return float(truth * happened[0] + (1 - truth) * happened[1])

    assert expected_loss(truth) <= expected_loss(forecast) + 1e-12


def test_refunds_beyond_the_purchases_count_as_no_value() -> None:
    assert value_losses(np.array([-5.0]), np.array([2.0])) == value_losses(np.array([0.0]), np.array([2.0]))


def test_the_upper_bound_holds_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    held = np.mean([upper_bound(random.normal(0, 1, 400), seed) >= 0 for seed in range(300)])
    assert held == pytest.approx(CONFIDENCE, abs=0.04)

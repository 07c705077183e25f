"""Contributions add up to what they explain, whatever the customer and the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.explanation import Habits, Refunds, blended, explained, shapley
from training.members.kinds import HISTORY
from training.members.stack import HABITS, Blend
from training.scorer import REFUNDED, Scorer

numbers = st.floats(-5, 5)
WITHIN = 1e-9


@given(inputs=st.tuples(numbers, numbers, numbers), reference=st.tuples(numbers, numbers, numbers), factor=numbers)
def test_shapley_values_of_a_sum_are_its_parts(inputs, reference, factor):
    values, base = shapley(lambda a, b, c: factor * a + b**2 + 0 * c, np.array([inputs]), np.array(reference))
    expected = [factor * (inputs[0] - reference[0]), inputs[1] ** 2 - reference[1] ** 2, 0.0]
    assert values[0] == pytest.approx(expected, abs=1e-9)
    assert base == pytest.approx(factor * reference[0] + reference[1] ** 2)


@given(st.tuples(numbers, numbers, numbers))
def test_shapley_values_share_an_interaction_equally(inputs):
    values, base = shapley(lambda a, b, c: a * b * c, np.array([inputs]), np.zeros(3))
    assert values[0] == pytest.approx([inputs[0] * inputs[1] * inputs[2] / 3] * 3)
    assert base == 0


def log_odds(probability: np.ndarray) -> np.ndarray:
    return np.log(probability) - np.log1p(-probability)


def assert_exact(scorer: Scorer, rows: np.ndarray) -> None:
    """Contributions and baseline are the log-odds of leaving, and the logarithm of the value where that has one."""
    forecast, explanation = scorer.predict(rows), scorer.explain(rows)
    churn = explanation.churn.sum(axis=1) + explanation.churn_baseline
    assert churn == pytest.approx(log_odds(forecast.churn_probability), abs=WITHIN)
    known = forecast.expected_value > 0
    value = explanation.value[known].sum(axis=1) + explanation.value_baseline
    assert value == pytest.approx(np.log(forecast.expected_value[known]), abs=WITHIN)
    assert np.isnan(explanation.value[~known]).all()


@st.composite
def customers(draw: st.DrawFn, matrix: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Real customers, some of their features lost, nothing, negative or enormous; what buy-till-you-die reads is there."""
    rows = matrix[draw(st.lists(st.integers(0, len(matrix) - 1), min_size=1, max_size=5))].copy()
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    odd = random.random(rows.shape) < draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    rows[odd] = random.choice([np.nan, 0.0, -3.0, 1e-9, 1e9], rows.shape)[odd]
    recency, rest = np.sort(random.integers(1, 4_000, (2, len(rows))), axis=0)
    counts, amounts = random.integers(1, 500, len(rows)), random.lognormal(3, 3, len(rows))
    rows[:, [names.index(name) for name in HISTORY]] = np.column_stack([counts, recency, recency + rest, amounts])
    return rows


@settings(max_examples=60, deadline=None)
@given(data=st.data(), level=st.sampled_from([0.0, -40.0, 13.0, 40.0]), refund_rate=st.sampled_from([0.0, 0.01, 0.2, 5.0]))
def test_contributions_add_up_whatever_the_history_the_level_and_the_refunds(
    scorer: Scorer, matrix: np.ndarray, data: st.DataObject, level: float, refund_rate: float
) -> None:
    names = scorer.info.feature_names
    rows = data.draw(customers(matrix, names))
    rows[:, names.index(REFUNDED)] = np.abs(rows[:, names.index(REFUNDED)])
    moved = replace(scorer.churn, intercept=scorer.churn.intercept + level)
    assert_exact(replace(scorer, churn=moved, refund_rate=refund_rate), rows)


@given(
    churn=st.lists(st.floats(-30, 30), min_size=3, max_size=3),
    amount=st.lists(st.floats(-10, 10), min_size=3, max_size=3),
    refund=st.floats(-1e3, 0),
)
def test_no_contribution_is_larger_than_what_it_may_explain(churn: list[float], amount: list[float], refund: float) -> None:
    whole_churn, whole_amount = np.array([sum(churn)]), np.array([sum(amount)])
    held = np.clip(whole_churn, -13.8, 13.8)
    found = explained((np.array([churn]), 0.0), (np.array([amount]), 0.0), held, whole_amount, Refunds(np.array([refund]), 0))
    assert (np.abs(found.churn) <= np.abs(churn) + WITHIN).all()
    if np.isfinite(found.value).all():
        # Twice the sizes that there are, and the logarithm of the floor under a value that refunds nearly eat.
        assert np.abs(found.value).max() <= 2 * (np.abs(churn).sum() + np.abs(amount).sum()) + 60


def test_a_customer_like_the_reference_has_no_reasons() -> None:
    nothing = (np.zeros((1, 2)), 0.3)
    found = explained(nothing, (np.zeros((1, 2)), 2.0), np.array([0.3]), np.array([2.0]), Refunds(np.zeros(1), None))
    assert not found.churn.any()
    assert not found.value.any()
    assert found.value_baseline == pytest.approx(2.0 - np.log1p(np.exp(0.3)))


@given(
    weights=st.lists(numbers, min_size=2, max_size=2),
    own=st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=len(HABITS) + 1, max_size=len(HABITS) + 1),
    bases=st.tuples(numbers, numbers),
)
def test_contributions_add_up_where_habits_have_weights_of_their_own(weights, own, bases) -> None:
    random = np.random.default_rng(0)
    sums = [(random.normal(size=(9, 4)), base) for base in bases]
    forecasts = np.column_stack([values.sum(axis=1) + base for values, base in sums])
    blend, habit = Blend(tuple(weights), 0.3, 0.1, tuple(map(tuple, own))), np.arange(9) % len(own)
    contributions, base = blended(blend, sums, Habits(habit, 2))
    assert contributions.sum(axis=1) + base == pytest.approx(blend.combine(forecasts, habit), abs=WITHIN)


def test_the_level_of_a_habit_is_due_to_the_feature_that_says_it() -> None:
    blend = Blend((1.0,), 0.0, own=((0.0, 0.0), (0.0, 0.7), (0.0, 0.0)))
    contributions, base = blended(blend, [(np.zeros((3, 2)), 0.5)], Habits(np.arange(3), 1))
    assert contributions.tolist() == [[0.0, 0.0], [0.0, 0.7], [0.0, 0.0]]
    assert base == 0.5


def test_the_shops_model_weighs_its_members_by_habit(scorer: Scorer) -> None:
    assert len(scorer.churn.own) == len(HABITS) + 1
    assert all(len(own) == len(scorer.members) + 1 and any(own) for own in scorer.churn.own)

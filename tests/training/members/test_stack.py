"""Blends are never negative, lean on equal weights and meet the level of what came; habits of buying may weigh differently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.arrays import probability_of
from training.members.stack import HABITS, Blend, equal_blend, fit_amount_blend, fit_churn_blend, fit_habits, habit_of


def forecasts(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two honest members, one that knows more than the other, and what came."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, 1.5, n)
    members = np.column_stack([truth + random.normal(0, 0.3, n), truth + random.normal(0, 2, n)])
    churned = (random.random(n) < probability_of(truth)).astype(float)
    return members, churned, np.exp(truth + random.normal(0, 0.5, n))


def test_without_evidence_members_count_alike():
    members, churned, _ = forecasts(50, seed=1)
    assert fit_churn_blend(members, churned, np.zeros(50), prior_rows=1e9).weights == pytest.approx((0.5, 0.5), abs=1e-4)
    assert equal_blend(4).weights == (0.25,) * 4


def test_with_evidence_the_better_member_weighs_more():
    members, churned, value = forecasts(20_000, seed=2)
    zeros = np.zeros(len(churned))
    for blend in (fit_churn_blend(members, churned, zeros, 100), fit_amount_blend(members, value, zeros, 100)):
        assert blend.weights[0] > 2 * blend.weights[1]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1_000), n=st.integers(2, 300), prior=st.floats(1, 5_000))
def test_no_member_is_ever_believed_in_reverse(seed, n, prior):
    members, churned, value = forecasts(n, seed)
    for blend in (fit_churn_blend(-members, churned, np.zeros(n), prior), fit_amount_blend(-members, value, np.zeros(n), prior)):
        assert min(blend.weights) >= 0
        assert np.isfinite(blend.combine(members)).all()


def test_the_level_is_that_of_what_came_with_the_season_taken_out():
    members, churned, _ = forecasts(5_000, seed=3)
    season = np.full(len(churned), 0.4)
    blend = fit_churn_blend(members, churned, season, 2_000)
    assert probability_of(blend.combine(members) + season).mean() == pytest.approx(churned.mean(), abs=2e-3)


def test_the_largest_customer_moves_the_level_less_than_their_share_of_the_money():
    members, _, value = forecasts(5_000, seed=4)
    members[0] = np.log(value.sum())
    usual = fit_amount_blend(members, value, np.zeros(5_000), 1e9)
    value[0] = 2 * value.sum()  # twice what everyone else spends together: by money alone the level would double
    moved = fit_amount_blend(members, value, np.zeros(5_000), 1e9)
    assert abs(moved.intercept - usual.intercept) < 0.1


def habits(n: int) -> np.ndarray:
    """Customers of every habit, by turns."""
    return np.arange(n) % (len(HABITS) + 1)


def test_a_habit_is_a_number_of_days_bought_on():
    assert habit_of(np.array([1.0, 2.0, 3.0, 4.0, 500.0, np.nan])).tolist() == [0, 1, 1, 2, 2, 2]


def test_each_habit_believes_the_member_that_knows_it():
    one, churned, _ = forecasts(30_000, seed=5)
    habit = habits(len(churned))
    members = np.where((habit == 0)[:, None], one[:, ::-1], one)  # the member that knows the others does not know who came once
    whole = fit_churn_blend(members, churned, np.zeros(len(churned)), 100)
    blend = fit_habits(whole, members, churned, np.zeros(len(churned)), habit=habit, prior_rows=100)
    weights = np.array(whole.weights) + np.array(blend.own)[:, :-1]
    assert weights[0, 1] > 2 * weights[0, 0]
    assert (weights[1:, 0] > 2 * weights[1:, 1]).all()
    alike, own = (np.logaddexp(0, odds) - churned * odds for odds in (blend.combine(members), blend.combine(members, habit)))
    assert own.mean() < 0.95 * alike.mean()


def test_without_evidence_every_habit_is_as_everyone():
    members, churned, _ = forecasts(200, seed=6)
    whole = fit_churn_blend(members, churned, np.zeros(200), 2_000)
    blend = fit_habits(whole, members, churned, np.zeros(200), habit=habits(200), prior_rows=1e9)
    assert np.abs(np.array(blend.own)).max() < 1e-4


def test_a_habit_that_nobody_had_is_as_everyone():
    members, churned, _ = forecasts(200, seed=7)
    whole = fit_churn_blend(members, churned, np.zeros(200), 10)
    blend = fit_habits(whole, members, churned, np.zeros(200), habit=np.zeros(200, dtype=np.int64), prior_rows=10)
    assert blend.own[0] != (0.0,) * 3
    assert blend.own[1:] == ((0.0,) * 3,) * len(HABITS)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1_000), n=st.integers(3, 300), prior=st.floats(1, 5_000))
def test_no_habit_believes_a_member_in_reverse(seed, n, prior):
    members, churned, _ = forecasts(n, seed)
    whole = fit_churn_blend(-members, churned, np.zeros(n), prior)
    blend = fit_habits(whole, -members, churned, np.zeros(n), habit=habits(n), prior_rows=prior)
    assert (np.array(whole.weights) + np.array(blend.own)[:, :-1]).min() >= -1e-12
    assert np.isfinite(blend.combine(members, habits(n))).all()


def test_a_blend_without_habits_is_read_as_older_versions_wrote_it():
    assert Blend.from_dict({"weights": [0.5], "intercept": 1.0, "shift": 0.1}) == Blend((0.5,), 1.0, 0.1)

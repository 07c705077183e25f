"""Blends are never negative, lean on equal weights, and meet the level of what came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.arrays import probability_of
from training.stack import equal_blend, fit_amount_blend, fit_churn_blend


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

"""Quantiles of a value that is often 0: ordered, never missing, and as often exceeded as promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quantiles import DEFAULT_SPREAD, Spread, fit_spread


def outcomes(n: int, seed: int, spread: float = 0.8) -> tuple[np.ndarray, ...]:
    """Forecasts that are right, and what came of them."""
    random = np.random.default_rng(seed)
    active, amount = random.beta(0.6, 1, n) * 0.98 + 0.01, np.exp(random.normal(3, 1, n))
    churned = (random.random(n) > active).astype(float)
    value = np.where(churned == 1, 0, amount * np.exp(random.normal(-(spread**2) / 2, spread, n)))
    return active, amount, value, churned


def test_later_customers_exceed_the_high_quantile_as_often_as_promised():
    spread = fit_spread(*outcomes(20_000, seed=0))
    active, amount, value, _ = outcomes(20_000, seed=1)
    low, high = spread.quantiles(active, amount)
    assert (value > high).mean() == pytest.approx(np.minimum(active, 0.1).mean(), abs=0.01)
    assert (value < low).mean() <= 0.11


def test_whoever_stays_away_nine_times_in_ten_has_a_high_quantile_of_zero():
    low, high = DEFAULT_SPREAD.quantiles(np.array([0.05, 0.99]), np.array([100.0, 100.0]))
    assert (low[0], high[0]) == (0, 0)
    assert 0 < low[1] < 100 < high[1]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 2_000), seed=st.integers(0, 1_000), spread=st.floats(0.01, 3))
def test_quantiles_are_ordered_finite_and_not_negative(n, seed, spread):
    active, amount, value, churned = outcomes(n, seed, spread)
    low, high = fit_spread(active, amount, value, churned).quantiles(active, amount)
    assert np.isfinite(high).all()
    assert (low >= 0).all()
    assert (low <= high).all()


def test_without_buyers_the_default_spread_is_used():
    active = np.full(10, 0.3)
    assert fit_spread(active, active, np.zeros(10), np.ones(10)) == DEFAULT_SPREAD


@settings(max_examples=40, deadline=None)
@given(forecasts=st.lists(st.floats(0.1, 1.0), min_size=1, max_size=4), n=st.integers(600, 3_000), seed=st.integers(0, 100))
def test_customers_whose_forecasts_are_alike_have_quantiles(forecasts, n, seed):
    """A company whose customers all come back: every forecast says so."""
    random = np.random.default_rng(seed)
    active, amount = random.choice(forecasts, n), np.full(n, 10.0)
    spread = fit_spread(active, amount, random.gamma(2, 5, n), np.zeros(n))
    low, high = spread.quantiles(active, amount)
    assert np.isfinite(high).all()
    assert (low <= high).all()


def test_plain_values_bring_back_the_same_spread():
    spread = fit_spread(*outcomes(3_000, seed=2))
    assert Spread.from_dict(spread.to_dict()) == spread

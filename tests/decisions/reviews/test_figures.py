"""Figures with bounds: they hold their figure, stay in range, and hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.reviews.figures import around, mean_between, ratio_between, ratio_error, share_between


@given(st.integers(0, 50), st.integers(1, 50))
def test_a_share_lies_between_its_bounds_and_these_between_0_and_1(hits: int, more: int) -> None:
    share = share_between(hits, hits + more)
    assert 0 <= share.low <= share.value <= share.high <= 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_a_mean_lies_between_its_bounds(values: list[float]) -> None:
    mean = mean_between(np.array(values))
    assert mean.low <= mean.value <= mean.high


def test_nothing_has_no_figure_and_one_value_no_bounds() -> None:
    assert np.isnan([mean_between(np.array([])).value, share_between(0, 0).value]).all()
    assert mean_between(np.array([4.0])).value == 4
    assert np.isnan(mean_between(np.array([4.0])).low)


def test_a_ratio_to_nothing_promised_is_not_known() -> None:
    assert np.isnan(ratio_between(np.array([3.0]), np.array([0.0])).value)
    assert np.isnan(ratio_error(np.array([3.0]), np.array([0.0])))


def test_bounds_hold_the_truth_nine_times_in_ten() -> None:
    random = np.random.default_rng(4)
    means, ratios = 0, 0
    for _ in range(600):
        promised = random.exponential(10, 60)
        came = promised * random.gamma(4, 0.25, 60)
        mean, ratio = mean_between(random.normal(5, 2, 12)), ratio_between(came, promised)
        means += mean.low <= 5 <= mean.high
        ratios += ratio.low <= 1 <= ratio.high
    assert means / 600 == pytest.approx(0.9, abs=0.04)
    assert ratios / 600 == pytest.approx(0.88, abs=0.05)  # sixty skewed customers are few


def test_bounds_scale_with_the_unit() -> None:
    figure = around(2.0, 0.5).times(100.0)
    assert (figure.value, figure.high - figure.value) == (200, pytest.approx(100 * (around(2.0, 0.5).high - 2)))

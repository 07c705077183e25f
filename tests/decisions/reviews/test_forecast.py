"""The interval of a total holds it as often as it says."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.reviews.forecast import SHOCK_MEDIAN, SHOCK_SPREAD, PastTotal, total_between

DAY = date(2026, 1, 1)
TOTALS = st.lists(st.tuples(st.floats(1, 1e6), st.floats(0.2, 5), st.floats(0, 0.3)), min_size=1, max_size=5)


@given(st.floats(1, 1e9), st.integers(1, 10**6), TOTALS)
def test_the_bounds_hold_the_forecast_and_scale_with_it(promised: float, customers: int, past: list[tuple[float, ...]]) -> None:
    known = [PastTotal(DAY, 100, each, each * ratio, single) for each, ratio, single in past]
    one, ten = total_between(promised, customers, known), total_between(10 * promised, customers, known)
    assert 0 < one.low < one.value < one.high
    assert (ten.low, ten.high) == (pytest.approx(10 * one.low), pytest.approx(10 * one.high))


@given(TOTALS)
def test_a_worse_past_makes_a_wider_interval(past: list[tuple[float, ...]]) -> None:
    near, far = ([PastTotal(DAY, 100, each, each * ratio**power, single) for each, ratio, single in past] for power in (1, 2))
    assert total_between(100.0, 100, near).high <= total_between(100.0, 100, far).high * (1 + 1e-9)


def test_without_a_past_or_a_forecast_there_are_no_bounds() -> None:
    assert np.isnan(total_between(100.0, 100, []).high)
    assert np.isnan(total_between(-5.0, 100, [PastTotal(DAY, 100, 1.0, 1.0, 0.1)]).high)
    assert np.isnan(
        total_between(100.0, 100, [PastTotal(DAY, 100, 0.0, 1.0, 0.1)]).high
    )  # nothing was promised, so nothing is learned


@pytest.mark.parametrize("dates", [1, 3])
def test_nine_in_ten_totals_fall_within_where_shocks_are_as_believed(dates: int) -> None:
    random = np.random.default_rng(dates)
    held = []
    for _ in range(700):
        shock = SHOCK_MEDIAN * np.exp(SHOCK_SPREAD * random.normal())
        *past, now = 100 * np.exp(np.hypot(shock, 0.05) * random.normal(size=dates + 1))
        bounds = total_between(100.0, 100, [PastTotal(DAY, 100, 100.0, came, 0.05) for came in past])
        held.append(bounds.low <= now <= bounds.high)
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)


def test_more_customers_even_out_what_single_ones_do() -> None:
    past = [PastTotal(DAY, 100, 50.0, 50.0, 0.3)]
    few, many = (total_between(50.0, customers, past) for customers in (100, 10_000))
    assert many.high < few.high

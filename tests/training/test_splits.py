"""Dates to learn from keep their distance from the dates they are tested on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.splits import (
    LEAST_HISTORY_DAYS,
    MOST_DATES,
    YEAR_DAYS,
    cut_days,
    fresh_days,
    further_horizons,
    panel_days,
    sampled_customers,
)

spans = {"first": st.integers(0, 1000), "length": st.integers(1, 2000), "horizon": st.integers(1, 400)}


@given(**spans)
def test_every_date_has_a_history_behind_and_a_whole_horizon_before_it(first, length, horizon):
    days = panel_days(first, first + length, horizon)
    assert list(days) == sorted(set(days))
    assert len(days) <= MOST_DATES + 1
    assert all(first + LEAST_HISTORY_DAYS <= day <= first + length - horizon for day in days)


@given(**spans)
def test_the_dates_whole_horizons_back_are_in_the_panel(first, length, horizon):
    as_of = first + length
    days = panel_days(first, as_of, horizon)
    back = [as_of - k * horizon for k in (1, 2, 3, 4)]
    assert {day for day in back if day >= first + LEAST_HISTORY_DAYS} <= set(days)
    assert cut_days(days, as_of, horizon, 4) == tuple(day for day in back if day in days)


@given(**spans)
def test_a_further_horizon_has_passed_once_since_there_was_a_history(first, length, horizon):
    further = further_horizons(first, first + length, horizon)
    assert set(further) == {days for days in (30, 90, 180) if days != horizon and days + LEAST_HISTORY_DAYS <= length}
    assert list(further) == sorted(further)


@given(**spans)
def test_fresh_dates_lie_between_the_newest_label_and_as_of_and_a_shorter_horizon_is_over(first, length, horizon):
    as_of, further = first + length, further_horizons(first, first + length, horizon)
    for day in fresh_days(first, as_of, horizon, further):
        assert max(as_of - horizon, first + LEAST_HISTORY_DAYS - 1) < day <= as_of - min(further)


def test_the_same_date_a_year_ago_is_in_the_panel_where_the_history_allows():
    assert 1000 - YEAR_DAYS in panel_days(0, 1000, 28)
    assert min(panel_days(900, 1000, 28)) >= 928


@given(rows=st.integers(1, 5_000), wanted=st.integers(1, 2_000), seed=st.integers(0, 9))
def test_a_sample_takes_whole_customers_and_the_same_ones_at_every_date(rows, wanted, seed):
    customer = np.random.default_rng(seed).integers(0, 500, rows)
    keep = sampled_customers(customer, wanted)
    kept = set(customer[keep])
    assert keep.tolist() == [code in kept for code in customer]
    assert keep.all() or rows > wanted


def test_a_sample_is_about_as_large_as_asked_for():
    assert abs(sampled_customers(np.arange(100_000), 20_000).sum() - 20_000) < 500

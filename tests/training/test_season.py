"""What a date adds to everyone alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.arrays import probability_of
from training.data import TrainingData
from training.fitting import lifetime_at
from training.season import LARGEST_EFFECT, Windows, churn_windows, log_level, log_odds_shift, measure_season, no_season

DAYS = 30 * np.arange(14)


def monthly(effects: np.ndarray) -> Windows:
    """The effects of months, one after another."""
    return Windows(DAYS[: len(effects)], np.full(len(effects), 30), effects)


def test_a_season_returns_after_a_year():
    months = monthly(np.where((DAYS > 60) & (DAYS < 180), 0.6, 0.0))
    assert 0.15 < months.forecast(120 + 364, 30).mean - months.forecast(300 + 364, 30).mean < 0.6


def test_a_new_level_lasts():
    assert monthly(np.where(DAYS > 180, 0.5, 0.0)).forecast(int(DAYS[-1]) + 90, 30).mean > 0.25


def test_without_dates_nothing_is_forecast_and_little_is_sure():
    nothing = monthly(np.array([])).forecast(100, 30)
    assert nothing.mean == 0
    assert nothing.sd > monthly(np.zeros(14)).forecast(450, 30).sd > 0


@given(level=st.floats(-2, 2), ahead=st.integers(0, 400), length=st.integers(1, 400))
def test_a_constant_effect_is_forecast_to_go_on(level, ahead, length):
    forecast = monthly(np.full(14, level)).forecast(int(DAYS[-1]) + ahead, length).mean
    assert forecast == pytest.approx(level, abs=0.01 + 0.06 * abs(level))


def test_the_effect_of_a_long_window_is_the_mean_of_its_parts():
    months = monthly(np.where((DAYS > 60) & (DAYS < 180), 0.6, 0.0))
    parts = [months.forecast(day, 30).mean for day in (450, 480, 510)]
    assert months.forecast(450, 90).mean == pytest.approx(np.mean(parts), abs=0.005)


def test_what_is_new_shows_in_the_windows_that_are_over_soon(shop_data: TrainingData):
    """Of a horizon of 90 days the newest window began 90 days ago, of 30 days 30 days ago."""
    day = shop_data.as_of_day
    windows = churn_windows(shop_data, day, lifetime_at(shop_data, day))
    assert set(windows.lengths.tolist()) == {30, 90, 180}
    assert (windows.days + windows.lengths).max() == day
    assert np.isfinite(windows.effects).all()


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_a_shift_brings_the_mean_to_the_share(log_odds, share):
    shift = log_odds_shift(np.array(log_odds), share)
    mean = float(probability_of(np.array(log_odds) + shift).mean())
    assert mean == pytest.approx(share, abs=1e-6) or abs(shift) == LARGEST_EFFECT


def test_the_level_is_the_factor_between_forecast_and_truth():
    assert log_level(np.array([2.0, 4.0]), np.log([1.0, 2.0])) == pytest.approx(np.log(2))


def test_measured_effects_make_buy_till_you_die_right_at_every_date(shop_data: TrainingData):
    lifetime = lifetime_at(shop_data, shop_data.as_of_day)
    known = shop_data.known_at(shop_data.as_of_day)
    season = measure_season(known, lifetime)
    for day in known.labelled_days:
        rows = known.at(day)
        forecast = probability_of(lifetime.churn_logit(rows.matrix) + season.offsets(rows.day)[0])
        assert forecast.mean() == pytest.approx(rows.churned.mean(), abs=1e-6)


def test_no_season_adds_nothing(shop_data: TrainingData):
    known = shop_data.known_at(shop_data.as_of_day)
    churn, amount = no_season(known).offsets(known.day)
    assert not churn.any()
    assert not amount.any()

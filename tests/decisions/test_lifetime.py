import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.lifetime import geometric_sum, lifetime_value

probability = st.floats(0, 1)
value = st.floats(0, 1e6)


def lifetime(churn, expected, horizon_days=90, rate=0.1, years=3.0):
    arrays = (np.array([float(each)]) for each in (churn, expected, horizon_days))
    return float(lifetime_value(*arrays, yearly_rate=rate, years=years)[0])


@given(expected=value, periods=st.integers(1, 40), horizon=st.integers(1, 400))
def test_at_no_churn_and_no_discount_it_is_the_number_of_horizons_times_the_value(expected, periods, horizon):
    years = periods * horizon / 365
    assert lifetime(0, expected, horizon, rate=0, years=years) == pytest.approx(periods * expected)


@given(expected=value, churn=probability, more=probability)
def test_more_churn_is_never_worth_more(expected, churn, more):
    assert lifetime(max(churn, more), expected) <= lifetime(min(churn, more), expected) * (1 + 1e-12)


@given(expected=value, churn=probability, rate=st.floats(0, 0.9), more=st.floats(0, 0.1))
def test_a_higher_discount_rate_is_never_worth_more(expected, churn, rate, more):
    assert lifetime(churn, expected, rate=rate + more) <= lifetime(churn, expected, rate=rate) * (1 + 1e-12)


@given(expected=value, churn=probability, years=st.floats(0.5, 10), more=st.floats(0, 5))
def test_a_longer_time_is_never_worth_less(expected, churn, years, more):
    assert lifetime(churn, expected, years=years + more) >= lifetime(churn, expected, years=years) * (1 - 1e-9)


@given(churn=probability, rate=st.floats(0, 0.5), horizons=st.integers(1, 12))
def test_it_is_the_sum_written_out(churn, rate, horizons):
    expected, days = 50.0, 365 / 4
    written_out = sum(expected * (1 - churn) ** (k - 1) / (1 + rate) ** (k / 4) for k in range(1, horizons + 1))
    assert lifetime(churn, expected, days, rate=rate, years=horizons / 4) == pytest.approx(written_out)


def test_who_leaves_for_certain_is_worth_the_next_horizon_only():
    assert lifetime(1, 40, horizon_days=365, rate=0) == 40


def test_missing_predictions_have_a_missing_lifetime_value_and_a_loss_stays_a_loss():
    assert np.isnan(lifetime(0.2, np.nan))
    assert np.isnan(lifetime(np.nan, 10))
    assert lifetime(0.2, -10) < 0


@given(factor=st.floats(0, 1), periods=st.floats(0, 50))
def test_a_geometric_sum_lies_between_nothing_and_the_number_of_periods(factor, periods):
    total = geometric_sum(np.array([factor]), np.array([periods]))[0]
    assert -1e-9 <= total <= periods + 1e-9

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from decisions.lifetimes.lifetime import geometric_sum, lifetime_interval, lifetime_value

probability = st.floats(0, 1)
value = st.just(0.0) | st.floats(1e-6, 1e6)
"""Money: none, or no less than a millionth. At the very end of what floats hold (5e-324) nothing scales."""


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


def interval(churn, expected, high, *, rate=0.1, years=3.0, horizon_days=90):
    arrays = (np.atleast_1d(np.asarray(each, float)) for each in (churn, expected, high))
    return lifetime_interval(*arrays, horizon_days, yearly_rate=rate, years=years)


def simulated(churn, mean, spread, *, steady, rate=0.1, years=3.0, horizon_days=90, customers=40_000):
    """What customers bring who stay a geometric number of horizons and spend log-normally, the same in each horizon or anew."""
    rng, horizons = np.random.default_rng(1), 365 * years / horizon_days
    step = np.arange(1, int(np.ceil(horizons)) + 1)
    weight = np.minimum(1, horizons - step + 1) * (1 + rate) ** (-step * horizon_days / 365)
    active = rng.geometric(churn, customers)[:, None] > step
    shape = (customers, 1) if steady else active.shape
    return (active * weight * mean * np.exp(rng.normal(-(spread**2) / 2, spread, shape))).sum(axis=1)


def high_quantile(churn, mean, spread):
    """The 90 % quantile of the next horizon of such a customer, as a model would predict it."""
    return mean * np.exp(-(spread**2) / 2 + spread * ndtri((0.9 - churn) / (1 - churn)))


@pytest.mark.parametrize(("churn", "spread"), [(0.02, 0.3), (0.05, 0.8), (0.2, 0.5), (0.5, 0.8), (0.7, 0.4), (0.85, 1.0)])
def test_the_interval_holds_eight_of_ten_simulated_customers(churn, spread):
    low, high = interval(churn, (1 - churn) * 100, high_quantile(churn, 100, spread))
    brought = simulated(churn, 100, spread, steady=True)
    assert (brought < low[0]).mean() <= 0.1 + 0.006
    assert (brought <= low[0]).mean() >= 0.1 - 0.006
    assert (brought > high[0]).mean() == pytest.approx(0.1, abs=0.006)


@pytest.mark.parametrize(("churn", "spread"), [(0.02, 0.5), (0.05, 0.8), (0.2, 0.5), (0.5, 0.8)])
def test_where_spending_evens_out_the_interval_is_no_narrower_than_it_need_be(churn, spread):
    low, high = interval(churn, (1 - churn) * 100, high_quantile(churn, 100, spread))
    brought = simulated(churn, 100, spread, steady=False)
    assert ((brought >= low[0]) & (brought <= high[0])).mean() >= 0.8 - 0.01


@given(
    churn=probability,
    expected=value,
    ratio=st.just(0.0) | st.floats(1e-6, 20),
    years=st.floats(0.1, 10),
    rate=st.floats(0, 0.5),
)
def test_an_interval_is_one_and_scales_with_money(churn, expected, ratio, years, rate):
    low, high = interval(churn, expected, expected * ratio, rate=rate, years=years)
    if churn < 1:
        assert 0 <= low[0] <= high[0] * (1 + 1e-9)
        double = interval(churn, 2 * expected, 2 * expected * ratio, rate=rate, years=years)
        np.testing.assert_allclose(double, (2 * low, 2 * high), rtol=1e-5)


@given(churn=st.floats(0, 0.85), spread=st.floats(0.05, 1), years=st.floats(0.5, 5), more=st.floats(0, 5))
def test_a_longer_time_has_no_lower_interval(churn, spread, years, more):
    given_high = high_quantile(churn, 100, spread)
    shorter, longer = (interval(churn, (1 - churn) * 100, given_high, years=each) for each in (years, years + more))
    assert longer[0][0] >= shorter[0][0] * (1 - 1e-5)
    assert longer[1][0] >= shorter[1][0] * (1 - 1e-5)


def test_what_is_not_known_has_no_interval_and_who_surely_leaves_brings_nothing():
    low, high = interval([0.2, np.nan, 0.2, 0.2, 0.95, 0.2], [10, 10, np.nan, -5, 10, 0], [20, 20, 20, 20, 0, 0])
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, True, True, True, False, False]
    assert (low[4], high[4], low[5], high[5]) == (0, 0, 0, 0)

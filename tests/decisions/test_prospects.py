import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.prospects import FEWEST, first_purchase_probability, waiting_curve

N = 60
waits = arrays(np.int64, N, elements=st.integers(0, 200))
flags = arrays(np.bool_, N)


@given(waited=waits, bought=flags, asked=waits, horizon=st.integers(1, 100), more=st.integers(0, 100))
def test_a_chance_is_one_and_grows_with_the_horizon(waited, bought, asked, horizon, more):
    curve = waiting_curve(waited, bought)
    short, longer = (first_purchase_probability(asked, days, curve) for days in (horizon, horizon + more))
    known = ~np.isnan(short)
    assert ((short[known] >= 0) & (short[known] <= 1)).all()
    assert (longer[known] >= short[known]).all()


@given(waited=waits, bought=flags)
def test_the_share_that_waits_only_falls(waited, bought):
    curve = waiting_curve(waited, bought)
    assert (np.diff(curve.days) > 0).all()
    assert (np.diff(np.concatenate([[1.0], curve.waiting])) <= 0).all()


def test_with_everybody_watched_it_is_the_share_who_bought():
    waited = np.repeat([5, 15, 99], 100)
    curve = waiting_curve(waited, np.repeat([True, True, False], 100))
    np.testing.assert_allclose(first_purchase_probability(np.array([0, 5, 15]), 12, curve), [1 / 3, 1 / 2, 0])


def test_people_who_are_still_watched_only_for_days_count_for_these_days():
    # Half of them joined so lately that only their first ten days are known; all buy at the same rate.
    rng = np.random.default_rng(0)
    truth = rng.geometric(0.02, 40_000) - 1
    seen = np.where(np.arange(truth.size) % 2 == 0, 10, 300)
    waited, bought = np.minimum(truth, seen), truth <= seen
    curve = waiting_curve(waited, bought)
    expected = 1 - 0.98**30
    np.testing.assert_allclose(first_purchase_probability(np.array([0, 50, 100]), 30, curve), expected, atol=0.02)


def test_a_curve_of_few_people_ends_early():
    waited = np.arange(FEWEST + 5)
    curve = waiting_curve(waited, np.ones(waited.size, dtype=bool))
    assert curve.days.max() == curve.until_days == 5
    assert np.isnan(first_purchase_probability(np.array([5, 6]), 9, curve)).tolist() == [False, True]


def test_where_nobody_joined_nothing_is_known_and_where_nobody_bought_nobody_is_expected_to():
    nothing, waited = np.array([], dtype=np.int64), np.array([9] * 50)
    assert np.isnan(first_purchase_probability(np.array([3]), 30, waiting_curve(nothing, nothing.astype(bool)))).all()
    assert first_purchase_probability(np.array([3]), 30, waiting_curve(waited, np.zeros(50, dtype=bool))).tolist() == [0.0]

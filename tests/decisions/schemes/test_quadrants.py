import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.labels import Quadrant
from decisions.policy import QuadrantPolicy
from decisions.schemes.quadrants import potential_value, quadrant
from decisions.schemes.verdict import History

money = st.one_of(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([0.0, 1.0, 2.0, np.nan]))
values = st.integers(1, 60).flatmap(lambda n: arrays(np.float64, n, elements=money))
histories = st.lists(st.sampled_from([*map(str, Quadrant), None]), min_size=60, max_size=60)
HALF = QuadrantPolicy(high_share=0.5)


@given(current=values, data=st.data(), previous=histories)
def test_among_equal_histories_more_current_value_never_leaves_the_high_half(current, data, previous):
    potential = data.draw(arrays(np.float64, current.size, elements=money))
    previous = np.array(previous[: current.size], dtype=object)
    verdict = quadrant(current, potential, QuadrantPolicy(high_share=0.3), History(previous, 0.1))
    assert set(verdict.words.tolist()) <= set(map(str, Quadrant))
    for was in {*previous}:
        same = np.array([each == was for each in previous]) & ~np.isnan(current)
        high = np.isin(verdict.codes[same], [0, 2])[np.argsort(current[same])]
        assert (np.diff(high.astype(int)) >= 0).all()


def test_quadrants_are_named_by_now_and_next():
    words = quadrant(np.array([9.0, 1, 9, 1]), np.array([9.0, 9, 1, 1]), HALF).words
    assert words.tolist() == ["gold", "star", "stream", "burden"]


def test_each_half_has_its_own_hysteresis_and_its_reason():
    # Five customers, two of them high: the cuts are the third values, 100 and 95.
    previous = np.array(["gold", "burden", None, None, "burden"], dtype=object)
    now, later = np.array([95.0, 109.0, 100.0, 1.0, 120.0]), np.array([95.0, 111.0, 100.0, 1.0, 1.0])
    verdict = quadrant(now, later, QuadrantPolicy(high_share=0.4), History(previous, 0.1))
    assert verdict.words.tolist() == ["gold", "star", "star", "burden", "stream"]
    assert verdict.why(1) == "current value 109.00, high above 110.00; potential value 111.00, high above 104.50"


def test_potential_is_what_is_spent_elsewhere_where_known_else_the_year_ahead():
    potential = potential_value(
        np.array([100.0, 20.0, np.nan, np.nan]),
        np.array([30.0, 50.0, 30.0, np.nan]),
        np.array([5.0, 5.0, 5.0, np.nan]),
        np.array([73.0] * 4),
    )
    np.testing.assert_array_equal(potential, [70.0, 0.0, 25.0, np.nan])

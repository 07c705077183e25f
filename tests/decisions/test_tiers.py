import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.labels import Quadrant, ServiceLevel, Tier
from decisions.policy import QuadrantPolicy, TierPolicy
from decisions.tiers import cut_above_share, potential_value, quadrant_codes, service_codes, tier_codes, tier_words

POLICY = TierPolicy(vip=0.01, major=0.04, ordinary=0.15, hysteresis=0.1)
WIDE = TierPolicy(vip=0.2, major=0.2, ordinary=0.2, hysteresis=0.1)
money = st.one_of(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([0.0, 1.0, 2.0, np.nan, np.inf]))
values = st.integers(1, 60).flatmap(lambda n: arrays(np.float64, n, elements=money))
histories = st.lists(st.sampled_from([*map(str, Tier), None]), min_size=60, max_size=60)


def words_of(values, policy=POLICY, previous=None):
    return tier_words(tier_codes(np.asarray(values, float), policy, previous)).tolist()


@given(values=values)
def test_without_history_no_tier_holds_more_than_its_share(values):
    codes = tier_codes(values, WIDE)
    for boundary, share in enumerate((0.2, 0.4, 0.6)):
        assert (codes <= boundary).sum() <= share * values.size + 1e-9


@given(values=values, previous=histories)
def test_more_value_never_means_a_lower_tier_among_equal_histories(values, previous):
    previous = np.array(previous[: values.size], dtype=object)
    codes = tier_codes(values, WIDE, previous)
    for was in {*previous}:
        same = np.array([each == was for each in previous]) & ~np.isnan(values)
        order = np.argsort(values[same])
        assert (np.diff(codes[same][order]) <= 0).all()


@given(values=values)
def test_equal_values_get_the_same_tier(values):
    codes = tier_codes(values, WIDE)
    for value in values:
        assert len({*codes[values == value].tolist()}) <= 1


@given(values=values, previous=histories)
def test_hysteresis_only_ever_keeps_people_where_they_were(values, previous):
    previous = np.array(previous[: values.size], dtype=object)
    fresh, sticky = tier_codes(values, WIDE), tier_codes(values, WIDE, previous)
    order = [*map(str, Tier)]
    for was, strict, held in zip(previous, fresh, sticky, strict=True):
        place = strict if was is None else order.index(was)
        # The held tier lies between the previous one and the one that the value alone would give.
        assert min(place, strict) <= held <= max(place, strict)


def test_a_hundred_customers_make_the_pyramid_of_one_four_fifteen_eighty():
    tiers = words_of(np.arange(1, 101))
    assert [tiers.count(tier) for tier in Tier] == [1, 4, 15, 80]
    assert tiers[-1] == "VIP"


def test_ties_at_a_cut_all_go_to_the_lower_tier():
    assert words_of([9, 5, 5, 5, 1], WIDE) == ["VIP", "small", "small", "small", "small"]


@pytest.mark.parametrize("nothing", [[0.0] * 50, [-3.0] * 50, [np.nan] * 50, [7.0]])
def test_those_without_value_or_company_are_small(nothing):
    assert set(words_of(nothing)) == {"small"}


def test_a_customer_near_the_cut_stays_and_one_beyond_the_band_moves():
    # Five customers, 20 % each: the cut of VIP is the second value, 100.
    previous = np.array(["VIP", "major", None, None, None], dtype=object)
    assert words_of([95, 100, 104, 10, 1], WIDE, previous)[:2] == ["VIP", "major"]
    assert words_of([80, 100, 104, 10, 1], WIDE, previous)[0] != "VIP"


@given(values=values, share=st.floats(0, 1))
def test_no_more_than_the_share_lies_above_the_cut(values, share):
    cut = cut_above_share(values, share)
    assert cut >= 0
    assert (values > cut).sum() <= share * values.size + 1e-6


@given(current=values, data=st.data())
def test_every_customer_has_one_quadrant_and_more_current_value_never_leaves_the_high_half(current, data):
    potential = data.draw(arrays(np.float64, current.size, elements=money))
    codes = quadrant_codes(current, potential, QuadrantPolicy(high_share=0.3))
    high = np.isin(codes, [0, 2])
    assert ((codes >= 0) & (codes < len(Quadrant))).all()
    assert not high.any() or current[high].min() > np.nanmax(np.where(high, -np.inf, np.nan_to_num(current, nan=-np.inf)))


def test_quadrants_are_named_by_now_and_next():
    codes = quadrant_codes(np.array([9.0, 1, 9, 1]), np.array([9.0, 9, 1, 1]), QuadrantPolicy(high_share=0.5))
    assert [list(Quadrant)[code] for code in codes] == ["gold", "star", "stream", "burden"]


def test_potential_is_what_is_spent_elsewhere_where_known_else_the_year_ahead():
    potential = potential_value(
        np.array([100.0, 20.0, np.nan, np.nan]),
        np.array([30.0, 50.0, 30.0, np.nan]),
        np.array([5.0, 5.0, 5.0, np.nan]),
        np.array([73.0] * 4),
    )
    np.testing.assert_array_equal(potential, [70.0, 0.0, 25.0, np.nan])


def test_service_follows_the_tier_and_small_customers_below_their_cost_get_the_basic_one():
    tier = np.array([0, 1, 2, 3, 3, 3])
    codes = service_codes(tier, np.array([1.0, 1, 1, 10, 4, np.nan]), np.array([5.0] * 6))
    assert [list(ServiceLevel)[code] for code in codes] == [
        "partnership",
        "proactive",
        "accountable",
        "reactive",
        "basic",
        "basic",
    ]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.labels import AbcClass, AccountClass, Tier
from decisions.policy import AbcPolicy, AccountPolicy, TierPolicy
from decisions.schemes.bands import cut_above_share, cut_above_sum
from decisions.schemes.tiers import abc_class, account_class, protected_floors, value_tier
from decisions.schemes.verdict import History
from serving.plans.policy import read_policy

POLICY = read_policy()
WIDE = TierPolicy(vip=0.2, major=0.2, ordinary=0.2)
ABC = AbcPolicy(a=0.65, b=0.85)
ACCOUNTS = AccountPolicy(core=0.1, key=0.2, promising=0.3)
money = st.one_of(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([0.0, 1.0, 2.0, np.nan]))
values = st.integers(1, 60).flatmap(lambda n: arrays(np.float64, n, elements=money))
BAND = 0.1


def tier(values, policy=WIDE, previous=None, band=BAND, groups=None):
    return value_tier(np.asarray(values, float), policy, History(previous, band, groups))


def abc(values, previous=None):
    return abc_class(np.asarray(values, float), ABC, History(previous, BAND))


def accounts(values, previous=None):
    """By potential value that is the expected value: the last but one class is then cut out of the same figure."""
    return account_class(np.asarray(values, float), np.asarray(values, float), ACCOUNTS, History(previous, BAND))


SCHEMES = [(tier, Tier), (abc, AbcClass), (accounts, AccountClass)]


def histories(labels):
    return st.lists(st.sampled_from([*map(str, labels), None]), min_size=60, max_size=60)


@given(values=values)
def test_without_history_no_tier_holds_more_than_its_share(values):
    codes = tier(values).codes
    for boundary, share in enumerate((0.2, 0.4, 0.6)):
        assert (codes <= boundary).sum() <= share * values.size + 1e-9


@pytest.mark.parametrize(("scheme", "labels"), SCHEMES)
@given(data=st.data())
def test_every_customer_has_one_word_and_more_value_never_a_lower_one_among_equal_histories(scheme, labels, data):
    given_values = data.draw(values)
    previous = np.array(data.draw(histories(labels))[: given_values.size], dtype=object)
    verdict = scheme(given_values, previous=previous)
    assert set(verdict.words.tolist()) <= set(map(str, labels))
    for was in {*previous}:
        same = np.array([each == was for each in previous]) & ~np.isnan(given_values)
        assert (np.diff(verdict.codes[same][np.argsort(given_values[same])]) <= 0).all()


@pytest.mark.parametrize(("scheme", "labels"), SCHEMES)
@given(data=st.data())
def test_equal_values_without_history_get_the_same_word(scheme, labels, data):
    given_values = data.draw(values)
    codes = scheme(given_values).codes
    for value in given_values:
        assert len({*codes[given_values == value].tolist()}) <= 1
    assert codes.max() < len(labels)


@pytest.mark.parametrize(("scheme", "labels"), SCHEMES[:2])
@given(data=st.data())
def test_hysteresis_only_ever_keeps_people_where_they_were(scheme, labels, data):
    given_values = data.draw(values)
    previous = np.array(data.draw(histories(labels))[: given_values.size], dtype=object)
    fresh, sticky = scheme(given_values).codes, scheme(given_values, previous=previous).codes
    order = [*map(str, labels)]
    for was, strict, kept in zip(previous, fresh, sticky, strict=True):
        place = strict if was is None else order.index(was)
        # The kept word lies between the previous one and the one that the value alone would give.
        assert min(place, strict) <= kept <= max(place, strict)


def test_a_hundred_customers_make_the_pyramid_of_one_four_fifteen_eighty():
    tiers = tier(np.arange(1, 101), POLICY.tiers).words.tolist()
    assert [tiers.count(each) for each in Tier] == [1, 4, 15, 80]
    assert tiers[-1] == "VIP"


def test_ties_at_a_cut_all_go_to_the_lower_tier():
    assert tier([9, 5, 5, 5, 1]).words.tolist() == ["VIP", "small", "small", "small", "small"]


@pytest.mark.parametrize("nothing", [[0.0] * 50, [-3.0] * 50, [np.nan] * 50, [7.0]])
def test_those_without_value_or_company_are_small(nothing):
    assert set(tier(nothing, POLICY.tiers).words) == {"small"}


def test_a_customer_near_the_cut_stays_and_one_beyond_the_band_moves():
    # Five customers, 20 % each: the cut of VIP is the second value, 100.
    previous = np.array(["VIP", "major", None, None, None], dtype=object)
    assert tier([95, 100, 104, 10, 1], previous=previous).words.tolist()[:2] == ["VIP", "major"]
    moved = tier([80, 100, 104, 10, 1], previous=previous)
    assert moved.words[0] == "major"
    assert moved.why(0) == "expected value 80.00 is not above 90.00"


def test_a_protected_customer_never_falls_below_their_tier_and_may_rise():
    policy = TierPolicy(vip=0.2, major=0.2, ordinary=0.2, protected={"7": "major", "9": "ordinary"})
    floors = protected_floors(np.array([5, 6, 7, 8, 9]), policy.protected)
    verdict = value_tier(np.array([1.0, 4, 0, 3, 9]), policy, History(), floors)
    assert verdict.words.tolist() == ["small", "major", "major", "ordinary", "VIP"]
    assert verdict.why(2) == "protected by the policy"


def test_tiers_can_be_cut_within_each_kind_of_customer():
    values, kinds = [100, 90, 80, 70, 60, 5, 4, 3, 2, 1], np.repeat([0, 1], 5)
    assert tier(values).words.tolist().count("VIP") == 2
    within = tier(values, groups=kinds).words.tolist()
    assert within[:5] == within[5:] == ["VIP", "major", "ordinary", "small", "small"]


@given(values=values, share=st.floats(0, 1))
def test_no_more_than_the_share_lies_above_the_cut(values, share):
    cut = cut_above_share(values, share)
    assert cut >= 0
    assert (values > cut).sum() <= share * values.size + 1e-6


@given(values=values, share=st.floats(0.01, 1))
def test_a_cut_by_sum_leaves_above_it_no_customer_more_than_the_share_needs(values, share):
    cut, positive = cut_above_sum(values, share), np.nansum(values[values > 0])
    above = np.sort(values[values > cut])
    assert above[1:].sum() <= share * positive * (1 + 1e-9)


def test_abc_classes_are_made_of_value_and_a_loss_is_a_class_of_its_own():
    assert abc([40, 25, 12, 8, 7, 5, 3, 0, -1, np.nan]).words.tolist() == [
        "A",
        "A",
        "B",
        "B",
        "C",
        "C",
        "C",
        "C",
        "negative",
        "C",
    ]
    assert abc([900, 50, 50]).words.tolist() == ["A", "C", "C"], "who brings nearly all is A"


def test_a_loss_is_entered_and_left_only_at_a_distance_from_nothing():
    # The cut between B and C is 10: the band around 0 is one wide.
    previous = np.array([None] * 4 + ["negative", "negative", "C", "C"], dtype=object)
    verdict = abc([60, 20, 10, 10, 0.9, 1.1, -0.9, -1.1], previous)
    assert verdict.words.tolist()[4:] == ["negative", "C", "C", "negative"]
    assert verdict.why(5) == "expected value 1.10 is not below 1.00"
    assert verdict.why(7) == "expected value -1.10 is below -1.00"


def test_promising_accounts_are_the_rest_with_the_highest_potential():
    values = np.arange(10.0, 0, -1)
    potential = np.where(np.isin(values, [2, 9]), 50.0, 1.0)
    words = account_class(values, potential, ACCOUNTS).words.tolist()
    assert words == ["core", "key", "key", "other", "other", "other", "other", "other", "promising", "other"]


def test_an_account_says_why_it_is_what_it_is():
    values, potential = np.arange(10.0, 0, -1), np.r_[np.ones(8), 50.0, 40.0]
    previous = np.array(["other", "key", "key", "key", "key", "other", "other", "promising", "other", None], dtype=object)
    verdict = account_class(values, potential, ACCOUNTS, History(previous, 0.1))
    assert verdict.words[[0, 4, 7, 8]].tolist() == ["core", "other", "other", "promising"]
    assert verdict.why(0) == "expected value 10.00 is above 9.90"
    assert verdict.why(4) == "expected value 6.00 is not above 6.30"
    assert verdict.why(7) == "potential value 1.00 is not above 36.00"
    assert verdict.why(8) == "potential value 50.00 is above 44.00"

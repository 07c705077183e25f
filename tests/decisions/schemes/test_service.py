import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.labels import ServiceLevel, Tier
from decisions.policy import ServicePolicy
from decisions.schemes.service import levels_of_tiers, service_level
from decisions.schemes.verdict import History

ROOM = ServicePolicy(partnership=500, proactive=5_000, accountable=50_000)
rooms = st.tuples(*[st.integers(0, 200)] * 3).map(lambda r: ServicePolicy(partnership=r[0], proactive=r[1], accountable=r[2]))
counts = arrays(np.int64, len(Tier), elements=st.integers(0, 150))


def level(tier, value, cost, policy=ROOM, previous=None):
    past = History(None if previous is None else np.array(previous, dtype=object), 0.1)
    return service_level(np.array(tier), np.array(value, float), np.array(cost, float), policy, past)


@given(customers=counts, policy=rooms)
def test_a_better_tier_never_has_a_lower_level_and_no_level_above_the_last_has_more_than_its_room(customers, policy):
    levels = levels_of_tiers(customers, policy)
    assert (np.diff(levels) >= 0).all()
    assert (levels >= np.arange(len(Tier))).all()
    for place, room in enumerate((policy.partnership, policy.proactive, policy.accountable)):
        assert customers[levels == place].sum() <= room


def test_service_follows_the_tier_where_there_is_room():
    assert level([0, 1, 2, 3], [9] * 4, [5] * 4).words.tolist() == ["partnership", "proactive", "accountable", "reactive"]


@pytest.mark.parametrize("value", [4.0, 5.0, np.nan])
def test_who_is_not_worth_the_cost_to_serve_gets_the_basic_level_whatever_the_tier(value):
    assert set(level([0, 1, 2, 3], [value] * 4, [5] * 4).words) == {"basic"}


@given(value=st.floats(0, 100), more=st.floats(0, 100), cost=st.floats(0, 100), was=st.sampled_from([*ServiceLevel, None]))
def test_more_value_never_means_less_service_among_equal_histories(value, more, cost, was):
    codes = level([3, 3], [value, value + more], [cost] * 2, previous=[was, was]).codes
    assert codes[1] <= codes[0]


def test_divestment_has_a_band_and_a_reason():
    verdict = level([3, 3, 3, 3], [52, 56, 48, 44], [50] * 4, previous=["basic", "basic", "reactive", "reactive"])
    assert verdict.words.tolist() == ["basic", "reactive", "reactive", "basic"]
    assert verdict.why(1) == "expected value of a year 56.00 is above the cost to serve, 55.00"
    assert verdict.why(3) == "expected value of a year 44.00 is not above the cost to serve, 45.00"
    assert level([0], [9], [5], previous=["proactive"]).why(0) == "the level of VIP customers"

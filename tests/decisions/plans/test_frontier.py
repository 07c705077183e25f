import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.plans.frontier import GAP, frontier
from decisions.plans.plan import plan
from keepwell.errors import ConfigError, DataError
from tests.decisions.plans.test_plan import KEEP_HALF, people, small_policy

CATALOGUE = small_policy(
    {**KEEP_HALF, "cost": 30.0},
    {**KEEP_HALF, "name": "mail", "channel": "email", "cost": 1.0, "kept": {"a": 1.0, "b": 9.0}},
    {**KEEP_HALF, "name": "gift", "channel": "post", "cost": 8.0, "kept": {"a": 3.0, "b": 7.0}},
)


def crowd(rows, seed):
    return people(rows, value_at_risk=np.random.default_rng(seed).gamma(0.5, 150, rows))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), calls=st.sampled_from([None, 0, 3, 20]))
def test_more_budget_never_brings_less_and_each_further_unit_never_brings_more(seed, calls):
    curve = frontier(crowd(60, seed), CATALOGUE, {} if calls is None else {"call": calls})
    worth, slack = curve.expected_net_value, GAP * curve.expected_net_value.max() + 1e-9
    assert curve.budget[0] == 0
    assert worth[0] == pytest.approx(0, abs=1e-9)
    assert (np.diff(curve.budget) >= 0).all()
    assert (np.diff(worth) >= -slack).all()
    slopes = np.diff(worth) / np.maximum(np.diff(curve.budget), 1e-12)
    assert (np.diff(slopes) * np.diff(curve.budget)[1:] <= 2 * slack).all()


@pytest.mark.parametrize("calls", [{}, {"call": 25}])
def test_each_point_of_the_frontier_is_the_bound_of_a_plan_of_that_budget(calls):
    columns = crowd(400, 1)
    curve = frontier(columns, CATALOGUE, calls, points=6)
    for budget, worth, price in zip(curve.budget, curve.expected_net_value, curve.shadow_price, strict=True):
        made = plan(columns, CATALOGUE, float(budget), calls)
        assert worth == pytest.approx(made.bound, rel=2 * GAP)
        assert made.expected_net_value == pytest.approx(worth, rel=0.02, abs=1e-9)
        assert price >= 0


def test_the_frontier_ends_soon_after_the_budget_that_is_enough():
    columns = crowd(300, 2)
    enough = plan(columns, CATALOGUE)
    curve = frontier(columns, CATALOGUE)
    assert curve.expected_net_value[-1] == pytest.approx(enough.expected_net_value, rel=2 * GAP)
    assert curve.budget[-1] <= 1.5 * enough.cost


def test_where_nothing_pays_the_frontier_is_one_point_of_nothing():
    curve = frontier(people(value_at_risk=np.zeros(4)), CATALOGUE)
    assert curve.budget.tolist() == curve.expected_net_value.tolist() == [0.0]


def test_wrong_limits_and_columns_are_refused_as_in_a_plan():
    with pytest.raises(ConfigError, match="no action uses the channel 'fax'"):
        frontier(people(), CATALOGUE, {"fax": 1})
    columns = people()
    del columns["value_at_risk"]
    with pytest.raises(DataError, match=r"scores.value_at_risk: is missing, and a frontier needs it"):
        frontier(columns, CATALOGUE)

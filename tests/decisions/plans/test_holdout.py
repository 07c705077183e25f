import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.plans.holdout import controls, draws
from decisions.plans.plan import plan
from tests.decisions.plans.test_plan import KEEP_HALF, people, small_policy

IDS = np.array([f"C{i}" for i in range(20_000)])
CALL = np.full(IDS.size, "call")


def test_a_share_of_customers_is_a_control_whatever_the_action():
    for share in (0.0, 0.05, 0.5):
        drawn = controls(IDS, CALL, np.full(IDS.size, share), seed=3).mean()
        assert drawn == pytest.approx(share, abs=0.01)


def test_draws_are_even_over_their_range():
    counts = np.histogram(draws(IDS, CALL, 0), bins=10, range=(0, 1))[0]
    assert counts.sum() == IDS.size
    assert abs(counts - 2000).max() < 200  # more than four standard deviations


@given(st.lists(st.text(max_size=5), unique=True, min_size=1, max_size=20), st.integers(0, 99), st.randoms())
def test_who_is_a_control_depends_on_nobody_else(ids, seed, random):
    shuffled = random.sample(ids, len(ids))
    names = np.full(len(ids), "call")
    one, other = (dict(zip(order, draws(np.array(order, dtype=object), names, seed), strict=True)) for order in (ids, shuffled))
    assert one == other


def test_actions_and_seeds_draw_apart_from_each_other():
    call = draws(IDS, CALL, 0)
    for other in (draws(IDS, np.full(IDS.size, "mail"), 0), draws(IDS, CALL, 1)):
        assert abs(np.corrcoef(call, other)[0, 1]) < 0.03


def crowd(rows=2000, seed=0):
    return people(rows, value_at_risk=np.random.default_rng(seed).gamma(0.5, 150, rows))


def test_controls_are_in_the_plan_at_no_cost_after_all_others_with_their_propensity():
    made = plan(crowd(), small_policy({**KEEP_HALF, "control": 0.2}), budget=500)
    control = made.columns["arm"] == "control"
    assert 0.1 < control.mean() < 0.3
    assert set(made.columns["propensity"]) == {0.8}
    assert not made.columns["cost"][control].any()
    assert not made.columns["expected_net_value"][control].any()
    assert (np.diff(control.astype(int)) >= 0).all()
    assert all(reason.endswith("to measure what the action brings.") for reason in made.columns["reason"][control])


def test_what_controls_leave_is_spent_on_others():
    made = plan(crowd(), small_policy({**KEEP_HALF, "control": 0.2}), budget=500)
    assert made.cost == 500


def test_whoever_is_a_control_the_first_choice_stays_the_same():
    columns = crowd(300)
    policies = [small_policy({**KEEP_HALF, "control": 0.3}, holdout_seed=seed) for seed in range(10)]
    first = set(plan(columns, small_policy(KEEP_HALF), budget=100).columns["customer_id"].tolist())
    assert len(first) == 100
    for policy in policies:
        assert first <= set(plan(columns, policy, budget=100).columns["customer_id"].tolist())

"""The plan against what people do without one: customers in some order, each with their best action, while the limits last."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.plans.actions import offers
from decisions.plans.allocate import allocate, total
from decisions.plans.limits import plan_limits
from tests.decisions.plans.test_plan import KEEP_HALF, people, small_policy

POLICY = small_policy(
    {**KEEP_HALF, "cost": 60.0, "channel": "visit", "when": "value_at_risk > 50"},
    {**KEEP_HALF, "name": "call", "cost": 9.0, "kept": {"a": 3.0, "b": 7.0}},
    {**KEEP_HALF, "name": "gift", "channel": "post", "cost": 20.0, "lift": {"mean": 0.1, "sd": 0.1}},
    {**KEEP_HALF, "name": "mail", "channel": "email", "cost": 0.5, "kept": {"a": 1.0, "b": 19.0}, "when": "consent"},
)


def company(rows, seed):
    rng = np.random.default_rng(seed)
    churn, value = rng.beta(1, 1, rows), rng.lognormal(4, 1.2, rows)
    return people(
        rows,
        churn_probability=churn,
        expected_value=value * (1 - churn),
        value_at_risk=value * churn,
        consent=(rng.random(rows) < 0.7).astype(float),
    )


def in_turn(order, net, usage, limits):
    """Each customer in the order gets the action that is best for them among those that still fit."""
    left, worth = limits.copy(), 0.0
    for customer in order:
        fits = (usage <= left + 1e-9).all(axis=1)
        offered = np.where(fits, net[customer], -np.inf)
        if offered.max(initial=-np.inf) > 0:
            left = left - usage[offered.argmax()]
            worth += offered.max()
    return worth


def rules(columns, net, usage):
    best = np.maximum(net.max(axis=1), 0.0)
    cost = usage[net.argmax(axis=1), 0]
    return {
        "risk": -columns["churn_probability"],
        "value": -columns["expected_value"],
        "value at risk": -columns["value_at_risk"],
        "return on spend": -best / cost,
    }


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 100_000),
    rows=st.integers(1, 80),
    budget=st.sampled_from([0.0, 0.5, 15.0, 61.0, 300.0, 2000.0]),
    calls=st.sampled_from([None, 0, 1, 7]),
    visits=st.sampled_from([None, 0, 2]),
)
def test_no_simple_rule_is_better_than_the_plan(seed, rows, budget, calls, visits):
    columns = company(rows, seed)
    given_capacities = {name: most for name, most in (("call", calls), ("visit", visits)) if most is not None}
    limits, net = plan_limits(POLICY, budget, given_capacities), offers(columns, POLICY).net
    planned = total(net, allocate(net, limits.usage, limits.amounts).choice)
    for name, order in rules(columns, net, limits.usage).items():
        worth = in_turn(np.argsort(order, kind="stable"), net, limits.usage, limits.amounts)
        assert planned >= worth * (1 - 1e-5) - 1e-9, name


@pytest.mark.parametrize("seed", range(3))
def test_with_thousands_of_customers_the_plan_is_clearly_better_than_by_risk_or_value(seed):
    columns = company(3_000, seed)
    limits, net = plan_limits(POLICY, 3_000.0, {"call": 100}), offers(columns, POLICY).net
    planned = total(net, allocate(net, limits.usage, limits.amounts).choice)
    orders = rules(columns, net, limits.usage)
    worth = {name: in_turn(np.argsort(order), net, limits.usage, limits.amounts) for name, order in orders.items()}
    assert planned > max(worth.values())
    assert planned > 1.3 * max(worth["risk"], worth["value"])

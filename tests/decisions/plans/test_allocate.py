import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import decisions.plans.allocate as module
from decisions.plans.allocate import NO_ACTION, allocate, total


@st.composite
def problems(draw, customers=5, actions=3):
    """Net values, what actions use of a budget and two channels, and the limits."""
    n, k = draw(st.integers(1, customers)), draw(st.integers(1, actions))
    net = np.array(draw(st.lists(st.lists(net_value, min_size=k, max_size=k), min_size=n, max_size=n)))
    cost = draw(st.lists(st.sampled_from([0.0, 0.1, 1.0, 5.0, 20.0, 60.0]), min_size=k, max_size=k))
    channel = np.array(draw(st.lists(st.integers(0, 1), min_size=k, max_size=k)))
    limits = [
        draw(st.sampled_from([0.0, 10.0, 61.0, np.inf])),
        *(draw(st.sampled_from([0.0, 1.0, 3.0, np.inf])) for _ in range(2)),
    ]
    return net, np.column_stack([cost, np.eye(2)[channel]]), np.array(limits)


net_value = st.one_of(st.just(-np.inf), st.floats(-50, 200), st.sampled_from([5.0, 10.0]))


def by_brute_force(net, usage, limits):
    """The best total over every possible choice."""
    best = 0.0
    for choice in itertools.product(range(-1, net.shape[1]), repeat=len(net)):
        rows = [(i, a) for i, a in enumerate(choice) if a >= 0]
        if (sum((usage[a] for _, a in rows), np.zeros(limits.size)) <= limits + 1e-9).all():
            best = max(best, sum(net[i, a] for i, a in rows))
    return best


def assert_fits(choice, net, usage, limits):
    rows = np.flatnonzero(choice != NO_ACTION)
    assert (usage[choice[rows]].sum(axis=0) <= limits + 1e-6).all()
    assert (net[rows, choice[rows]] > 0).all()


@settings(deadline=None, max_examples=150)
@given(problems())
def test_a_small_plan_is_the_best_of_all_and_the_bound_is_above_it(problem):
    net, usage, limits = problem
    result, best = allocate(*problem), by_brute_force(*problem)
    assert_fits(result.choice, net, usage, limits)
    assert total(net, result.choice) >= (1 - 1e-5) * best - 1e-9
    assert result.bound >= best - 1e-6
    assert (result.prices >= 0).all()


@settings(deadline=None, max_examples=60)
@given(problems(customers=12))
def test_without_the_exact_step_a_plan_still_fits_and_loses_at_most_its_largest_actions(problem):
    net, usage, limits = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EXACT_CHOICES", 0)
        patch.setattr(module, "CORE_GAP", np.inf)
        result = allocate(*problem)
    assert_fits(result.choice, net, usage, limits)
    # A fractional optimum has at most one split customer per limit; each of them is worth at most the largest net value.
    largest = max(net.max(initial=0.0), 0.0)
    assert total(net, result.choice) >= result.bound * (1 - 1e-3) - 2 * limits.size * largest - 1e-6


@settings(deadline=None, max_examples=60)
@given(problems(customers=12))
def test_a_larger_limit_never_makes_the_bound_smaller(problem):
    net, usage, limits = problem
    assert allocate(net, usage, limits + 1).bound >= allocate(net, usage, limits).bound * (1 - 1e-3) - 1e-6


def random_case(customers, seed=0):
    rng = np.random.default_rng(seed)
    cost = np.array([12, 5, 80, 15, 8, 0.1, 0.3, 4, 0.3, 1.5])
    channel = np.array([0, 0, 1, 0, 0, 2, 2, 2, 2, 3])
    net = rng.gamma(0.5, 40, (customers, 1)) * rng.uniform(0, 0.3, (customers, 10)) - cost
    net[rng.random(net.shape) < 0.5] = -np.inf
    limits = np.array([0.05, 0.005, 0.0005, 0.2, np.inf]) * customers
    return net, np.column_stack([cost, np.eye(4)[channel]]), limits


def test_many_customers_are_planned_to_within_half_a_percent_of_the_bound():
    net, usage, limits = random_case(20_000)
    result = allocate(net, usage, limits)
    assert_fits(result.choice, net, usage, limits)
    assert total(net, result.choice) >= 0.995 * result.bound


@pytest.mark.parametrize("seed", range(4))
def test_customers_whom_prices_leave_undecided_are_settled_exactly_among_many(seed):
    net, usage, limits = random_case(2_000, seed)
    result = allocate(net, usage, limits)
    assert_fits(result.choice, net, usage, limits)
    assert total(net, result.choice) >= 0.999 * result.bound


def test_the_plan_is_better_than_simple_rules_with_the_same_budget():
    net, usage, limits = random_case(5_000, seed=2)
    planned = total(net, allocate(net, usage, limits).choice)
    best, action = net.max(axis=1), net.argmax(axis=1)
    for order in (np.argsort(-best), np.argsort(-best / usage[action, 0])):
        left, worth = limits.copy(), 0.0
        for customer in order[best[order] > 0]:
            if (usage[action[customer]] <= left).all():
                left -= usage[action[customer]]
                worth += best[customer]
        assert planned > worth


def test_identical_customers_share_what_there_is():
    result = allocate(np.full((10, 1), 5.0), np.array([[2.0, 1.0]]), np.array([7.0, np.inf]))
    assert (result.choice != NO_ACTION).sum() == 3


def test_nobody_is_chosen_where_nothing_pays():
    result = allocate(np.full((4, 2), -np.inf), np.ones((2, 1)), np.array([10.0]))
    assert result.choice.tolist() == [NO_ACTION] * 4
    assert result.bound == 0


def test_an_empty_population_and_an_empty_catalogue_have_an_empty_plan():
    assert allocate(np.empty((0, 2)), np.ones((2, 1)), np.array([1.0])).choice.size == 0
    assert allocate(np.empty((3, 0)), np.ones((0, 1)), np.array([1.0])).choice.tolist() == [NO_ACTION] * 3


def test_the_currency_does_not_matter():
    net, usage, limits = random_case(300, seed=4)
    for scale in (1e-6, 1e9):
        scaled = np.append(scale, np.ones(4))
        result = allocate(net * scale, usage * scaled, limits * scaled)
        assert total(net, result.choice) == pytest.approx(total(net, allocate(net, usage, limits).choice), rel=2e-3)


@pytest.mark.slow
def test_a_million_customers_and_ten_actions_come_within_half_a_percent_of_the_bound():
    net, usage, limits = random_case(1_000_000)
    result = allocate(net, usage, limits)
    assert total(net, result.choice) >= 0.995 * result.bound

"""A few cuts are all that customers need to know of each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from decisions.decide import decide
from decisions.population import population
from serving.plans.policy import read_policy
from tests.decisions.test_decide import EDGES, POLICY, inputs

BY_KIND = POLICY.model_copy(update={"split_by_kind": True})
kinds = st.sampled_from(["consumer", "trader", None])


def some(columns, rows):
    return {name: column if column.ndim == 0 else column[rows] for name, column in columns.items()}


def all_together(columns, policy):
    money = decide(columns, policy, EDGES)
    figures = {name: money[name] for name in ("current_value", "potential_value")}
    return population({**columns, **figures}, policy)


def assert_parts_decide_as_the_whole(columns, policy, part):
    whole, among = decide(columns, policy, EDGES), all_together(columns, policy)
    for number in set(part):
        rows = np.flatnonzero(np.array(part) == number)
        for name, column in decide(some(columns, rows), policy, EDGES, among).items():
            np.testing.assert_array_equal(column, whole[name][rows], err_msg=name)


@given(inputs(), st.data())
def test_customers_decided_on_in_parts_get_the_words_and_moves_of_all_together(columns, data):
    rows = columns["churn_probability"].size
    assert_parts_decide_as_the_whole(columns, POLICY, data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)))


@given(inputs(), st.data())
def test_the_same_holds_within_each_kind_of_customer_and_for_protected_ones(columns, data):
    rows = columns["churn_probability"].size
    columns["kind"] = np.array(data.draw(st.lists(kinds, min_size=rows, max_size=rows)), dtype=object)
    columns["customer_id"] = np.array([f"c{row}" for row in range(rows)], dtype=object)
    tiers = BY_KIND.tiers.model_copy(update={"protected": {"c1": "VIP", "c3": "major"}})
    policy = BY_KIND.model_copy(update={"tiers": tiers})
    assert_parts_decide_as_the_whole(columns, policy, data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)))


def test_what_is_left_of_all_customers_is_small():
    rows = 10_000
    figures = np.random.default_rng(0).gamma(1.0, 100.0, (3, rows))
    among = population(dict(zip(("expected_value", "current_value", "potential_value"), figures, strict=True)), read_policy())
    assert {scheme: cuts.shape for scheme, cuts in among.cuts.items()} == {
        "value_tier": (3, 1),
        "abc_class": (2, 1),
        "account_class": (3, 1),
        "quadrant": (2, 1),
    }
    assert among.tier_customers.tolist() == [100, 400, 1500, 8000]

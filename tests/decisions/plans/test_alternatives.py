import numpy as np

from decisions.plans.plan import plan
from tests.decisions.plans.test_plan import KEEP_HALF, people, small_policy

CALL = {**KEEP_HALF, "title": "Call", "cost": 10.0}
MAIL = {**KEEP_HALF, "name": "mail", "title": "Mail", "channel": "email", "cost": 1.0, "kept": {"a": 1.0, "b": 9.0}}


def rows_of(made):
    return {row[0]: row[1:] for row in zip(*(made.columns[name].tolist() for name in NAMES), strict=True)}


NAMES = ("customer_id", "action", "runner_up", "runner_up_net_value", "binding_constraint")


def test_without_limits_everybody_has_their_best_action_and_the_second_best_is_the_runner_up():
    made = plan(people(2), small_policy(CALL, MAIL))
    # Half of 20 and of 80 at risk, less 10; a tenth of them, less 1.
    assert rows_of(made) == {"C0": ("mail", "do_nothing", 0.0, ""), "C1": ("keep", "mail", 7.0, "")}


def test_the_limit_before_a_better_action_is_named_and_what_it_would_have_brought_is_said():
    made = plan(people(4), small_policy(CALL, MAIL), capacities={"call": 1})
    assert rows_of(made)["C3"] == ("keep", "mail", 7.0, "")
    assert rows_of(made)["C2"] == ("mail", "do_nothing", 0.0, "call contacts")
    reason = made.columns["reason"][made.columns["customer_id"] == "C2"][0]
    assert reason.endswith("Call would bring 15.00 more, but the call contacts are needed elsewhere. Next best: Do nothing.")


def test_a_budget_that_is_too_small_for_the_better_action_is_what_stands_before_it():
    made = plan(people(1), small_policy({**CALL, "cost": 2.0}, MAIL), budget=1)
    assert rows_of(made) == {"C0": ("mail", "do_nothing", 0.0, "budget")}


def test_an_action_that_is_not_possible_is_never_a_runner_up():
    made = plan(people(2), small_policy(CALL, {**MAIL, "when": "churn_probability > 0.9"}))
    assert set(made.columns["runner_up"]) == {"do_nothing"}
    assert np.isfinite(made.columns["runner_up_net_value"]).all()

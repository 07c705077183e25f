import numpy as np
import pytest

from decisions.plans.limits import plan_limits
from decisions.plans.plan import plan
from keepwell.errors import ConfigError
from tests.decisions.plans.test_plan import KEEP_HALF, people, small_policy

CALLS = small_policy({**KEEP_HALF, "hours": 0.5}, {**KEEP_HALF, "name": "mail", "channel": "email", "capacity": 2})


def test_limits_are_named_and_say_what_each_action_takes():
    limits = plan_limits(CALLS, 100.0, {"email": 5}, {"call": 8})
    assert limits.names == ("budget", "email contacts", "call hours", "mail capacity")
    np.testing.assert_array_equal(limits.amounts, [100, 5, 8, 2])
    np.testing.assert_array_equal(limits.usage, [[1, 0, 0.5, 0], [1, 1, 0, 1]])


def test_an_action_is_planned_at_most_as_often_as_its_capacity():
    made = plan(people(10), CALLS, capacities={"call": 0})
    assert made.columns["action"].tolist() == ["mail", "mail"]
    assert {limit.name: limit.used for limit in made.limits} == {"budget": 2, "call contacts": 0, "mail capacity": 2}


def test_hours_limit_a_channel_and_have_a_price():
    made = plan(people(10), small_policy({**KEEP_HALF, "hours": 0.5}), hours={"call": 2})
    hours = made.limits[1]
    assert (hours.name, hours.amount, hours.used, len(made)) == ("call hours", 2, 2, 4)
    # One more hour is two more calls, to those next in line: 50 p - 1 each, with p = 0.2 + 0.6 i / 9.
    assert hours.shadow_price == pytest.approx(2 * (50 * (0.2 + 0.6 * 5 / 9) - 1), rel=0.15)


def test_a_limit_that_is_not_reached_has_no_price():
    assert [limit.shadow_price for limit in plan(people(4), CALLS, 1000, {"call": 99}).limits] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"budget": -1}, "the budget must be 0 or more, found -1"),
        ({"budget": float("nan")}, "the budget must be 0 or more, found nan"),
        ({"capacities": {"fax": 1}}, r"no action uses the channel 'fax'(.|\n)*call, email"),
        ({"capacities": {"call": -2}}, "the capacity of call must be 0 or more, found -2"),
        ({"hours": {"fax": 1}}, "no action uses the channel 'fax'"),
        ({"hours": {"call": -1}}, "the number of hours of call must be 0 or more"),
        ({"hours": {"email": 1}}, "no action of the channel email takes any hours"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(given, match):
    with pytest.raises(ConfigError, match=match):
        plan_limits(CALLS, **{"budget": None} | given)

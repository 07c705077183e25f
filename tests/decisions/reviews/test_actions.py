"""What to keep, stop, measure and start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from decisions.reviews.actions import KEEP, MEASURE, START, STOP, ActionFacts, review_action, review_actions
from decisions.reviews.figures import Between

CALL = ActionFacts("call", "Call", planned=50, controls=10, done=40, accepted=5, declined=3, cost=100.0, measured_cost=100.0)


def earning(low: float, high: float) -> ActionFacts:
    return replace(CALL, incremental_value=Between((low + high) / 2, low, high))


def test_the_verdict_follows_from_the_interval() -> None:
    assert review_action(earning(100, 300)).verdict == KEEP
    assert review_action(earning(-50, 90)).verdict == STOP
    assert review_action(earning(50, 150)).verdict == MEASURE


def test_what_cannot_be_known_is_measured_and_the_reason_is_told() -> None:
    found = review_action(replace(CALL, unknown="nobody was left alone"))
    assert (found.verdict, found.why) == (MEASURE, "nobody was left alone")


def test_what_nobody_did_is_to_be_started() -> None:
    planned = review_action(replace(CALL, done=0))
    wanted = review_action(replace(CALL, planned=0, done=0, wanted=1, wanted_value=30.0))
    assert (planned.verdict, planned.why) == (START, "it was planned for 50, and nobody did it")
    assert wanted.why == "nobody did it; the planner would choose it for 1 customer and expects 30 of it, by assumption"


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0.01, 1e6))
def test_a_dearer_action_is_never_the_more_to_be_kept(low: float, width: float, cost: float) -> None:
    order = [KEEP, MEASURE, STOP]
    facts = earning(low, low + width)
    cheap, dear = (review_action(replace(facts, measured_cost=amount)).verdict for amount in (cost, 2 * cost))
    assert order.index(cheap) <= order.index(dear)


def test_return_on_spend_is_of_what_was_measured() -> None:
    found = review_action(replace(earning(100, 300), cost=900.0))
    assert found.return_on_spend == Between(2.0, 1.0, 3.0)
    assert np.isnan(review_action(replace(earning(1, 3), measured_cost=0.0)).return_on_spend.value)


def test_actions_that_nobody_thought_of_are_left_out_and_those_to_stop_come_first() -> None:
    idle = replace(CALL, action="idle", planned=0, done=0)
    stop, keep = replace(earning(-50, 90), action="stop"), replace(earning(200, 300), action="keep")
    start = replace(CALL, action="start", done=0)
    dear = replace(start, action="dear", cost=0.0, wanted=3, wanted_value=900.0)
    found = review_actions([start, keep, idle, dear, stop])
    assert [each.facts.action for each in found] == ["stop", "keep", "start", "dear"]

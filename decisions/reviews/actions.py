"""What each action earned: planned, done, accepted, incremental value against the controls, and what to do about it.

The rule. An action is to be kept where even the low bound of its incremental value covers what it cost, stopped where not even
the high bound does, and measured on where its cost lies between them or nothing can be known. What was planned and never done, or
what the planner would choose now and nobody has tried, is to be started.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from decisions.reviews.figures import UNKNOWN, Between

KEEP, STOP, START, MEASURE = "keep", "stop", "start", "measure"
ORDER = (STOP, KEEP, MEASURE, START)


@dataclass(frozen=True)
class ActionFacts:
    """What is known of an action in the time of the review; counts are of customers, `cost` is in currency.

    `accepted` and `declined` are None where nobody recorded answers. `incremental_value` is what the treated brought beyond what
    they would have, as far as controls tell, and `measured_cost` what these cost; `unknown` says why it is not known, "" where it
    is. `wanted` and `wanted_value`: for how many customers the planner would choose the action now, and what it would expect.
    """

    action: str
    title: str
    planned: int
    controls: int
    done: int
    accepted: int | None
    declined: int | None
    cost: float
    measured_cost: float = 0.0
    incremental_value: Between = UNKNOWN
    unknown: str = ""
    wanted: int = 0
    wanted_value: float = 0.0


@dataclass(frozen=True)
class ActionReview:
    """The facts of an action, and what to do about it.

    `return_on_spend` is its incremental value over what that cost, NaN where it cost nothing. `verdict` is keep, stop, start or
    measure; `why` a sentence.
    """

    facts: ActionFacts
    return_on_spend: Between
    verdict: str
    why: str


def review_action(facts: ActionFacts) -> ActionReview:
    """What one action earned, and the verdict by the rule."""
    back = facts.incremental_value.times(1 / facts.measured_cost) if facts.measured_cost > 0 else UNKNOWN
    return ActionReview(facts, back, *_verdict(facts))


def review_actions(facts: Sequence[ActionFacts]) -> tuple[ActionReview, ...]:
    """All actions that were planned, done or are wanted: those to stop, keep, measure and start.

    Within a verdict the dearest come first, and of those to start the ones that promise most.
    """
    found = [review_action(each) for each in facts if each.planned or each.done or each.wanted]
    return tuple(sorted(found, key=_place))


def _place(review: ActionReview) -> tuple[int, float, float, str]:
    facts = review.facts
    return ORDER.index(review.verdict), -facts.cost, -facts.wanted_value, facts.action


def _verdict(facts: ActionFacts) -> tuple[str, str]:
    value, cost = facts.incremental_value, facts.measured_cost
    if not facts.done:
        return START, _why_start(facts)
    if math.isnan(value.value):
        return MEASURE, facts.unknown
    if value.low >= cost:
        return KEEP, f"it surely earned its cost: at least {value.low:,.0f} for {cost:,.0f}"
    if value.high <= cost:
        return STOP, f"it surely did not earn its cost: at most {value.high:,.0f} for {cost:,.0f}"
    return MEASURE, f"its cost of {cost:,.0f} lies within what chance allows, {value.low:,.0f} to {value.high:,.0f}"


def _why_start(facts: ActionFacts) -> str:
    if facts.wanted:
        who = "1 customer" if facts.wanted == 1 else f"{facts.wanted:,} customers"
        return f"nobody did it; the planner would choose it for {who} and expects {facts.wanted_value:,.0f} of it, by assumption"
    return f"it was planned for {facts.planned:,}, and nobody did it"

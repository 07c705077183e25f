"""What each action earned: planned, done, accepted, incremental value against the controls, and what to do about it.

The rule. An action is to be kept where even the low bound of its incremental value covers what it cost, stopped where not even
the high bound does, and measured on where its cost lies between them or nothing can be known. What was planned and never done, or
what the planner would choose now and nobody has tried, is to be started.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from decisions.review_figures import UNKNOWN, Between, around

KEEP, STOP, START, MEASURE = "keep", "stop", "start", "measure"
ORDER = (STOP, KEEP, MEASURE, START)


@dataclass(frozen=True)
class ActionFacts:
    """What is known of an action in the time of the review; counts are of customers, `cost` is in currency.

    `accepted` is None where nobody recorded answers. `effect` is what each treated customer brought more than a control, with its
    standard error, over `measured` treated customers; `unknown` says why there is no effect, "" where there is one. `wanted` and
    `wanted_value`: for how many customers the planner would choose the action now, and the net value it would expect.
    """

    action: str
    title: str
    planned: int
    controls: int
    done: int
    accepted: int | None
    declined: int | None
    cost: float
    measured: int = 0
    effect: float = math.nan
    standard_error: float = math.nan
    unknown: str = ""
    wanted: int = 0
    wanted_value: float = 0.0


@dataclass(frozen=True)
class ActionReview:
    """The facts of an action, what it earned in the time of the review, and what to do.

    `incremental_value` is the value that the treated brought beyond what they would have; `return_on_spend` is that over the
    cost, NaN where it cost nothing. `verdict` is keep, stop, start or measure; `why` a sentence.
    """

    facts: ActionFacts
    incremental_value: Between
    return_on_spend: Between
    verdict: str
    why: str


def review_action(facts: ActionFacts) -> ActionReview:
    """What one action earned, and the verdict by the rule."""
    value = UNKNOWN if math.isnan(facts.effect) else around(facts.effect, facts.standard_error).times(facts.measured)
    back = value.times(1 / facts.cost) if facts.cost > 0 else UNKNOWN
    return ActionReview(facts, value, back, *_verdict(facts, value))


def review_actions(facts: Sequence[ActionFacts]) -> tuple[ActionReview, ...]:
    """All actions that were planned, done or are wanted: those to stop, keep, measure and start.

    Within a verdict the dearest come first, and of those to start the ones that promise most.
    """
    found = [review_action(each) for each in facts if each.planned or each.done or each.wanted]
    return tuple(sorted(found, key=_place))


def _place(review: ActionReview) -> tuple[int, float, float, str]:
    facts = review.facts
    return ORDER.index(review.verdict), -facts.cost, -facts.wanted_value, facts.action


def earned_together(reviews: Sequence[ActionReview]) -> tuple[Between, float]:
    """(incremental value, cost) of all actions whose effect is known; their errors are taken as independent."""
    known = [each.facts for each in reviews if not math.isnan(each.facts.effect)]
    if not known:
        return UNKNOWN, math.nan
    error = math.sqrt(sum((each.standard_error * each.measured) ** 2 for each in known))
    return around(sum(each.effect * each.measured for each in known), error), sum(each.cost for each in known)


def _verdict(facts: ActionFacts, value: Between) -> tuple[str, str]:
    if not facts.done:
        return START, _why_start(facts)
    if math.isnan(value.value):
        return MEASURE, facts.unknown
    if value.low >= facts.cost:
        return KEEP, f"it surely earned its cost: at least {value.low:,.0f} for {facts.cost:,.0f}"
    if value.high <= facts.cost:
        return STOP, f"it surely did not earn its cost: at most {value.high:,.0f} for {facts.cost:,.0f}"
    return MEASURE, f"its cost of {facts.cost:,.0f} lies within what chance allows, {value.low:,.0f} to {value.high:,.0f}"


def _why_start(facts: ActionFacts) -> str:
    if facts.wanted:
        who = "1 customer" if facts.wanted == 1 else f"{facts.wanted:,} customers"
        return f"nobody did it; the planner would choose it for {who} and expects {facts.wanted_value:,.0f} of it, by assumption"
    return f"it was planned for {facts.planned:,}, and nobody did it"

"""What a plan says of itself: in a few lines for people, as plain values for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from decisions.plans.plan import LimitUse, Plan
from decisions.plans.plan_rows import CONTROL


def plan_facts(made: Plan) -> dict[str, Any]:
    """The plan's totals, limits, actions and notes, as plain values; an amount without a limit is null."""
    controls = int((made.columns["arm"] == CONTROL).sum())
    return {
        "actions": len(made) - controls,
        "controls": controls,
        "cost": made.cost,
        "expected_net_value": made.expected_net_value,
        "bound": made.bound,
        "gap": made.gap,
        "limits": [
            {
                "name": limit.name,
                "amount": limit.amount if math.isfinite(limit.amount) else None,
                "used": limit.used,
                "shadow_price": limit.shadow_price,
            }
            for limit in made.limits
        ],
        "by_action": [*_by_action(made)],
        "notes": list(made.notes),
    }


def plan_lines(made: Plan) -> Iterator[str]:
    """What a reader should know of the plan, beside its totals: how good it is, what more would bring, and the controls."""
    facts = plan_facts(made)
    if made.gap < 1e-6:
        yield "no other choice can be expected to bring more"
    else:
        above = f"at most {max(made.gap, 1e-4):.2%} above this choice"
        yield f"no other choice can be expected to bring more than {made.bound:,.2f}, controls counted: {above}"
    if facts["controls"]:
        yield f"{facts['controls']:,} customers are controls: leave them alone, so that the effect can be measured (column arm)"
    for limit in made.limits:
        if limit.shadow_price > 0:
            used = f"{limit.name}: {limit.used:,.6g} of {limit.amount:,.6g} used"
            yield f"{used}; {_one_more(limit)} would bring {limit.shadow_price:,.2f}"


def _one_more(limit: LimitUse) -> str:
    """One more unit of a limit, in words."""
    if limit.name == "budget":
        return "one more unit of money"
    kind = {"contacts": "contact", "hours": "hour"}.get(limit.name.rsplit(" ", 1)[-1], "action")
    return f"one more {kind}"


def _by_action(made: Plan) -> Iterator[dict[str, Any]]:
    """Of each action, the most planned first: customers, controls, cost, what it is expected to bring, and on which evidence."""
    names, first, counts = np.unique(made.columns["action"].astype(str), return_index=True, return_counts=True)
    for place in np.lexsort((names, -counts)):
        rows = made.columns["action"] == names[place]
        yield {
            "action": str(names[place]),
            "customers": int(counts[place]),
            "controls": int((made.columns["arm"][rows] == CONTROL).sum()),
            "cost": math.fsum(made.columns["cost"][rows]),
            "expected_net_value": math.fsum(made.columns["expected_net_value"][rows]),
            "evidence": str(made.columns["evidence"][first[place]]),
        }

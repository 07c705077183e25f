"""The plan: at most one action for each customer, worth as much as possible under a budget and channel capacities.

Doing nothing is always possible and costs nothing: customers for whom nothing pays are simply not in the plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisions.actions import offers
from decisions.allocate import NO_ACTION, allocate
from decisions.columns import Columns, Floats, Ints, number, require
from decisions.policy import Action, Policy
from keepwell.errors import ConfigError

REQUIRED = ("customer_id", "churn_probability", "expected_value", "value_at_risk", "horizon_days")


@dataclass(frozen=True)
class Plan:
    """What to do for whom.

    `columns` are arrays of one length, one entry per planned action, the most valuable first: customer_id, action (its name),
    title, channel, cost, expected_net_value, churn_probability, value_at_risk, reason (a sentence), priority (1 is first).
    """

    columns: Mapping[str, npt.NDArray[np.generic]]
    cost: float
    expected_net_value: float
    bound: float
    """No plan under the same limits can be expected to bring more than this."""
    notes: tuple[str, ...]
    """Which actions or rules could not be applied, and why."""

    def __len__(self) -> int:
        return len(self.columns["action"])


def plan(columns: Columns, policy: Policy, budget: float | None = None, capacities: Mapping[str, int] | None = None) -> Plan:
    """Choose the actions for the customers of `columns` (score columns, and any others that the catalogue's conditions read).

    `budget` limits the sum of costs, in the money of the value columns (None: no limit); `capacities` the number of actions by
    channel (a channel that is not named has no limit). Raises ConfigError for a negative budget or capacity or a channel that no
    action uses, DataError for a missing score column.
    """
    require(columns, REQUIRED, "a plan")
    limits = _limits(policy, budget, capacities or {})
    offered = offers(columns, policy)
    usage = np.column_stack(
        [
            [action.cost for action in policy.actions],
            *([float(action.channel == channel) for action in policy.actions] for channel in policy.channels),
        ]
    )
    allocation = allocate(offered.net, usage, limits)
    rows = np.flatnonzero(allocation.choice != NO_ACTION)
    net = offered.net[rows, allocation.choice[rows]]
    order = np.argsort(-net, kind="stable")
    rows, net = rows[order], net[order]
    chosen = _chosen_columns(columns, [policy.actions[place] for place in allocation.choice[rows]], rows, net)
    return Plan(chosen, math.fsum(chosen["cost"]), math.fsum(net), allocation.bound, offered.notes)


def _limits(policy: Policy, budget: float | None, capacities: Mapping[str, int]) -> Floats:
    """The budget, then the capacity of each channel; infinite where there is no limit."""
    if budget is not None and not budget >= 0:
        raise ConfigError(f"the budget must be 0 or more, found {budget}", hint="leave it out for a plan without a budget")
    for channel, capacity in capacities.items():
        if channel not in policy.channels:
            known = ", ".join(policy.channels) or "none"
            raise ConfigError(f"no action uses the channel {channel!r}", hint=f"channels of this policy: {known}")
        if not capacity >= 0:
            raise ConfigError(f"the capacity of {channel} must be 0 or more, found {capacity}", hint="0 closes the channel")
    return np.array([math.inf if budget is None else budget, *(capacities.get(channel, math.inf) for channel in policy.channels)])


def _chosen_columns(columns: Columns, actions: list[Action], rows: Ints, net: Floats) -> dict[str, npt.NDArray[np.generic]]:
    """The columns of the plan; row i is for the customer at `rows[i]`."""
    everyone = int(np.shape(columns["churn_probability"])[0])
    churn, at_risk, horizon = (
        number(columns, name, everyone)[rows] for name in ("churn_probability", "value_at_risk", "horizon_days")
    )
    return {
        "customer_id": np.asarray(columns["customer_id"])[rows],
        "action": np.array([action.name for action in actions], dtype=object),
        "title": np.array([action.title for action in actions], dtype=object),
        "channel": np.array([action.channel for action in actions], dtype=object),
        "cost": np.array([action.cost for action in actions], dtype=np.float64),
        "expected_net_value": net,
        "churn_probability": churn,
        "value_at_risk": at_risk,
        "reason": np.array([_reason(*row) for row in zip(actions, churn, at_risk, horizon, net, strict=True)], dtype=object),
        "priority": np.arange(1, len(actions) + 1),
    }


def _reason(action: Action, churn: float, at_risk: float, horizon_days: float, net: float) -> str:
    """One or two plain sentences: what the action answers, what is at stake, what it is expected to bring."""
    return (
        f"{action.why}. The chance that they stay away for {horizon_days:.0f} days is {churn:.0%}, which puts {at_risk:,.2f} "
        f"at risk; after its cost of {action.cost:,.2f} the action is expected to bring {net:,.2f}."
    )

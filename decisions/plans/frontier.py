"""The frontier: what the best plan of each budget is worth, from one sweep over the price of money."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from decisions.columns import Columns, Floats, require
from decisions.plans.actions import NO_EFFECTS, Effect, offers
from decisions.plans.limits import plan_limits
from decisions.plans.plan import REQUIRED
from decisions.plans.prices import Market, Priced
from decisions.policy import Policy

POINTS = 25
GAP = 1e-3
"""The worth of each budget is known to this share of it."""


@dataclass(frozen=True)
class Frontier:
    """Three figures for each budget, from 0 to what nobody would need more than, each of shape (points,).

    `expected_net_value` never falls and rises ever more slowly. It is the bound of the plan at that budget, which a plan of many
    customers reaches to within a small share. `shadow_price` is what one more unit of money would bring there.
    """

    budget: Floats
    expected_net_value: Floats
    shadow_price: Floats


def frontier(
    columns: Columns,
    policy: Policy,
    capacities: Mapping[str, float] | None = None,
    *,
    hours: Mapping[str, float] | None = None,
    effects: Mapping[str, Effect] = NO_EFFECTS,
    points: int = POINTS,
) -> Frontier:
    """Net value against budget for the customers of `columns`, with the same capacities and hours at every budget.

    Small budgets, where the curve bends most, lie closer together. Raises what `decisions.plans.plan.plan` raises.
    """
    require(columns, REQUIRED, "a frontier")
    limits = plan_limits(policy, math.inf, capacities, hours)
    net = offers(columns, policy, effects).net
    tight = np.isfinite(limits.amounts)
    tight[0] = True
    usage, amounts = limits.usage[:, tight], limits.amounts[tight]
    net = np.where((usage[:, 1:] <= amounts[1:]).all(axis=1), net, -np.inf)
    rows = net[(net > 0).any(axis=1)]
    if not rows.size:
        return Frontier(np.zeros(1), np.zeros(1), np.zeros(1))
    money, size = float(rows.max()), np.where(usage.any(axis=0), usage.max(axis=0), 1.0)
    market = Market(rows / money, usage / size)

    def at(budget: float) -> Priced:
        return market.priced(np.append(budget, amounts[1:] / size[1:]), GAP)

    budgets = _most_useful(market, at) * np.linspace(0, 1, points) ** 2
    priced = [at(budget) for budget in budgets]
    worth, price = np.array([each.bound for each in priced]), np.array([each.prices[0] for each in priced])
    return Frontier(budgets * size[0], worth * money, price * money / size[0])


def _most_useful(market: Market, at: Callable[[float], Priced]) -> float:
    """A budget that is enough for all that the other limits allow, and at most about half as much again."""
    most = float(market.wanted[0])
    worth = at(most).bound
    while most > 0 and at(most / 1.5).bound >= (1 - GAP) * worth:
        most /= 1.5
    return most

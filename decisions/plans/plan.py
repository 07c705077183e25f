"""The plan: at most one action for each customer, worth as much as possible under a budget and capacities.

Doing nothing is always possible and costs nothing: customers for whom nothing pays are simply not in the plan. A random share of
those chosen are controls, whom the plan names and leaves alone; what they would have used is planned once more for others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisions.columns import Bools, Columns, Floats, Ints, require
from decisions.plans.actions import NO_EFFECTS, Effect, offers, prior_effect
from decisions.plans.allocate import NO_ACTION, Allocation, allocate, total
from decisions.plans.holdout import controls
from decisions.plans.limits import Limits, plan_limits
from decisions.plans.plan_rows import Chosen, plan_rows
from decisions.policy import Policy

ROUNDS = 4
"""How often what controls leave unused is planned again, for each time some of the newly chosen are controls themselves."""
REQUIRED = ("customer_id", "churn_probability", "expected_value", "value_at_risk", "horizon_days")


@dataclass(frozen=True)
class LimitUse:
    """One limit of a plan: how much there is (infinite: no limit), how much is used, what one more unit would be worth."""

    name: str
    amount: float
    used: float
    shadow_price: float


@dataclass(frozen=True)
class Plan:
    """What to do for whom.

    `columns` are arrays of one length, one entry per planned action, the most valuable first and the controls last: customer_id,
    action (its name), title, channel, bond, arm (treated or control), propensity (the chance that a customer so chosen is
    treated), cost and expected_net_value (0 for controls), runner_up (the next best action) and runner_up_net_value,
    binding_constraint (the limit that keeps the customer from an action worth more; empty where none does), evidence (what the
    expected effect rests on), churn_probability, value_at_risk, reason (in sentences), priority (1 is first).
    """

    columns: Mapping[str, npt.NDArray[np.generic]]
    cost: float
    expected_net_value: float
    bound: float
    """No plan under the same limits can be expected to bring more than this."""
    gap: float
    """How far the choice, before controls are taken out of it, may be from the best there is, as a share of the bound."""
    limits: tuple[LimitUse, ...]
    notes: tuple[str, ...]
    """Which actions or rules could not be applied, and why."""

    def __len__(self) -> int:
        return len(self.columns["action"])


def plan(
    columns: Columns,
    policy: Policy,
    budget: float | None = None,
    capacities: Mapping[str, float] | None = None,
    *,
    hours: Mapping[str, float] | None = None,
    effects: Mapping[str, Effect] = NO_EFFECTS,
) -> Plan:
    """Choose the actions for the customers of `columns` (score columns, and any others that the catalogue's conditions read).

    `budget` limits the sum of costs, in the money of the value columns (None: no limit); `capacities` the number of actions and
    `hours` the agents' hours by channel (a channel that is not named has no limit). `effects` are what outcomes have taught, by
    action. Raises ConfigError for a limit that makes no sense (`decisions.plans.limits`), DataError for a missing score column.
    """
    require(columns, REQUIRED, "a plan")
    limits = plan_limits(policy, budget, capacities, hours)
    offered = offers(columns, policy, effects)
    first = allocate(offered.net, limits.usage, limits.amounts)
    choice, control = _with_controls(columns, policy, offered.net, limits, first)
    rows = _in_order(offered.net, choice, control)
    bases = np.array([(effects.get(action.name) or prior_effect(action)).basis for action in policy.actions], dtype=object)
    made = plan_rows(Chosen(columns, rows, choice[rows], control[rows], offered.net[rows], limits, first.prices, bases), policy)
    return Plan(
        columns=made,
        cost=math.fsum(made["cost"]),
        expected_net_value=math.fsum(made["expected_net_value"]),
        bound=first.bound,
        gap=max(0.0, 1 - total(offered.net, first.choice) / first.bound) if first.bound else 0.0,
        limits=_limit_uses(limits, _taken(choice, control, limits), first.prices),
        notes=offered.notes,
    )


def _with_controls(columns: Columns, policy: Policy, net: Floats, limits: Limits, first: Allocation) -> tuple[Ints, Bools]:
    """The choice and who of it is a control; what controls leave unused goes to customers who have nothing yet.

    Who gets that is chosen without regard to whether they are controls themselves, so propensities stay what they are.
    """
    choice, control = first.choice.copy(), _controls(columns, policy, first.choice)
    for _ in range(ROUNDS if control.any() and np.isfinite(limits.amounts).any() else 0):
        left = np.maximum(limits.amounts - _taken(choice, control, limits), 0.0)
        without = np.flatnonzero(choice == NO_ACTION)
        choice[without] = allocate(net[without], limits.usage, left).choice
        more = _controls(columns, policy, choice)
        if more.sum() == control.sum():
            break
        control = more
    return choice, control


def _controls(columns: Columns, policy: Policy, choice: Ints) -> Bools:
    """Who of those with an action is a control, shape (n,)."""
    rows = np.flatnonzero(choice != NO_ACTION)
    control = np.zeros(len(choice), dtype=bool)
    if rows.size:
        names = np.array([action.name for action in policy.actions], dtype=object)[choice[rows]]
        shares = np.array([action.control for action in policy.actions])[choice[rows]]
        control[rows] = controls(np.asarray(columns["customer_id"])[rows], names, shares, policy.plan.holdout_seed)
    return control


def _taken(choice: Ints, control: Bools, limits: Limits) -> Floats:
    """What the treated take of each limit, shape (limits,)."""
    treated = choice[(choice != NO_ACTION) & ~control]
    return np.asarray(np.bincount(treated, minlength=len(limits.usage)) @ limits.usage)


def _in_order(net: Floats, choice: Ints, control: Bools) -> Ints:
    """The rows that have an action: those treated before the controls, the most valuable first."""
    rows = np.flatnonzero(choice != NO_ACTION)
    return rows[np.lexsort((-net[rows, choice[rows]], control[rows]))]


def _limit_uses(limits: Limits, taken: Floats, prices: Floats) -> tuple[LimitUse, ...]:
    each = zip(limits.names, limits.amounts, taken, prices, strict=True)
    return tuple(LimitUse(name, float(amount), float(used), float(price)) for name, amount, used, price in each)

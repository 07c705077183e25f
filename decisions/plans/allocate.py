"""Give at most one action to each customer, under a budget and channel capacities: a multiple-choice knapsack.

The limits get prices (`decisions.plans.prices`), which also give a bound that no plan can beat. What the prices choose is then
made to fit, and what is left of the limits is filled up. That is as good as exact for many customers; where one action more or
less matters, HiGHS settles the choice: all of it for few customers, and for many those whom the prices leave all but undecided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from decisions.columns import Bools, Floats, Ints
from decisions.plans.prices import Market, Priced

NO_ACTION = -1
EXACT_CHOICES = 1000
"""Up to so many worthwhile pairs of customer and action are settled exactly."""
CORE_CUSTOMERS = 80
"""Of more, the customers nearest to another choice are settled exactly where the gap to the bound is above `CORE_GAP`."""
CORE_GAP = 1e-4
EXACT_GAP = 1e-6
MAX_NODES = 2_000
"""HiGHS gives up after so many nodes; what it has found by then still counts."""


@dataclass(frozen=True)
class Allocation:
    """`choice` is the position of each customer's action, `NO_ACTION` for none; `bound` is at least the best total there is."""

    choice: Ints
    bound: float
    prices: Floats
    """What one more unit of each limit would be worth, in the order of the limits."""


def allocate(net: Floats, usage: Floats, limits: Floats) -> Allocation:
    """Choose actions of the largest total `net` such that the `usage` of those chosen stays within `limits`.

    `net` has shape (customers, actions), minus infinity where an action is not possible; doing nothing is worth 0. `usage` has
    shape (actions, limits), not negative, and holds what one action takes of each limit; `limits` may be infinite. The choice
    always fits, and none of it has a negative net.
    """
    tight = np.isfinite(limits)
    fits_alone = (usage <= limits).all(axis=1)
    worth = np.flatnonzero((net[:, fits_alone] > 0).any(axis=1))
    choice, prices = np.full(len(net), NO_ACTION), np.zeros(limits.size)
    if not worth.size:
        return Allocation(choice, 0.0, prices)
    # In units of the largest, every tolerance below fits any currency.
    gains, needs = np.where(fits_alone, net[worth], -np.inf), usage[:, tight]
    money, size = float(gains.max()), np.where(needs.any(axis=0), needs.max(axis=0), 1.0)
    gains, needs, capacity = gains / money, needs / size, limits[tight] / size
    priced = Market(gains, needs).priced(capacity)
    prices[tight] = priced.prices * money / size
    choice[worth] = _settled(gains, needs, capacity, priced)
    return Allocation(choice, priced.bound * money, prices)


def total(net: Floats, choice: Ints) -> float:
    """The sum of `net` over what was chosen.

    >>> total(np.array([[1.0, 2.0], [4.0, 3.0]]), np.array([1, NO_ACTION]))
    2.0
    """
    rows = np.flatnonzero(choice != NO_ACTION)
    return float(net[rows, choice[rows]].sum())


def _settled(net: Floats, usage: Floats, limits: Floats, priced: Priced) -> Ints:
    """The best of what fits at the prices and what HiGHS finds, which is asked where there is something to gain."""
    prices, bound = priced.prices, priced.bound
    choice = _fitted(net, usage, limits, prices)
    gap = bound - total(net, choice)
    if (net > 0).sum() <= EXACT_CHOICES:
        found = _exact(net, usage, limits, EXACT_GAP) if gap > EXACT_GAP * bound else None
    else:
        found = _core(net, usage, limits, prices) if gap > CORE_GAP * bound else None
    return choice if found is None or total(net, found) <= total(net, choice) else found


def _core(net: Floats, usage: Floats, limits: Floats, prices: Floats) -> Ints | None:
    """Everybody's choice at the prices, but for those nearest to another one, who are settled exactly within what is left."""
    reduced = np.column_stack([np.where(net > 0, net - usage @ prices, -np.inf), np.zeros(len(net))])
    best = reduced.argmax(axis=1)
    two = np.partition(reduced, -2, axis=1)[:, -2:]
    core = np.argsort(two[:, 1] - two[:, 0], kind="stable")[:CORE_CUSTOMERS]
    choice = np.where(best == net.shape[1], NO_ACTION, best)
    choice[core] = NO_ACTION
    left = limits - np.bincount(choice[choice != NO_ACTION], minlength=net.shape[1]) @ usage
    found = _exact(net[core], usage, left, CORE_GAP) if (left >= 0).all() else None
    if found is None:
        return None
    choice[core] = found
    return choice


def _fitted(net: Floats, usage: Floats, limits: Floats, prices: Floats) -> Ints:
    """The choice at `prices`, made to fit: those who gain most first, then the rest while anything fits."""
    choice = np.full(len(net), NO_ACTION)
    reduced = np.where(net > 0, net - usage @ prices, -np.inf)
    left = limits.copy()
    for _ in range(2 * net.shape[1] + 2):
        open_rows = np.flatnonzero(choice == NO_ACTION)
        affordable = (usage <= left + 1e-9).all(axis=1)
        offers = np.where(affordable, reduced[open_rows], -np.inf)
        action = offers.argmax(axis=1)
        gain = offers[np.arange(open_rows.size), action]
        order = np.argsort(-gain, kind="stable")
        order = order[np.isfinite(gain[order])]
        accepted = order[_accepted(usage[action[order]], left)]
        if not accepted.size:
            break
        choice[open_rows[accepted]] = action[accepted]
        left -= usage[action[accepted]].sum(axis=0)
    return _upgraded(net, usage, left, choice)


def _accepted(needs: Floats, left: Floats) -> Bools:
    """Which of the needs, in order of preference, are met: each limit serves the first that it suffices for."""
    accepted = np.ones(len(needs), dtype=bool)
    for limit in range(left.size):
        taken = np.cumsum(np.where(accepted, needs[:, limit], 0.0))
        accepted &= (taken <= left[limit] + 1e-9) | (needs[:, limit] == 0)
    return accepted


def _upgraded(net: Floats, usage: Floats, left: Floats, choice: Ints) -> Ints:
    """Spend what is left on better actions for those who have one: the largest gains first, while they fit."""
    rows = np.arange(len(net))
    for _ in range(net.shape[1]):
        held = choice != NO_ACTION
        present = np.where(held, net[rows, choice], 0.0)
        spent = np.where(held[:, None], usage[choice], 0.0)
        best_gain, best_action = np.zeros(len(net)), choice.copy()
        for action in range(net.shape[1]):
            fits = (usage[action] - spent <= left + 1e-9).all(axis=1)
            gain = np.where(fits, net[:, action] - present, 0.0)
            better = gain > best_gain
            best_gain[better], best_action[better] = gain[better], action
        order = np.argsort(-best_gain, kind="stable")
        order = order[best_gain[order] > 1e-9]
        extra = usage[best_action[order]] - spent[order]
        accepted = order[_accepted(np.maximum(extra, 0.0), left)]
        if not accepted.size:
            break
        left = left - (usage[best_action[accepted]] - spent[accepted]).sum(axis=0)
        choice = choice.copy()
        choice[accepted] = best_action[accepted]
    return choice


def _exact(net: Floats, usage: Floats, limits: Floats, gap: float) -> Ints | None:
    """The best choice, within a share `gap`, as a mixed-integer programme: one binary variable per worthwhile pair.

    None where none is found in time.
    """
    customer, action = np.nonzero(net > 0)
    if not customer.size:
        return np.full(len(net), NO_ACTION)
    pairs = np.arange(customer.size)
    one_each = csr_array((np.ones(pairs.size), (customer, pairs)), shape=(len(net), pairs.size))
    most = np.append(np.ones(len(net)), limits)
    solution = milp(
        c=-net[customer, action],
        integrality=np.ones(pairs.size),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(vstack([one_each, csr_array(usage[action].T)]), ub=most)],
        options={"mip_rel_gap": gap, "node_limit": MAX_NODES, "presolve": False},
    )
    if solution.x is None:
        return None
    taken = solution.x > 0.5
    choice = np.full(len(net), NO_ACTION)
    choice[customer[taken]] = action[taken]
    return choice if (usage[action[taken]].sum(axis=0) <= limits + 1e-9).all() else None

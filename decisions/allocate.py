"""Give at most one action to each customer, under a budget and channel capacities: a multiple-choice knapsack.

The limits get prices (their Lagrange multipliers). At given prices every customer simply takes the action that is worth most net
of prices; the prices that minimise the dual function are found by cutting planes, and the dual's value there is a bound that no
plan can beat. What the prices choose is then made to fit, and what is left of the limits is filled up. That is as good as exact
for many customers; a few, where one action more or less matters, are settled exactly by HiGHS.
Reference: Kellerer, Pferschy, Pisinger (2004), Knapsack Problems, chapters 3 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, vstack

from decisions.columns import Bools, Floats, Ints

NO_ACTION = -1
MAX_CUTS = 80
EXACT_CHOICES = 1000
"""Up to so many worthwhile pairs of customer and action are settled exactly, where they are not yet within `EXACT_GAP`."""
EXACT_GAP = 1e-3
BOUND_GAP = 1e-4
"""Cutting planes stop when the bound is known to this share of it."""


@dataclass(frozen=True)
class Allocation:
    """`choice` is the position of each customer's action, `NO_ACTION` for none; `bound` is at least the best total there is."""

    choice: Ints
    bound: float
    prices: Floats
    """What one more unit of each limit would be worth: first the budget, then each channel."""


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
    gains, needs, capacity = np.where(fits_alone, net[worth], -np.inf), usage[:, tight], limits[tight].astype(np.float64)
    prices[tight], bound = _best_prices(gains, needs, capacity)
    choice[worth] = _fitted(gains, needs, capacity, prices[tight])
    if (gains > 0).sum() <= EXACT_CHOICES and total(gains, choice[worth]) < bound * (1 - EXACT_GAP):
        choice[worth] = _exact(gains, needs, capacity)
    return Allocation(choice, bound, prices)


def total(net: Floats, choice: Ints) -> float:
    """The sum of `net` over what was chosen.

    >>> total(np.array([[1.0, 2.0], [4.0, 3.0]]), np.array([1, NO_ACTION]))
    2.0
    """
    rows = np.flatnonzero(choice != NO_ACTION)
    return float(net[rows, choice[rows]].sum())


def _best_prices(net: Floats, usage: Floats, limits: Floats) -> tuple[Floats, float]:
    """Prices that minimise the dual function, and its value, by Kelley's cutting planes.

    Each step asks a small linear programme (a piecewise linear model of the dual from below) for the next prices to try. Money
    and limits are measured in units of the largest, so that the programme's tolerances fit any currency.
    """
    money, size = float(net.max()), np.where(usage.any(axis=0), usage.max(axis=0), 1.0)
    prices, bound = _cut_down(net / money, usage / size, limits / size)
    return prices * money / size, bound * money


def _cut_down(net: Floats, usage: Floats, limits: Floats) -> tuple[Floats, float]:
    prices, best_prices, best = np.zeros(limits.size), np.zeros(limits.size), np.inf
    cuts, levels = np.empty((0, limits.size)), np.empty(0)
    highest = _highest_prices(net, usage)
    for _ in range(MAX_CUTS):
        value, slope = _dual(net, usage, limits, prices)
        if value < best:
            best, best_prices = value, prices
        if not limits.size:
            break
        cuts, levels = np.vstack([cuts, slope]), np.append(levels, value - slope @ prices)
        model = linprog(
            c=np.append(np.zeros(limits.size), 1.0),
            A_ub=np.column_stack([cuts, -np.ones(len(cuts))]),
            b_ub=-levels,
            bounds=[*((0.0, high) for high in highest), (0.0, None)],
        )
        if not model.success or best - model.fun <= BOUND_GAP * best:
            break
        prices = model.x[:-1]
    return best_prices, best


def _highest_prices(net: Floats, usage: Floats) -> Floats:
    """For each limit the price at which nobody would want any of it."""
    gain = np.maximum(net.max(axis=0), 0.0)[:, None]
    rate: Floats = np.divide(gain, usage, out=np.zeros(usage.shape), where=usage > 0)
    return np.asarray(rate.max(axis=0))


def _dual(net: Floats, usage: Floats, limits: Floats, prices: Floats) -> tuple[float, Floats]:
    """The dual function at `prices` and its slope: the limits' worth plus what each customer gains at these prices."""
    reduced = net - usage @ prices
    best = reduced.argmax(axis=1)
    gain = reduced[np.arange(len(net)), best]
    taken = np.bincount(best[gain > 0], minlength=net.shape[1])
    return float(limits @ prices + gain[gain > 0].sum()), limits - taken @ usage


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


def _exact(net: Floats, usage: Floats, limits: Floats) -> Ints:
    """The best choice, within `EXACT_GAP`, as a mixed-integer programme: one binary variable per worthwhile pair."""
    customer, action = np.nonzero(net > 0)
    pairs = np.arange(customer.size)
    one_each = csr_array((np.ones(pairs.size), (customer, pairs)), shape=(len(net), pairs.size))
    solution = milp(
        c=-net[customer, action],
        integrality=np.ones(pairs.size),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(vstack([one_each, csr_array(usage[action].T)]), ub=np.append(np.ones(len(net)), limits)),
        ],
        options={"mip_rel_gap": EXACT_GAP},
    )
    taken = solution.x > 0.5
    choice = np.full(len(net), NO_ACTION)
    choice[customer[taken]] = action[taken]
    return choice

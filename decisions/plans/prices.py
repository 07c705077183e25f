"""Shadow prices of limits: what one more unit of each would be worth, and a bound that no plan can beat.

At given prices every customer simply takes the action that is worth most net of prices. That is a whole allocation with a total
worth and a total use of each limit; what the limits cost at these prices plus what the customers then gain is a bound. Each such
allocation is remembered: a small linear programme over all of them (Kelley's cutting planes, the dual of Dantzig and Wolfe's
master problem) gives the next prices to try, for these limits or any others. So a whole frontier of budgets costs little more
than one plan.
Reference: Kellerer, Pferschy, Pisinger (2004), Knapsack Problems, chapters 3 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from decisions.columns import Floats

MAX_STEPS = 80
BOUND_GAP = 1e-5
"""The search stops when the bound is known to this share of it."""


@dataclass(frozen=True)
class Priced:
    """Prices (limits,) that make the bound lowest, and the bound: no choice within the limits is worth more."""

    prices: Floats
    bound: float


class Market:
    """What customers choose at each price of the limits, for any size of the limits.

    `net` (customers, actions): what each action is worth, minus infinity where it is not possible. `usage` (actions, limits):
    what one action takes of each limit. Both are best measured in units of the largest, which the tolerances of the linear
    programme fit.
    """

    def __init__(self, net: Floats, usage: Floats) -> None:
        self._net, self._usage = net, usage
        self._highest = _highest_prices(net, usage)
        self._tried, self._gained, self._used = np.empty((0, usage.shape[1])), np.empty(0), np.empty((0, usage.shape[1]))
        self._try(np.zeros(usage.shape[1]))

    @property
    def wanted(self) -> Floats:
        """What all customers would take of each limit if nothing had a price, shape (limits,)."""
        return np.asarray(self._used[0])

    def priced(self, limits: Floats, gap: float = BOUND_GAP) -> Priced:
        """The prices at which these limits, all finite, just suffice; the bound is known to a share `gap` of it."""
        for _ in range(MAX_STEPS):
            best = self._best(limits)
            step = self._next_prices(limits)
            if step is None or best.bound - step[1] <= gap * best.bound:
                break
            self._try(step[0])
        return self._best(limits)

    def _best(self, limits: Floats) -> Priced:
        """The lowest bound of those tried."""
        bounds = self._tried @ limits + self._gained
        place = int(bounds.argmin())
        return Priced(self._tried[place], float(bounds[place]))

    def _next_prices(self, limits: Floats) -> tuple[Floats, float] | None:
        """Where the bound would be lowest if only the allocations seen so far were possible, and how low."""
        if not limits.size:
            return None
        worth = self._gained + (self._tried * self._used).sum(axis=1)
        model = linprog(
            c=np.append(limits, 1.0),
            A_ub=np.column_stack([-self._used, -np.ones(len(worth))]),
            b_ub=-worth,
            bounds=[*((0.0, high) for high in self._highest), (0.0, None)],
        )
        return (model.x[:-1], float(model.fun)) if model.success else None

    def _try(self, prices: Floats) -> None:
        """Let every customer choose at these prices, and remember what they gain and take."""
        reduced = self._net - self._usage @ prices
        best = reduced.argmax(axis=1)
        gain = reduced[np.arange(len(best)), best]
        taken = np.bincount(best[gain > 0], minlength=reduced.shape[1])
        self._tried = np.vstack([self._tried, prices])
        self._gained = np.append(self._gained, gain[gain > 0].sum())
        self._used = np.vstack([self._used, taken @ self._usage])


def _highest_prices(net: Floats, usage: Floats) -> Floats:
    """For each limit the price at which nobody would want any of it."""
    gain = np.maximum(net.max(axis=0, initial=0.0), 0.0)[:, None]
    rate: Floats = np.divide(gain, usage, out=np.zeros(usage.shape), where=usage > 0)
    return np.asarray(rate.max(axis=0, initial=0.0))

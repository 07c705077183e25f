"""How closely to look after a customer: by what they bring, by how many there are to look after, and by what it costs."""

from __future__ import annotations

import numpy as np

from decisions.columns import Floats, Ints
from decisions.labels import ServiceLevel, Tier
from decisions.policy import ServicePolicy
from decisions.schemes.verdict import History, Verdict, held, sides

LEVELS = tuple(ServiceLevel)
BASIC = LEVELS.index(ServiceLevel.BASIC)
OPEN_TO_ALL = LEVELS.index(ServiceLevel.REACTIVE)


def service_level(
    tier: Ints,
    yearly_value: Floats,
    yearly_cost: Floats,
    policy: ServicePolicy,
    history: History = History(),
    *,
    customers: Ints | None = None,
) -> Verdict:
    """As close as the tier allows (`tier`: position in `Tier`), and as there is room; basic for who is not worth its cost.

    Room is what the policy says that a level can bear, counted from the best customers down, so a better tier never has the
    lower level. `yearly_value` is the expected value scaled to a year, `yearly_cost` what serving the customer costs in a year; a
    value that is missing, or no more than the cost, means the standard and cheaper service, whatever the tier: divestment.
    `customers` are the numbers of all customers by tier, where these are not all.
    """
    of_tier = levels_of_tiers(customers_of_tiers(tier) if customers is None else customers, policy)
    cost = held(yearly_cost, -sides(history.previous, {ServiceLevel.BASIC}, tier.size), history.band)
    covered = yearly_value > cost
    codes = np.where(covered, of_tier[tier], BASIC)

    def reason(row: int) -> str:
        if not covered[row] or (history.previous is not None and history.previous[row] == str(ServiceLevel.BASIC)):
            relation = "above" if covered[row] else "not above"
            return f"expected value of a year {yearly_value[row]:,.2f} is {relation} the cost to serve, {cost[row]:,.2f}"
        return f"the level of {list(Tier)[tier[row]]} customers"

    return Verdict(LEVELS, codes, reason)


def customers_of_tiers(tier: Ints) -> Ints:
    """How many customers each tier has, best tier first; `tier`: position in `Tier`."""
    return np.bincount(tier, minlength=len(Tier))


def levels_of_tiers(customers: Ints, policy: ServicePolicy) -> Ints:
    """The position in `ServiceLevel` of each tier, best tier first; `customers` are their numbers.

    >>> policy = ServicePolicy(partnership=500, proactive=5_000, accountable=50_000)
    >>> levels_of_tiers(np.array([300, 1_200, 4_500, 24_000]), policy)
    array([0, 1, 2, 3])
    >>> levels_of_tiers(np.array([9_000, 45_000, 135_000, 711_000]), policy)
    array([2, 3, 3, 3])
    """
    room = [policy.partnership, policy.proactive, policy.accountable]
    levels = []
    for tier, served in enumerate(np.cumsum(customers).tolist()):
        levels.append(next((level for level in range(tier, OPEN_TO_ALL) if served <= room[level]), OPEN_TO_ALL))
    return np.array(levels)

"""What else could have been done for a customer: the runner-up, and the limit that stands before a better action."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats, Ints, Texts
from decisions.plans.catalogue import DO_NOTHING
from decisions.plans.limits import Limits
from decisions.policy import Policy


@dataclass(frozen=True)
class Alternatives:
    """One entry per planned action, each of shape (n,).

    `runner_up` is the name of what would be done if the action were not possible, at the shadow prices, and `runner_up_net_value`
    what it would bring. `binding_constraint` is the limit that keeps the customer from an action worth more, empty where none is.
    `words` say both.
    """

    runner_up: Texts
    runner_up_net_value: Floats
    binding_constraint: Texts
    words: Texts


def alternatives(net: Floats, chosen: Ints, limits: Limits, prices: Floats, policy: Policy) -> Alternatives:
    """What each customer of `net` (n, actions), who gets the action `chosen` (n,), could have had at these prices."""
    if not chosen.size:
        nothing = np.empty(0, dtype=object)
        return Alternatives(nothing, np.empty(0), nothing, nothing)
    rows = np.arange(len(chosen))
    names = np.array([DO_NOTHING, *(action.name for action in policy.actions)], dtype=object)
    titles = np.array([policy.plan.do_nothing.title, *(action.title for action in policy.actions)], dtype=object)
    fits = (limits.usage <= limits.amounts).all(axis=1)
    possible = np.column_stack([np.zeros(len(net)), np.where(fits, net, -np.inf)])
    reduced = possible - np.append(0.0, limits.usage @ prices)
    reduced[rows, chosen + 1] = -np.inf
    second, best = reduced.argmax(axis=1), net.argmax(axis=1)
    second_net = possible[rows, second]
    better = net[rows, best] - net[rows, chosen]
    binding = np.where(better > 0, _binding(limits, prices, chosen, best), "").astype(object)
    words = [
        _hindrance(title, more, limit) + _next_best(other, worth)
        for title, more, limit, other, worth in zip(titles[best + 1], better, binding, titles[second], second_net, strict=True)
    ]
    return Alternatives(names[second], second_net, binding, np.array(words, dtype=object))


def _binding(limits: Limits, prices: Floats, chosen: Ints, best: Ints) -> Texts:
    """The limit that costs most, at its price, of what the best action takes more than the chosen one.

    Where no such limit has a price (what is left of it just does not suffice): that of which it takes the largest share more.
    """
    more = np.maximum(limits.usage[best] - limits.usage[chosen], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(more / limits.amounts, nan=0.0)
    weight = np.where((more @ prices > 0)[:, None], more * prices, share)
    return np.asarray(np.array(limits.names, dtype=object)[weight.argmax(axis=1)])


def _hindrance(title: str, more: float, limit: str) -> str:
    if not limit:
        return ""
    return f" {title} would bring {more:,.2f} more, but the {limit} {'are' if limit.endswith('s') else 'is'} needed elsewhere."


def _next_best(title: str, worth: float) -> str:
    return f" Next best: {title}, {worth:,.2f}." if worth else f" Next best: {title}."

"""What a plan may not exceed: the budget, contacts and hours by channel, and how many of one action."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats
from decisions.policy import Policy
from keepwell.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """`amounts` (limits,) of what `names` say, the budget first; `usage` (actions, limits) is what one action takes of each."""

    names: tuple[str, ...]
    amounts: Floats
    usage: Floats


def plan_limits(
    policy: Policy, budget: float | None, capacities: Mapping[str, float] | None = None, hours: Mapping[str, float] | None = None
) -> Limits:
    """The limits of a plan: those that are given, and the capacities of actions in the policy.

    `budget` is in money (None: no limit); `capacities` are contacts and `hours` agents' hours, by channel. Raises ConfigError for
    a negative one, for a channel that no action uses, and for hours of a channel whose actions take no time.
    """
    _check(policy, budget, capacities or {}, hours or {})
    rows: list[tuple[str, float, list[float]]] = [
        ("budget", math.inf if budget is None else budget, [action.cost for action in policy.actions])
    ]
    for channel, most in (capacities or {}).items():
        rows.append((f"{channel} contacts", most, [float(action.channel == channel) for action in policy.actions]))
    for channel, most in (hours or {}).items():
        rows.append((hours_limit(channel), most, _hours(policy, channel)))
    for limited in policy.actions:
        if limited.capacity is not None:
            rows.append((f"{limited.name} capacity", limited.capacity, [float(action is limited) for action in policy.actions]))
    names, amounts, usage = zip(*rows, strict=True)
    return Limits(names, np.array(amounts, dtype=np.float64), np.array(usage, dtype=np.float64).T.reshape(-1, len(rows)))


def hours_limit(channel: str) -> str:
    """What the limit of a channel's hours is called.

    >>> hours_limit("call")
    'call hours'
    """
    return f"{channel} hours"


def _hours(policy: Policy, channel: str) -> list[float]:
    return [action.hours if action.channel == channel else 0.0 for action in policy.actions]


def _check(policy: Policy, budget: float | None, capacities: Mapping[str, float], hours: Mapping[str, float]) -> None:
    if budget is not None and not budget >= 0:
        raise ConfigError(f"the budget must be 0 or more, found {budget}", hint="leave it out for a plan without a budget")
    for what, given in (("capacity", capacities), ("number of hours", hours)):
        for channel, most in given.items():
            if channel not in policy.channels:
                known = ", ".join(policy.channels) or "none"
                raise ConfigError(f"no action uses the channel {channel!r}", hint=f"channels of this policy: {known}")
            if not most >= 0:
                raise ConfigError(f"the {what} of {channel} must be 0 or more, found {most}", hint="0 closes the channel")
    for channel in hours:
        if not any(_hours(policy, channel)):
            raise ConfigError(
                f"no action of the channel {channel} takes any hours, so a limit on them says nothing",
                hint=f"give its actions `hours` in the policy, or limit contacts: --capacity {channel}=200",
            )

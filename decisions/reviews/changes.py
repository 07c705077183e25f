"""Customers won, lost and won back, moved up and down, and what all of them together are worth: then and now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisions.columns import Bools, Floats, Texts
from decisions.labels import Status, Tier
from decisions.schemes.verdict import codes_of

WON, LOST, WON_BACK, UPGRADED, DOWNGRADED = "won", "lost", "won back", "upgraded", "downgraded"


@dataclass(frozen=True)
class Change:
    """Customers who changed in one way, and two sums of money that say how much that matters; NaN where not known."""

    change: str
    customers: int
    value_before: float
    value_after: float


@dataclass(frozen=True)
class Equity:
    """Lifetime values added up: of one tier, `tier` None for all; customers of that tier then, and of that tier now."""

    tier: str | None
    customers_then: int
    value_then: float
    customers_now: int
    value_now: float


def losses(status: Texts, churned: Floats, current: Floats, value: Floats) -> tuple[Change, ...]:
    """Who was there and left, and who was given up and came back; all (n,) customers scored at the beginning.

    Left means what it means for the model: no purchase in the horizon, or a contract that ended. `current` is what they brought
    in the year before, `value` what they brought since.
    """
    given_up = status == str(Status.LOST)
    return (
        _change(LOST, ~given_up & (churned == 1), current, value),
        _change(WON_BACK, given_up & (churned == 0), current, value),
    )


def moves(was: Texts, now: Texts, expected_then: Floats, expected_now: Floats) -> tuple[Change, ...]:
    """Who came to a better tier, and to a worse one, with what they were and are expected to bring; None: not scored."""
    then, later = (codes_of(tuple(Tier), words, len(was)) for words in (was, now))
    both = (then < len(Tier)) & (then >= 0) & (later < len(Tier)) & (later >= 0)
    return (
        _change(UPGRADED, both & (later < then), expected_then, expected_now),
        _change(DOWNGRADED, both & (later > then), expected_then, expected_now),
    )


def equity(was: Texts, now: Texts, lifetime_then: Floats, lifetime_now: Floats) -> tuple[Equity, ...]:
    """Customer equity of all and by tier, best first: the sum of lifetime values at both scorings; None: not scored then."""
    scored = [np.array([word is not None for word in words], dtype=bool) for words in (was, now)]
    everyone = Equity(None, *_sum(scored[0], lifetime_then), *_sum(scored[1], lifetime_now))
    tiers = (Equity(str(t), *_sum(was == str(t), lifetime_then), *_sum(now == str(t), lifetime_now)) for t in Tier)
    return (everyone, *(each for each in tiers if each.customers_then or each.customers_now))


def _change(change: str, who: Bools, before: Floats, after: Floats) -> Change:
    return Change(change, int(who.sum()), *(float(np.nansum(values[who])) for values in (before, after)))


def _sum(who: Bools, values: Floats) -> tuple[int, float]:
    return int(who.sum()), float(np.nansum(values[who]))

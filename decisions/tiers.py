"""The pyramid of tiers, the quadrants, and the service level that follows from them."""

from __future__ import annotations

import numpy as np

from decisions.columns import Bools, Floats, Ints, Texts, words
from decisions.labels import Quadrant, ServiceLevel, Tier
from decisions.policy import QuadrantPolicy, TierPolicy


def cut_above_share(values: Floats, share: float) -> float:
    """The smallest cut, at least 0, such that no more than `share` of all `values` lies strictly above it.

    Equal values fall on the same side, the lower one where they would not all fit. A missing value lies below everything.

    >>> cut_above_share(np.array([5.0, 4.0, 3.0, 2.0]), 0.5), cut_above_share(np.array([5.0, 5.0, 5.0, 2.0]), 0.5)
    (3.0, 5.0)
    """
    allowed = int(np.floor(share * values.size + 1e-9))
    if allowed >= values.size:
        return 0.0
    place = values.size - 1 - allowed
    return max(float(np.partition(np.nan_to_num(values, nan=-np.inf, posinf=np.inf, neginf=-np.inf), place)[place]), 0.0)


def tier_codes(values: Floats, policy: TierPolicy, previous: Texts | None = None) -> Ints:
    """The position in `Tier` of each of `values` (expected value), 0 for VIP.

    Without history a tier holds at most its share of customers. With `previous` tiers (None: no history) a customer moves up only
    when `hysteresis` above the cut, and down only when as much below it, so that nobody flickers on the edge: among customers of
    the same previous tier, more value never means a lower tier. A missing or non-positive value is always small.
    """
    shares = np.cumsum([policy.vip, policy.major, policy.ordinary])
    cuts = np.array([cut_above_share(values, float(share)) for share in shares])
    was = _previous_codes(values.size, previous)
    codes = np.full(values.size, len(Tier) - 1)
    for boundary in range(len(cuts) - 1, -1, -1):
        ease = np.select([was < 0, was <= boundary], [1.0, 1 - policy.hysteresis], 1 + policy.hysteresis)
        codes[_above(values, cuts[boundary] * ease)] = boundary
    return codes


def _previous_codes(rows: int, previous: Texts | None) -> Ints:
    """Position of the previous tiers, -1 where there is none."""
    if previous is None:
        return np.full(rows, -1)
    codes = np.full(rows, -1)
    for code, tier in enumerate(Tier):
        codes[np.asarray(previous) == str(tier)] = code
    return codes


def _above(values: Floats, cuts: Floats | float) -> Bools:
    above: Bools = (values > cuts) & (values > 0)
    return above


def quadrant_codes(current_value: Floats, potential_value: Floats, policy: QuadrantPolicy) -> Ints:
    """The position in `Quadrant` by current and potential value; high means above the cut of `high_share`, and positive."""
    now = _above(current_value, cut_above_share(current_value, policy.high_share))
    later = _above(potential_value, cut_above_share(potential_value, policy.high_share))
    return np.select([now & later, later, now], [0, 1, 2], 3)


def potential_value(wallet: Floats, current_value: Floats, expected_value: Floats, horizon_days: Floats) -> Floats:
    """What a customer could bring in the next 365 days.

    What they spend elsewhere where their wallet (yearly spend with everyone) is known, else the expected value scaled to a year;
    never below 0, missing where neither is known.
    """
    elsewhere = wallet - current_value
    predicted = expected_value * 365 / horizon_days
    return np.maximum(np.where(np.isnan(elsewhere), predicted, elsewhere), 0.0)


def service_codes(tier: Ints, yearly_value: Floats, yearly_cost: Floats) -> Ints:
    """The position in `ServiceLevel`: as high as the tier; basic for a small customer who is not worth the cost to serve.

    `yearly_value` is the expected value scaled to a year, `yearly_cost` what serving the customer costs in a year.
    """
    covered = yearly_value > yearly_cost
    return np.where((tier == len(Tier) - 1) & ~covered, len(ServiceLevel) - 1, tier)


def tier_words(codes: Ints) -> Texts:
    """The words of `tier_codes`."""
    return words(Tier, codes)


def quadrant_words(codes: Ints) -> Texts:
    """The words of `quadrant_codes`."""
    return words(Quadrant, codes)

"""Prospects: those who joined and never bought, with the chance that they buy for the first time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisions.columns import Bools, Floats, Ints

FEWEST = 30
"""Below as many who are still waiting, the curve is not believed any further."""


@dataclass(frozen=True)
class WaitingCurve:
    """The share of those who joined that still waits after each of `days` (ascending) from joining; known up to `until_days`."""

    days: Ints
    waiting: Floats
    until_days: int


def waiting_curve(waited_days: Ints, bought: Bools) -> WaitingCurve:
    """How long people wait from joining to their first purchase (Kaplan and Meier's estimate).

    One entry per person: days from joining to the first purchase where `bought`, else to the last known day. The curve ends where
    fewer than FEWEST were still watched.
    """
    days, place = np.unique(waited_days, return_inverse=True)
    first_purchases = np.bincount(place, bought.astype(np.float64), minlength=days.size)
    watched = waited_days.size - np.concatenate([[0], np.cumsum(np.bincount(place, minlength=days.size))])[: days.size]
    enough = watched >= FEWEST
    known = (first_purchases > 0) & enough
    waiting: Floats = np.cumprod(1 - first_purchases[known] / watched[known])
    return WaitingCurve(days[known], waiting, int(days[enough].max()) if enough.any() else -1)


def first_purchase_probability(waited_days: Ints, horizon_days: int, curve: WaitingCurve) -> Floats:
    """The chance of a first purchase within the horizon, for those who have waited so long already, shape (n,).

    One less the share that waits at the end of the horizon (or of the curve) over the share that waits now. Missing for who has
    waited longer than the curve knows, or longer than all others did.

    >>> curve = WaitingCurve(np.array([10, 20]), np.array([0.8, 0.4]), 25)
    >>> first_purchase_probability(np.array([0, 10, 20, 30]), 10, curve).round(2)
    array([0.2, 0.5, 0. , nan])
    """
    share = np.concatenate([[1.0], curve.waiting])
    now, later = (share[np.searchsorted(curve.days, waited_days + ahead, side="right")] for ahead in (0, horizon_days))
    known = (now > 0) & (waited_days <= curve.until_days)
    return np.where(known, 1 - later / np.where(known, now, 1.0), np.nan)

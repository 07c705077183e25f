"""Current value against potential value: where the money is today, and where it could come from."""

from __future__ import annotations

from functools import partial

import numpy as np

from decisions.bands import cut_above_share, per_group
from decisions.columns import Bools, Floats
from decisions.labels import Quadrant
from decisions.policy import QuadrantPolicy
from decisions.verdict import Case, History, Verdict, first_case, held, sides

HIGH_NOW = {Quadrant.GOLD, Quadrant.STREAM}
HIGH_NEXT = {Quadrant.GOLD, Quadrant.STAR}


def quadrant(current_value: Floats, potential_value: Floats, policy: QuadrantPolicy, history: History = History()) -> Verdict:
    """The quadrant by current and potential value; high means above the cut of `high_share`, and above 0."""
    now, now_cut = _high(current_value, HIGH_NOW, policy, history)
    later, later_cut = _high(potential_value, HIGH_NEXT, policy, history)
    figures = current_value, now_cut, potential_value, later_cut
    why = "current value {:,.2f}, high above {:,.2f}; potential value {:,.2f}, high above {:,.2f}"
    return first_case(
        Case(Quadrant.GOLD, now & later, why, figures),
        Case(Quadrant.STAR, later, why, figures),
        Case(Quadrant.STREAM, now, why, figures),
        Case(Quadrant.BURDEN, ~now & ~later, why, figures),
        otherwise=Quadrant.BURDEN,
        why="",
    )


def _high(values: Floats, words: set[Quadrant], policy: QuadrantPolicy, history: History) -> tuple[Bools, Floats]:
    """Whether each value is high, and its cut."""
    cuts = per_group(partial(cut_above_share, share=policy.high_share), values, history.groups)
    cuts = held(cuts, sides(history.previous, words, values.size), history.band)
    return (values > cuts) & (values > 0), cuts


def potential_value(wallet: Floats, current_value: Floats, expected_value: Floats, horizon_days: Floats) -> Floats:
    """What a customer could bring in the next 365 days.

    What they spend elsewhere where their wallet (yearly spend with everyone) is known, else the expected value scaled to a year;
    never below 0, missing where neither is known.
    """
    elsewhere = wallet - current_value
    predicted = expected_value * 365 / horizon_days
    return np.maximum(np.where(np.isnan(elsewhere), predicted, elsewhere), 0.0)

"""Current value against potential value: where the money is today, and where it could come from."""

from __future__ import annotations

from functools import partial

import numpy as np

from decisions.columns import Bools, Floats, Ints
from decisions.labels import Quadrant
from decisions.policy import QuadrantPolicy
from decisions.schemes.bands import Cuts, cut_above_share, per_group
from decisions.schemes.verdict import Case, History, Verdict, first_case, held, sides

HIGH_NOW = {Quadrant.GOLD, Quadrant.STREAM}
HIGH_NEXT = {Quadrant.GOLD, Quadrant.STAR}


def quadrant(
    current_value: Floats,
    potential_value: Floats,
    policy: QuadrantPolicy,
    history: History = History(),
    cuts: Cuts | None = None,
) -> Verdict:
    """The quadrant by current and potential value; high means above the cut of `high_share`, and above 0.

    `cuts` are those of `quadrant_cuts`, where these customers are not all.
    """
    cuts = quadrant_cuts(current_value, potential_value, policy, history.groups) if cuts is None else cuts
    now, now_cut = _high(current_value, cuts[0], HIGH_NOW, history)
    later, later_cut = _high(potential_value, cuts[1], HIGH_NEXT, history)
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


def quadrant_cuts(current_value: Floats, potential_value: Floats, policy: QuadrantPolicy, groups: Ints | None = None) -> Cuts:
    """Above which current value, and which potential value, a customer is high among these customers."""
    cut = partial(cut_above_share, share=policy.high_share)
    return [per_group(cut, values, groups) for values in (current_value, potential_value)]


def _high(values: Floats, cuts: Floats, words: set[Quadrant], history: History) -> tuple[Bools, Floats]:
    """Whether each value is high, and its cut."""
    eased = held(cuts, sides(history.previous, words, values.size), history.band)
    return (values > eased) & (values > 0), eased


def potential_value(wallet: Floats, current_value: Floats, expected_value: Floats, horizon_days: Floats) -> Floats:
    """What a customer could bring in the next 365 days.

    What they spend elsewhere where their wallet (yearly spend with everyone) is known, else the expected value scaled to a year;
    never below 0, missing where neither is known.
    """
    elsewhere = wallet - current_value
    predicted = expected_value * 365 / horizon_days
    return np.maximum(np.where(np.isnan(elsewhere), predicted, elsewhere), 0.0)

"""Ordered words cut out of one figure: who lies above the highest cut has the first word, and so on down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from decisions.columns import Floats, Ints, Texts
from decisions.labels import Label
from decisions.schemes.verdict import Verdict, codes_of, held

Cuts: TypeAlias = Sequence[Floats]
"""The cuts of one scheme, each (n,): what the customers of a group are measured by."""


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


def cut_above_sum(values: Floats, share: float) -> float:
    """The cut above which lie the fewest customers that bring `share` of all positive value; at least 0.

    Equal values fall on the same side, the lower one where not all of them are needed. Values are finite or NaN.

    >>> cut_above_sum(np.array([70.0, 20.0, 10.0]), 0.65), cut_above_sum(np.array([40.0, 30.0, 20.0, 10.0]), 0.65)
    (20.0, 20.0)
    """
    falling = np.sort(values[values > 0])[::-1]
    before = np.concatenate([[0.0], np.cumsum(falling)])
    needed = int(np.searchsorted(before[:-1], share * before[-1] * (1 - 1e-12)))
    return float(falling[needed]) if needed < falling.size else 0.0


def per_group(cut: Callable[[Floats], float], values: Floats, groups: Ints | None) -> Floats:
    """`cut` of the values of each customer's group, shape (n,); of all values where `groups` is None."""
    if groups is None:
        return np.broadcast_to(cut(values), values.shape)  # one number, however many customers
    cuts = np.empty(values.shape)
    for group in np.unique(groups):
        cuts[groups == group] = cut(values[groups == group])
    return cuts


def bands(values: Floats, cuts: Cuts, labels: Sequence[Label], previous: Texts | None, band: float, *, figure: str) -> Verdict:
    """The first label whose cut lies below the value; the last label for the others, and for a missing or non-positive value.

    `cuts`, one for each label but the last, fall from label to label, each (n,). With `previous` words (None: no history) a
    customer crosses a cut only when `band` of it beyond. `figure` names the values in the reasons.
    """
    was = codes_of(labels, previous, values.size)
    eased = [held(cut, np.where(was < 0, 0, np.where(was <= place, 1, -1)), band) for place, cut in enumerate(cuts)]
    codes = np.full(values.size, len(labels) - 1)
    for place in range(len(eased) - 1, -1, -1):
        codes[(values > eased[place]) & (values > 0)] = place

    def reason(row: int) -> str:
        fell = 0 <= was[row] < codes[row]
        edge = eased[codes[row] - 1 if fell else min(codes[row], len(eased) - 1)][row]
        return f"{figure} {values[row]:z,.2f} is {'not ' if fell else ''}above {edge:z,.2f}"

    return Verdict(tuple(labels), codes, reason)

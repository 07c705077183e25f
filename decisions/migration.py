"""Who moved from which word to which between two scorings, and how much value moved with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats, Texts
from decisions.labels import Label
from decisions.schemes.verdict import codes_of


@dataclass(frozen=True)
class Flow:
    """Customers who went from one word to another; `was` is None for those who are new, `now` None for those who are no longer.

    `value_before` and `value_now` are the sums of their values at the two scorings; who had none then adds none.
    """

    was: str | None
    now: str | None
    customers: int
    value_before: float
    value_now: float

    @property
    def stayed(self) -> bool:
        """Whether the word is the same."""
        return self.was == self.now


def migration(labels: Sequence[Label], was: Texts, now: Texts, value_before: Floats, value_now: Floats) -> tuple[Flow, ...]:
    """The migration matrix of one scheme, best word first; combinations that nobody took are left out.

    One entry of each array per customer of either scoring: words as objects, None where the customer was not scored.
    """
    words = [*map(str, labels), None]
    before, after = (codes_of(labels, column, len(was)) for column in (was, now))
    place = (before % len(words)) * len(words) + after % len(words)
    cells = len(words) ** 2
    count = np.bincount(place, minlength=cells)
    sums = [np.bincount(place, np.nan_to_num(values), minlength=cells) for values in (value_before, value_now)]
    taken = [cell for cell in np.flatnonzero(count).tolist() if cell != cells - 1]
    return tuple(
        Flow(words[cell // len(words)], words[cell % len(words)], int(count[cell]), float(sums[0][cell]), float(sums[1][cell]))
        for cell in taken
    )

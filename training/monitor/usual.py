"""What is usual: how much two dates of the past differed that lay as far apart as then and now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.arrays import Floats

MARGIN, YOUNG_MARGIN, YEAR_DAYS = 1.25, 3.0, 330
"""How far beyond the largest usual difference is unusual; farther where the dates do not span about a year: a young company has
not yet shown what it does, and what looks half a year back has only begun to be known."""

NEAR_GAP = 1.5
"""Dates that lie between two thirds and one and a half times as far apart tell what is usual for a gap."""


@dataclass(frozen=True)
class Usual:
    """What two of the past dates `days_ago` differed by that lay about `gap_days` apart.

    Where all lie nearer to each other, the widest pairs speak, and their differences grow with the gap; where all lie farther
    apart, the nearest pairs do.
    """

    days_ago: tuple[int, ...]
    gap_days: int

    def limit(self, differences: Floats) -> float:
        """Beyond which a difference is unusual, from those of all pairs (dates, dates); 0 where there is only one date.

        >>> Usual((60, 30, 0), 30).limit(np.array([[0, 2, 5], [2, 0, 4], [5, 4, 0]]))
        12.0
        """
        settled = max(self.days_ago) - min(self.days_ago) >= YEAR_DAYS
        return (MARGIN if settled else YOUNG_MARGIN) * self.most(differences)

    def most(self, differences: Floats) -> float:
        """The largest of the differences (dates, dates) that tell what is usual, 0 where there is only one date."""
        first, second = np.triu_indices(len(self.days_ago), k=1)
        if not len(first):
            return 0.0
        ago = np.array(self.days_ago)
        gaps = np.abs(ago[first] - ago[second])
        near = np.maximum(gaps, self.gap_days) <= NEAR_GAP * np.minimum(gaps, self.gap_days)
        if not near.any():
            near = gaps == (gaps.max() if self.gap_days > gaps.max() else gaps.min())
        return float((differences[first, second] * np.maximum(1, self.gap_days / gaps))[near].max())

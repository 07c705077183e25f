"""Does a column know too much? Groups of customers that all left or all stayed, and how well one column alone foretells who left.

Arrays in, figures out. `training.leaks.search` says what is asked, and in which words it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.stats import binom, rankdata

from features.asof import day_date
from training.arrays import Flags, Floats, Ints

LEAST_CASES = 20
"""Fewer customers in a group may all have left by chance and habit."""

ALMOST_ALL = 0.98
APART = 0.2
"""So far must the share of a group that left lie from what is expected of customers like them: a strong reason is no leak."""

FALSE_ALARM = 0.001
"""The chance, for a whole column, of a group that looks so by luck."""

BINS = 20
SMOOTHING = 5.0
"""Customers of the average kind that are added to every group, so that a group of one foretells little."""


@dataclass(frozen=True)
class Group:
    """A group of customers nearly all of whom left, or stayed: how many of how many left, and how many were expected to."""

    value: str | None
    """What they have in common; None: that it is missing."""
    customers: int
    left: int
    expected: float


def coded(values: pl.Series) -> tuple[Ints, list[str | None]]:
    """Each value's group (n,), and what each group holds: texts and few numbers as they are, more numbers in ranges.

    Missing values are a group of their own, the last one, called None.

    >>> codes, names = coded(pl.Series([3.0, None, 1.0, 3.0]))
    >>> codes.tolist(), names
    ([1, 2, 0, 1], ['1', '3', None])
    >>> coded(pl.Series([19_000], dtype=pl.Int32))[1]
    ['2022-01-08', None]
    """
    known = values.drop_nulls()
    if values.dtype.is_numeric() and known.n_unique() > BINS:
        codes, names = _ranges(known.to_numpy(), values.fill_null(0).to_numpy())
    else:
        names = [_shown(value) for value in known.unique().sort().to_numpy()]
        codes = values.rank("dense").fill_null(0).to_numpy().astype(np.int64) - 1
    return np.where(values.is_null().to_numpy(), len(names), codes).astype(np.int64), [*names, None]


def _ranges(known: Floats, numbers: Floats) -> tuple[Ints, list[str]]:
    """The range of each number, and the names of the ranges; where most are one value, as 0, that value and all others."""
    distinct, rows = np.unique(known, return_counts=True)
    usual = distinct[rows.argmax()]
    if rows.max() > len(known) / 2:
        return (numbers != usual).astype(np.int64), [_shown(usual), f"other than {_shown(usual)}"]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    bounds = [_shown(edge) for edge in edges.astype(known.dtype)]
    names = [f"below {bounds[0]}", *map(" to ".join, pairwise(bounds)), f"{bounds[-1]} and above"]
    return np.searchsorted(edges, numbers, side="right").astype(np.int64), names


def _shown(value: object) -> str:
    """A value for people: normalised tables keep dates as 32-bit integers."""
    if isinstance(value, np.int32):
        return str(day_date(int(value)))
    return f"{value:g}" if isinstance(value, np.number) else str(value)


def telling_groups(codes: Ints, names: list[str | None], left: Flags, expected: Floats) -> list[Group]:
    """The groups that (almost) all left, or (almost) all stayed, though much else was expected of their customers.

    `left` and `expected` (n,), the chance of leaving as customers like them had it, are by customer. The number who left is
    held against a binomial of the mean chance, which spreads wider than the true sum of unequal chances (Hoeffding 1956), and
    the bound is divided by the number of groups: with all columns clean, one in a thousand raises an alarm.
    """
    size = len(names)
    count: Ints = np.bincount(codes, minlength=size)
    gone: Ints = np.bincount(codes[left], minlength=size)
    chance: Floats = np.bincount(codes, expected, minlength=size) / np.maximum(count, 1)
    share = gone / np.maximum(count, 1)
    bound = FALSE_ALARM / 2 / max(1, int((count >= LEAST_CASES).sum()))
    all_left = (share >= ALMOST_ALL) & (share - chance >= APART) & (binom.sf(gone - 1, count, chance) < bound)
    all_stayed = (share <= 1 - ALMOST_ALL) & (chance - share >= APART) & (binom.cdf(gone, count, chance) < bound)
    telling = np.flatnonzero((count >= LEAST_CASES) & (all_left | all_stayed))
    return [Group(names[code], int(count[code]), int(gone[code]), float(chance[code] * count[code])) for code in telling]


def held_out_auc(codes: Ints, left: Flags, half: Flags) -> tuple[float, float]:
    """(AUC, its standard error): how well a group's share of leavers in one half foretells leaving in the other, both ways round.

    0.5 where nothing is foretold, or where either half lacks leavers or stayers.
    """
    score = np.empty(len(codes))
    for learn in (half, ~half):
        gone = np.bincount(codes[learn], left[learn], minlength=codes.max() + 1)
        count = np.bincount(codes[learn], minlength=codes.max() + 1)
        usual = left[learn].mean() if learn.any() else 0.5
        score[~learn] = ((gone + SMOOTHING * usual) / (count + SMOOTHING))[codes[~learn]]
    parts = [auc(score[part], left[part]) for part in (half, ~half)]
    return float(np.mean([part for part, _ in parts])), float(np.mean([error for _, error in parts]) / np.sqrt(2))


def auc(score: Floats, left: Flags) -> tuple[float, float]:
    """(AUC, its standard error by Hanley and McNeil 1982): the chance that who left has a higher score than who stayed.

    >>> auc(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))[0]
    1.0
    """
    gone, stayed = int(left.sum()), int((~left).sum())
    if not gone or not stayed:
        return 0.5, 0.5
    area = float((rankdata(score)[left].sum() - gone * (gone + 1) / 2) / (gone * stayed))
    both, twice = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (gone - 1) * (both - area**2) + (stayed - 1) * (twice - area**2)
    return area, float(np.sqrt(max(spread, 0) / (gone * stayed)))

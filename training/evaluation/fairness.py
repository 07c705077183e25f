"""How well groups of customers are forecast: the same figures for each, and how far each is from all others.

Forecasts are of past dates, made from what was known then; what came since judges them. Whole customers are drawn for the bounds,
the same draws for a group and for the others, so that a difference has bounds of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.arrays import Flags, Floats
from training.metrics.churn import churn_auc
from training.metrics.intervals import CONFIDENCE, Interval, resampled_weights
from training.metrics.value import value_total_ratio
from training.metrics.weighted import Outcome, Weighted, mean_of, share
from training.scorer import Predictions

LEAST_CUSTOMERS, LEAST_EACH = 100, 20
"""Of a group with fewer customers, fewer rows who left or fewer who stayed nothing is said: chance alone makes such figures."""

SHARE_MATTERS = 0.05
"""A difference of shares, or of AUC, that is surely larger is worth a sentence."""

TOTAL_MATTERS = 0.15
"""The same of the forecast value over what came."""


@dataclass(frozen=True)
class Judged:
    """Rows of past dates (n,): who it was and of which group, what was forecast, what came, and whether a plan had chosen them.

    `expected` and `value` are in currency units, NaN where no values are known.
    """

    customer_id: NDArray[Any]
    group: NDArray[Any]
    probability: Floats
    expected: Floats
    churned: Flags
    value: Floats
    chosen: Flags

    def rows(self, its: Flags) -> Judged:
        """The rows where `its` (n,) holds."""
        return Judged(*(getattr(self, each.name)[its] for each in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Judged]) -> Judged:
        """The rows of several dates, one after the other."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))

    @property
    def customers(self) -> int:
        """How many different customers there are."""
        return len(np.unique(self.customer_id))

    @property
    def is_enough(self) -> bool:
        """Whether anything can be said of them."""
        left = int(self.churned.sum())
        return self.customers >= LEAST_CUSTOMERS and min(left, len(self.churned) - left) >= LEAST_EACH

    @property
    def outcome(self) -> Outcome:
        """What came, as metrics want it."""
        return Outcome(self.churned, self.value)

    @property
    def forecast(self) -> Predictions:
        """What was forecast, as metrics want it."""
        return Predictions(self.probability, self.expected, *(self.expected,) * 3)


@dataclass(frozen=True)
class Group:
    """One group: its figures, and how far each is above that of all others; empty where the rows are too few to judge."""

    name: str
    customers: int
    rows: int
    figures: Mapping[str, Interval]
    differences: Mapping[str, Interval]

    @property
    def is_told(self) -> bool:
        """Whether it is large enough for anything to be said."""
        return bool(self.figures)


def churned_share(judged: Judged) -> Weighted:
    """The share who left."""
    return mean_of(judged.churned.astype(float))


def forecast_share(judged: Judged) -> Weighted:
    """The share who were forecast to leave: the mean churn probability."""
    return mean_of(judged.probability)


def forecast_gap(judged: Judged) -> Weighted:
    """The share forecast to leave less the share who left: above 0, more were expected to leave than did."""
    return mean_of(judged.probability - judged.churned)


def auc(judged: Judged) -> Weighted:
    """The chance that, within the group, a leaver was held more likely to leave than one who stayed; 0.5 is a guess."""
    return churn_auc(judged.outcome, judged.forecast)


def chosen_share(judged: Judged) -> Weighted:
    """The share whom a plan would have chosen."""
    return mean_of(judged.chosen.astype(float))


def false_alarm_share(judged: Judged) -> Weighted:
    """Of those who stayed, the share who were chosen all the same: false positives."""
    return _share_among(~judged.churned, judged.chosen)


def missed_share(judged: Judged) -> Weighted:
    """Of those who left, the share who were not chosen: false negatives."""
    return _share_among(judged.churned, ~judged.chosen)


def value_ratio(judged: Judged) -> Weighted:
    """The value that was forecast over the value that came; missing where no values are known."""
    return value_total_ratio(judged.outcome, judged.forecast)


FIGURES: Mapping[str, Callable[[Judged], Weighted]] = {
    each.__name__: each
    for each in (churned_share, forecast_share, forecast_gap, auc, chosen_share, false_alarm_share, missed_share, value_ratio)
}
"""What is told of each group."""

DESCRIBES = ("churned_share", "forecast_share")
"""Figures that describe a group, and are no error: a difference in them is no finding."""


def groups_of(judged: Judged, seed: int) -> tuple[Group, ...]:
    """Every group, the largest first; figures that are not known are left out."""
    _, customer = np.unique(judged.customer_id, return_inverse=True)
    resamples = resampled_weights(customer.astype(np.int64), seed)
    names, counts = np.unique(judged.group, return_counts=True)
    ordered = names[np.lexsort((names, -counts))]
    return tuple(_group(judged, str(name), judged.group == name, resamples) for name in ordered)


def chosen_first(probability: Floats, contact_share: float) -> Flags:
    """Whom a plan for a share of the customers chooses who goes by the churn probability (n,) alone; ties by their place.

    >>> chosen_first(np.array([0.2, 0.9, 0.5, 0.5]), 0.5)
    array([False,  True,  True, False])
    """
    chosen = np.zeros(len(probability), dtype=bool)
    chosen[np.argsort(-probability, kind="stable")[: round(contact_share * len(probability))]] = True
    return chosen


def remarks(by: str, groups: Sequence[Group]) -> tuple[str, ...]:
    """A sentence for each difference that surely matters: its bound nearest to 0 is beyond what matters."""
    return tuple(
        f"{by} {group.name}: {name} is {each.value:+.2f} [{each.low:+.2f}, {each.high:+.2f}] against all others"
        for group in groups
        for name, each in group.differences.items()
        if name not in DESCRIBES
        and max(each.low, -each.high) > (TOTAL_MATTERS if name == value_ratio.__name__ else SHARE_MATTERS)
    )


def _group(judged: Judged, name: str, its: Flags, resamples: Floats) -> Group:
    mine, others = judged.rows(its), judged.rows(~its)
    ours = _drawn(mine, resamples[:, its]) if mine.is_enough else {}
    theirs = _drawn(others, resamples[:, ~its]) if ours and others.is_enough else {}
    figures = {each: _interval(drawn) for each, drawn in ours.items()}
    differences = {each: _interval(drawn - theirs[each]) for each, drawn in ours.items() if each in theirs}
    return Group(name, mine.customers, len(mine.churned), figures, differences)


def _drawn(judged: Judged, resamples: Floats) -> dict[str, Floats]:
    """Each figure that is known: as it is, and then under every resample."""
    weights = np.vstack([np.ones(len(judged.churned)), resamples])
    metrics = {name: metric(judged) for name, metric in FIGURES.items()}
    drawn = {name: np.array([metric(each) for each in weights]) for name, metric in metrics.items()}
    return {name: figures for name, figures in drawn.items() if not np.isnan(figures[0])}


def _interval(drawn: Floats) -> Interval:
    low, high = np.nanquantile(drawn[1:], ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Interval(float(drawn[0]), float(low), float(high))


def _share_among(among: Flags, flags: Flags) -> Weighted:
    both, those = (among & flags).astype(float), among.astype(float)
    return lambda weights: share(float(weights @ both), float(weights @ those))

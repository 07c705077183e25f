"""What a horizon would mean: whom it would call churned, how many of those come back, and what history it uses up.

A horizon is a definition of leaving: whoever buys nothing for so long has churned. Too short, and it calls customers lost who
were about to come back; too long, and it tells so late and uses up the history. docs/horizon.md explains the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from features.asof import ALWAYS_DAY, NEVER_DAY, day_date
from features.checks.horizons import ENOUGH_HORIZONS, whole_horizons
from training.arrays import Flags
from training.silence import Moment, Purchases, Quiet, Watch, quiet, watch
from training.splits import panel_days

LONGEST_LOOK_DAYS = 365
"""Who comes back after a longer time than this is won anew rather than wrongly called lost."""

DAYS_A_MONTH = 30.4375


@dataclass(frozen=True)
class StatusRule:
    """What the words of `status` mean, as the default policy has it.

    New for so many days from the first purchase; then lapsing and lost from these chances of buying nothing in the horizon.
    """

    new_days: int = 30
    lapsing_from: float = 0.5
    lost_from: float = 0.9


@dataclass(frozen=True)
class HorizonFacts:
    """What a horizon of `days` would mean, over the past `dates` (ascending) that training would learn from.

    Shares are 0 to 1, and None where no date or too few customers tell them.
    """

    days: int
    dates: tuple[date, ...]
    complete: int
    """Whole horizons that have passed since the first purchase."""
    months_used: float
    """What training takes of the history: three horizons, to learn, to calibrate and to test."""
    customers: int
    """Customers with a purchase before the newest date; 0 without a date."""
    churned: float | None
    """The share of customers who bought nothing in the horizon: the mean over the dates."""
    churned_range: tuple[float, float] | None
    """The same at the date with the least, and at the one with the most."""
    newly_gone: int
    """Customers, summed over the dates, who bought in the horizon before a date and nothing in the one after it."""
    returned: float | None
    """The share of the newly gone who bought again within `looked_days` of the end of the horizon."""
    returned_of_all: float | None
    """The same share of all who churned, those who had left long before included."""
    looked_days: int
    watched_days: int
    """For how long after the horizon at least 30 of the newly gone were seen."""
    gaps_within: float | None
    """The share of the gaps between purchases that are no longer than the horizon."""
    lapsing_after_days: int | None
    """From this silence on, a customer is at least as likely to stay away for the horizon as `lapsing_from` says."""
    lost_after_days: int | None
    statuses: Mapping[str, int]
    """All customers at `as_of` by status, as their silence alone tells it, without a model."""


def horizon_facts(
    bought: Purchases, first_day: int, as_of_day: int, horizons: Sequence[int], rule: StatusRule
) -> tuple[HorizonFacts, ...]:
    """The facts of each horizon (days), in ascending order; `first_day` is the day number of the first purchase."""
    past = _Past(bought, first_day, as_of_day, rule)
    seen = [past.look(days) for days in sorted(set(horizons))]
    look = _common_look(seen)
    return tuple(past.facts(one, look) for one in seen)


def gap_quantiles(bought: Purchases, shares: Sequence[float]) -> tuple[int, ...]:
    """The gaps, in days, that so large shares of the gaps do not exceed; empty where nobody bought on two days.

    Every customer's gaps weigh 1 together. Only gaps that have ended are seen, so that long ones are a little too few.
    """
    gaps, weights = bought.gaps
    if not len(gaps):
        return ()
    places = np.searchsorted(np.cumsum(weights) / weights.sum(), shares)
    return tuple(int(gap) for gap in gaps[np.minimum(places, len(gaps) - 1)])


@dataclass(frozen=True)
class _Seen:
    """What past dates show of one horizon: counts, before they become shares."""

    days: int
    complete: int
    dates: list[int]
    customers: list[int]
    churned: list[int]
    newly_gone: Watch
    gone: Watch
    quiet: Quiet


class _Past:
    """The dates that lie behind, each looked at once for all horizons."""

    def __init__(self, bought: Purchases, first_day: int, as_of_day: int, rule: StatusRule) -> None:
        self.bought, self.first_day, self.as_of_day, self.rule = bought, first_day, as_of_day, rule
        self._moments: dict[int, Moment] = {}

    def look(self, days: int) -> _Seen:
        """Look back and ahead from every date that training would learn a horizon of `days` from."""
        nothing = np.zeros(self.as_of_day - self.first_day + 1, dtype=np.int64)
        complete = whole_horizons(self.as_of_day - self.first_day, days)
        seen = _Seen(days, complete, [], [], [], Watch(nothing, nothing), Watch(nothing, nothing), Quiet(nothing, nothing))
        for day in panel_days(self.first_day, self.as_of_day, days):
            if self._at(day).known.any():  # late rows: there may have been purchases, and none known yet
                seen = self._add(seen, day)
        return seen

    def _add(self, seen: _Seen, day: int) -> _Seen:
        moment, end, size = self._at(day), day + seen.days, len(seen.gone.back)
        away = moment.known & (moment.next >= end)
        newly = away & (moment.last >= day - seen.days)
        return replace(
            seen,
            dates=[*seen.dates, day],
            customers=[*seen.customers, int(moment.known.sum())],
            churned=[*seen.churned, int(away.sum())],
            newly_gone=seen.newly_gone + watch(moment, newly, end, self.as_of_day, size),
            gone=seen.gone + watch(moment, away, end, self.as_of_day, size),
            quiet=seen.quiet + quiet(moment, self._judged(day), day, seen.days, size),
        )

    def facts(self, seen: _Seen, look_days: int) -> HorizonFacts:
        """The shares that the counts make, for who comes back within `look_days` at most."""
        shares = np.array(seen.churned) / np.maximum(seen.customers, 1)
        watched = seen.newly_gone.reliable_days
        looked = min(look_days, watched)
        lapsing, lost = seen.quiet.days_to(self.rule.lapsing_from), seen.quiet.days_to(self.rule.lost_from)
        gaps, weights = self.bought.gaps
        return HorizonFacts(
            days=seen.days,
            dates=tuple(day_date(day) for day in seen.dates),
            complete=seen.complete,
            months_used=round(ENOUGH_HORIZONS * seen.days / DAYS_A_MONTH, 1),
            customers=seen.customers[-1] if seen.dates else 0,
            churned=float(shares.mean()) if seen.dates else None,
            churned_range=(float(shares.min()), float(shares.max())) if seen.dates else None,
            newly_gone=seen.newly_gone.customers,
            returned=seen.newly_gone.share_back(looked),
            returned_of_all=seen.gone.share_back(looked),
            looked_days=looked,
            watched_days=watched,
            gaps_within=float(weights[gaps <= seen.days].sum() / weights.sum()) if len(gaps) else None,
            lapsing_after_days=lapsing,
            lost_after_days=lost,
            statuses=self._statuses(lapsing, lost),
        )

    def _statuses(self, lapsing: int | None, lost: int | None) -> dict[str, int]:
        """All customers at `as_of`, by the words of `decisions.schemes.lifecycle`; a silence that was never judged is active."""
        moment = self._at(self.as_of_day)
        silent = (self.as_of_day - moment.last.astype(np.int64))[moment.known]
        new = ~self._judged(self.as_of_day)[moment.known]
        is_lost = ~new & (silent >= (NEVER_DAY if lost is None else lost))
        is_lapsing = ~new & ~is_lost & (silent >= (NEVER_DAY if lapsing is None else lapsing))
        counts = {"new": new, "active": ~(new | is_lapsing | is_lost), "lapsing": is_lapsing, "lost": is_lost}
        return {status: int(flags.sum()) for status, flags in counts.items()}

    def _judged(self, day: int) -> Flags:
        """Who has been a customer for too long to be new, and so is judged by their silence (n,)."""
        moment = self._at(day)
        return moment.known & (moment.last > ALWAYS_DAY) & (day - self.bought.first.astype(np.int64) > self.rule.new_days)

    def _at(self, day: int) -> Moment:
        if day not in self._moments:
            self._moments[day] = self.bought.at(day)
        return self._moments[day]


def _common_look(seen: Sequence[_Seen]) -> int:
    """So many days can be looked ahead for every horizon that can be judged: only then are the shares back comparable."""
    enough = [(one.newly_gone.reliable_days, one.days) for one in seen if one.complete >= ENOUGH_HORIZONS]
    return min([LONGEST_LOOK_DAYS, *(watched for watched, days in enough if watched >= days)])

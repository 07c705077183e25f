"""When customers buy again: their days of purchase, seen from any date, looking both ways.

Beside `training.labels`, this is the only module that looks past a date; `training.horizon` reads it, no feature can.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from features.asof import ALWAYS_DAY, NEVER_DAY, known_before
from features.company import Company
from training.arrays import Flags, Floats, Ints

LEAST_WATCHED = 30
"""Customers still watched on a day, below which a share of those who come back rests on too few."""

DAY_ZERO = 2**31
"""Added to a day number so that it is never negative."""

Days = NDArray[np.int32]


@dataclass(frozen=True)
class Moment:
    """All customers (n,) as seen from a date.

    Whether a purchase of theirs was `known` by then; the day of the `last` one before the date (ALWAYS_DAY: none), and of the
    `next` one on or after it (NEVER_DAY: none seen).
    """

    known: Flags
    last: Days
    next: Days


@dataclass(frozen=True)
class Purchases:
    """The distinct days of purchase (m,) of n customers, ascending within each; customer i has `day[start[i]:start[i + 1]]`.

    `customer_id` (n,) ascends. `known_customer` became a customer on the day after `known_since` and stayed one until
    `known_until` (all (k,)): as in `training.labels`, a purchase that was taken back later was one until then.
    """

    customer_id: pl.Series
    start: Ints
    day: Days
    known_customer: Ints
    known_since: Days
    known_until: Days

    @property
    def customers(self) -> int:
        """How many customers there are, n."""
        return len(self.start) - 1

    @cached_property
    def first(self) -> Days:
        """The day of each customer's first purchase (n,); NEVER_DAY where all were taken back."""
        return self._per_customer(np.minimum, self.day, NEVER_DAY)

    def at(self, day: int) -> Moment:
        """The customers as seen from the start of a day number."""
        known = np.zeros(self.customers, dtype=bool)
        known[self.known_customer[known_before(day, self.known_since, self.known_until)]] = True
        before = self.day < day
        return Moment(
            known,
            last=self._per_customer(np.maximum, np.where(before, self.day, np.int32(ALWAYS_DAY)), ALWAYS_DAY),
            next=self._per_customer(np.minimum, np.where(before, np.int32(NEVER_DAY), self.day), NEVER_DAY),
        )

    @cached_property
    def gaps(self) -> tuple[Days, Floats]:
        """Days between neighbouring days of purchase (g,), ascending, and the weight of each (g,).

        A customer's gaps weigh 1 together, so that heavy buyers do not drown the others. One purchase day makes no gap.
        """
        days_of = np.diff(self.start)
        customer = np.repeat(np.arange(self.customers), days_of)
        within = customer[1:] == customer[:-1]
        gaps, weights = np.diff(self.day)[within], (1 / np.maximum(days_of - 1, 1))[customer[1:][within]]
        order = np.lexsort((weights, gaps))  # by weight as well: sums are then the same in any order of the customers
        return gaps[order], weights[order]

    def around(self, customer: Ints, day: Ints) -> tuple[Ints, Ints]:
        """For pairs of a customer's place and a day number (k,): the last day of purchase before it, the next on or after it.

        ALWAYS_DAY and NEVER_DAY where there is none.
        """
        keys = (np.repeat(np.arange(len(self.start) - 1), np.diff(self.start)) << 32) + self.day + DAY_ZERO
        at = np.searchsorted(keys, (customer << 32) + day + DAY_ZERO)
        padded = np.concatenate([self.day, [0]]).astype(np.int64)
        last = np.where(at > self.start[customer], padded[at - 1], ALWAYS_DAY)
        return last, np.where(at < self.start[customer + 1], padded[at], NEVER_DAY)

    def _per_customer(self, extreme: np.ufunc, days: Days, nothing: int) -> Days:
        found = np.full(self.customers, nothing, dtype=np.int32)
        some = np.diff(self.start) > 0
        if some.any():
            found[some] = extreme.reduceat(days, self.start[:-1][some])
        return found


def purchases(company: Company, as_of_day: int) -> Purchases:
    """The purchases of `company` as they are known at `as_of_day`."""
    known = (pl.col("amount") > 0) & known_before(as_of_day, pl.col("known_day"))
    rows = company.tables["transactions"].lazy().filter(known).select("customer_id", "ordered_day", "known_day", "superseded_day")
    table = rows.collect()
    customers = table["customer_id"].unique().sort()
    place = places(table["customer_id"], customers)
    spells = table.select("known_day", "superseded_day").with_columns(place)
    spells = spells.group_by("place", "superseded_day").agg(pl.col("known_day").min())
    # One sorted integer for each customer and day: far quicker than sorting rows.
    counting = known_before(as_of_day, *(table[name].to_numpy() for name in ("known_day", "superseded_day")))
    both = np.sort((place.to_numpy()[counting] << 32) + table["ordered_day"].to_numpy()[counting].astype(np.int64) + DAY_ZERO)
    both = both[np.diff(both, prepend=-1) > 0]
    return Purchases(
        customer_id=customers,
        start=np.searchsorted(both >> 32, np.arange(len(customers) + 1)).astype(np.int64),
        day=((both & (2**32 - 1)) - DAY_ZERO).astype(np.int32),
        known_customer=spells["place"].to_numpy(),
        known_since=spells["known_day"].to_numpy(),
        known_until=spells["superseded_day"].to_numpy(),
    )


def places(ids: pl.Series, customers: pl.Series) -> pl.Series:
    """The place of each id among `customers`, 0 to n - 1, as the series `place`; null where it is not there."""
    numbered = pl.DataFrame({"customer_id": customers, "place": np.arange(len(customers))})
    return ids.rename("customer_id").to_frame().join(numbered, on="customer_id", how="left", maintain_order="left")["place"]


@dataclass(frozen=True)
class Watch:
    """Customers watched from the end of a silence on.

    On day t (0 is the first) `back[t]` of them bought again, and `unseen[t]`, not yet back, were watched no more, since the
    data end there. Both are counts (days,).
    """

    back: Ints
    unseen: Ints

    def __add__(self, other: Watch) -> Watch:
        return Watch(self.back + other.back, self.unseen + other.unseen)

    @property
    def customers(self) -> int:
        """How many were watched at all."""
        return int(self.back.sum() + self.unseen.sum())

    @property
    def watched(self) -> Ints:
        """How many were still away, and seen, on each day (days,)."""
        left = np.cumsum(self.back) - self.back + np.cumsum(self.unseen)
        watched: Ints = self.customers - left
        return watched

    @property
    def reliable_days(self) -> int:
        """On how many days at least LEAST_WATCHED customers were watched."""
        return int((self.watched >= LEAST_WATCHED).sum())

    def share_back(self, days: int) -> float | None:
        """The share that buys again within so many days, 0 to 1; None when that was not seen.

        Each day's share of those still watched, so that whoever was watched for a short time counts for that time:
        Kaplan and Meier (1958).

        >>> round(Watch(back=np.array([1, 0, 1]), unseen=np.array([0, 1, 0])).share_back(2), 2)  # 1 of 3
        0.33
        """
        watched = self.watched[:days]
        still_away = float(np.prod(1 - self.back[:days] / np.maximum(watched, 1)))
        return 1 - still_away if still_away == 0 or (0 < days <= len(watched) and watched[-1]) else None


def watch(moment: Moment, chosen: Flags, from_day: int, as_of_day: int, span: int) -> Watch:
    """Watch the `chosen` customers (n,) of a moment from a day number until `as_of_day`; the counts are (span,)."""
    back = moment.next[chosen & (moment.next < as_of_day)] - from_day
    unseen = np.zeros(span, dtype=np.int64)
    unseen[as_of_day - from_day] = np.count_nonzero(chosen) - len(back)
    return Watch(np.bincount(back, minlength=span), unseen)


@dataclass(frozen=True)
class Quiet:
    """Customers by days since their last purchase (0 and up).

    How many were `asked` at that silence, and how many of them bought nothing in the horizon (`away`): both are counts (days,).
    """

    asked: Ints
    away: Ints

    def __add__(self, other: Quiet) -> Quiet:
        return Quiet(self.asked + other.asked, self.away + other.away)

    def days_to(self, share: float) -> int | None:
        """The days of silence from which at least that share stays away; None where it never does.

        The share is made to rise with the silence (isotonic regression), and must rest on LEAST_WATCHED customers.

        >>> Quiet(asked=np.array([0, 50, 50, 50]), away=np.array([0, 5, 30, 49])).days_to(0.5)
        2
        """
        seen = np.flatnonzero(self.asked)
        if not len(seen):
            return None
        asked = self.asked[seen]
        reached = self._rising()[seen] >= share
        return int(seen[reached][0]) if asked[reached].sum() >= LEAST_WATCHED else None

    def chance_of_return(self, silent_days: Ints) -> Floats:
        """The share of customers who bought in the horizon after so long a silence (k,), as `days_to` counts it; 0 to 1."""
        return 1 - self._rising()[np.clip(silent_days, 0, len(self.asked) - 1)]

    def _rising(self) -> Floats:
        """The share away by days of silence, made to rise; days that nobody was asked at take their neighbours'."""
        seen = np.flatnonzero(self.asked)
        asked = self.asked[seen].astype(np.float64)
        share = isotonic_regression(self.away[seen] / asked, weights=asked).x
        rising: Floats = np.interp(np.arange(len(self.asked)), seen, share)
        return rising


def quiet(moment: Moment, chosen: Flags, day: int, horizon_days: int, span: int) -> Quiet:
    """Ask the `chosen` customers (n,) of a moment, who have bought before `day`; the counts are (span,)."""
    silent = day - moment.last[chosen]
    away = moment.next[chosen] >= day + horizon_days
    return Quiet(np.bincount(silent, minlength=span), np.bincount(silent[away], minlength=span))

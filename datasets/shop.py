"""The life of a simulated shop, day by day: who buys, what goes wrong, who complains, who is contacted, who leaves.

Each day is one vectorised step over all customers, so that what happens to a customer changes what they do next: a late
delivery or an unresolved complaint raises the chance of leaving from that day on, a treated contact lowers it for a while.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from datasets.chances import Stream
from datasets.population import Bools, Floats, Ints, Population

GONE_NEVER = 2**31 - 1
NEVER_BOUGHT = -(2**31)
EVENT_COLUMNS = {
    "order": (np.int64, np.int64, np.bool_),
    "case": (np.int64, np.int64, np.bool_, np.float64, np.float64, np.bool_),
    "contact": (np.int64, np.int64, np.int64, np.bool_),
}
"""The fields of `Log`, in its order, by kind of event."""
NOTICED_AFTER_DAYS = 4
"""Days from an order to the day on which a late delivery is felt."""


@dataclass(frozen=True)
class ContactEffect:
    """What one contact costs and does to those who are treated."""

    cost: float
    kept_share: float
    """Share of would-be leavers kept during `Effects.contact_days` after the contact."""
    won_back_share: float
    """Share of those already gone who come back."""
    propensity: float
    """Chance of being treated, for those chosen for this contact."""
    kept_share_of: Mapping[str, float] = field(default_factory=dict)
    """The share kept among customers of a type (trader, deal_seeker), where it is not `kept_share`."""

    def kept(self, people: Population) -> Floats:
        """The share of would-be leavers that this contact keeps, among customers like each of `people`, shape (n,)."""
        seeker = np.where(people.deal_seeker, self.kept_share_of.get("deal_seeker", self.kept_share), self.kept_share)
        kept: Floats = np.where(people.trader, self.kept_share_of.get("trader", self.kept_share), seeker)
        return kept


@dataclass(frozen=True)
class Effects:
    """How strongly events move customers; the truth that models and plans try to find.

    Log hazards are added to the log of the daily chance of leaving; zero means "no effect".
    """

    unresolved_complaint_log_hazard: float = 1.8
    """While a complaint is open, for each of at most two."""
    late_delivery_log_hazard: float = 0.5
    """From a late delivery on, fading by half in `mood_half_life_days`."""
    badly_closed_log_hazard: float = 0.9
    """From the close of a complaint that left the customer dissatisfied, fading likewise."""
    recovered_log_hazard: float = -0.4
    """From the close of a complaint that left the customer satisfied, fading likewise."""
    mood_half_life_days: float = 60.0
    contact_days: int = 90
    campaign_share: float = 0.02
    """Share of customers that a campaign, of which there is one a fortnight, picks at random."""
    campaign_recency_days: int | None = None
    """Campaigns are for customers whose last purchase is at most so long ago; None: for all who ever bought."""
    contacts: dict[str, ContactEffect] = field(
        default_factory=lambda: {
            "reminder_email": ContactEffect(cost=0.1, kept_share=0.04, won_back_share=0.01, propensity=0.5),
            "loyalty_reward": ContactEffect(cost=4.0, kept_share=0.15, won_back_share=0.02, propensity=0.5),
            "win_back_call": ContactEffect(cost=8.0, kept_share=0.3, won_back_share=0.06, propensity=0.7),
        }
    )


@dataclass(frozen=True)
class Log:
    """What happened, as arrays; customers are positions in the population, days count from 0."""

    order_customer: Ints
    order_day: Ints
    order_late: Bools
    case_customer: Ints
    case_day: Ints
    case_late: Bools
    """Whether a late delivery is what the complaint is about."""
    case_response_days: Floats
    case_close_days: Floats
    case_recovered: Bools
    contact_customer: Ints
    contact_day: Ints
    contact_action: Ints
    """Position in `Effects.contacts`."""
    contact_treated: Bools


@dataclass(frozen=True)
class Fate:
    """The hidden state on the day after the last: whether and when each left, and their chance of leaving on the next day."""

    gone_day: Ints
    """`GONE_NEVER` for those who have not left."""
    hazard: Floats


class Shop:
    """A population and its state; `live(days)` lets time pass.

    The state changes by the day and nothing looks ahead, so that a plan may act between two calls of `live`.
    """

    def __init__(self, chances: Stream, people: Population, effects: Effects, season: Floats) -> None:
        n = len(people)
        self.people, self.effects, self._chances, self._season = people, effects, chances, season
        self._everyone = np.arange(n)
        self.day = 0
        self.campaigns = True
        """Whether the shop contacts customers at random of its own accord."""
        self.last_order_day = np.full(n, NEVER_BOUGHT, dtype=np.int64)
        self.gone_day = np.full(n, GONE_NEVER, dtype=np.int64)
        self._mood = np.zeros(n)
        self._open_cases = np.zeros(n)
        self._kept_share = np.zeros(n)
        self._kept_until = np.zeros(n, dtype=np.int64)
        self._late: dict[int, list[Ints]] = defaultdict(list)
        self._opening: dict[int, list[tuple[Ints, Bools]]] = defaultdict(list)
        self._closing: dict[int, list[tuple[Ints, Bools]]] = defaultdict(list)
        self._events: dict[str, list[tuple[np.ndarray, ...]]] = {
            kind: [tuple(np.empty(0, dtype) for dtype in dtypes)] for kind, dtypes in EVENT_COLUMNS.items()
        }
        self._actions = list(effects.contacts.values())
        self._kept_by_action = np.array([each.kept(people) for each in self._actions]).reshape(len(self._actions), n)

    def live(self, days: int) -> None:
        """Let `days` days pass."""
        for _ in range(days):
            for purpose, happens in enumerate((self._buy, self._complain, self._settle, self._campaign, self._leave)):
                self._chances.begin(self.day, purpose)
                happens()
            self.day += 1

    def hazard(self) -> Floats:
        """Chance per day of leaving, of each customer as things are now: shape (n,), as if they were still there."""
        kept = np.where(self.day < self._kept_until, self._kept_share, 0.0)
        hazard: Floats = self.people.leave_hazard * np.exp(self.trouble()) * (1 - kept)
        return hazard

    def trouble(self) -> Floats:
        """What each customer's experiences add to the log of their hazard as things are now, shape (n,); below 0 if pleasant."""
        trouble: Floats = self.effects.unresolved_complaint_log_hazard * np.minimum(self._open_cases, 2) + self._mood
        return trouble

    def fate(self) -> Fate:
        """The hidden state as it is now."""
        return Fate(gone_day=self.gone_day.copy(), hazard=self.hazard())

    def log(self) -> Log:
        """All that happened so far."""
        columns = [np.concatenate(parts) for kind in self._events.values() for parts in zip(*kind, strict=True)]
        return Log(*columns)

    def _here(self) -> Bools:
        here: Bools = (self.gone_day == GONE_NEVER) & (self.people.first_buy_day <= self.day)
        return here

    def _buy(self) -> None:
        """Orders of the day; some will arrive late, and those more often lead to a complaint."""
        people, season = self.people, self._season[self.day]
        eager = np.where(people.deal_seeker & _is_sale(self.day), 2.5, 1.0)
        chance = -np.expm1(-people.purchase_rate * season * eager)
        buys = self._here() & ((self._chances.uniform(self._everyone) < chance) | (people.first_buy_day == self.day))
        who = np.flatnonzero(buys)
        late = self._chances.uniform(who) < 0.07 * season
        self.last_order_day[who] = self.day
        self._record("order", who, late)
        wronged = self._chances.uniform(who) < np.where(late, 0.35, 0.03)
        for wait in range(3, 8):
            chosen = wronged & (self._chances.uniform(who) < 1 / (8 - wait))
            self._opening[self.day + wait].append((who[chosen], late[chosen]))
            wronged &= ~chosen
        self._late[self.day + NOTICED_AFTER_DAYS].append(who[late])

    def _complain(self) -> None:
        """Open the complaints that are due; a third of them is settled slowly, and slow ones seldom end well."""
        for who, late in self._opening.pop(self.day, []):
            slow = self._chances.uniform(who) < 0.35
            response = self._chances.exponential(who, np.where(slow, 6.0, 0.6))
            close = response + self._chances.exponential(who, np.where(slow, 60.0, 5.0))
            recovered = self._chances.uniform(who) < np.where(slow, 0.2, 0.75)
            self._record("case", who, late, response, close, recovered)
            self._open_cases[who] += 1
            for step in np.unique(np.ceil(close)):
                ends = np.ceil(close) == step
                self._closing[self.day + int(step)].append((who[ends], recovered[ends]))

    def _settle(self) -> None:
        """Moods fade; late deliveries are noticed, and what is settled today is closed."""
        self._mood *= 0.5 ** (1 / self.effects.mood_half_life_days)
        for who in self._late.pop(self.day, []):
            self._mood[who] += self.effects.late_delivery_log_hazard
        for who, recovered in self._closing.pop(self.day, []):
            np.subtract.at(self._open_cases, who, 1)
            after = np.where(recovered, self.effects.recovered_log_hazard, self.effects.badly_closed_log_hazard)
            np.add.at(self._mood, who, after)

    def _campaign(self) -> None:
        """Every fortnight, contact a random few of those who bought, by a random action, each with a randomised control."""
        if self.day % 14 != 13 or not self._actions or not self.campaigns:
            return
        oldest = self.effects.campaign_recency_days
        since = NEVER_BOUGHT + 1 if oldest is None else self.day - oldest
        bought = np.flatnonzero(self.last_order_day >= since)
        who = bought[self._chances.uniform(bought) < self.effects.campaign_share]
        action = self._chances.below(who, len(self._actions))
        treated = self._chances.uniform(who) < np.array([each.propensity for each in self._actions])[action]
        self._record("contact", who, action, treated)
        self.treat(who[treated], action[treated])

    def treat(self, who: Ints, action: Ints) -> None:
        """Let contacts work: `action` is the position in `Effects.contacts` of what each of `who` receives today."""
        kept = self._kept_by_action[action, who]
        won_back = np.array([each.won_back_share for each in self._actions])[action]
        returns = (self.gone_day[who] != GONE_NEVER) & (self._chances.uniform(who) < won_back)
        self.gone_day[who[returns]] = GONE_NEVER
        self._kept_share[who] = kept
        self._kept_until[who] = self.day + self.effects.contact_days

    def _leave(self) -> None:
        leaves = self._here() & (self._chances.uniform(self._everyone) < -np.expm1(-self.hazard()))
        self.gone_day[leaves] = self.day

    def _record(self, kind: str, who: Ints, *columns: np.ndarray) -> None:
        self._events[kind].append((who, np.full(who.size, self.day), *columns))


def season_of(days: int, first_day_of_year: int) -> Floats:
    """The factor on purchases of each day: a peak before the turn of the year, a dip in summer, busy weekends.

    `first_day_of_year` is the day of the year (0 to 365) of day 0.

    >>> float(season_of(365, 0).mean().round(2))
    1.0
    """
    day = np.arange(days)
    year = 2 * np.pi * (day + first_day_of_year) / 365.25
    season: Floats = (1 + 0.25 * np.cos(year) + 0.1 * np.cos(2 * year)) * np.where(day % 7 >= 5, 1.3, 0.88)
    return season


def _is_sale(day: int) -> bool:
    """The first week of every eight is sale."""
    return day % 56 < 7

"""A simulated shop that goes on living: what is done to its customers between two days changes what they do next.

For loops of score, plan, contact and outcome. Two shops of one seed share their luck (`datasets.chances.Common`), so that what
differs between them comes from what was done in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from datasets.chances import Common
from datasets.folder import write_company
from datasets.population import Floats, Ints, customer_table, instants, make_population
from datasets.shop import GONE_NEVER, Effects, Log, Shop, season_of

COMPANY_YAML = """\
# A simulated company that goes on living: every person and firm in it is invented.
company: living-{seed}
currency: EUR
static: [city]
"""
USUAL_PRICE, LINES_PER_ORDER = 14.0, 1.9
AMOUNT_SPREAD = 0.5
"""Standard deviation of the log of an order's amount about what the customer usually spends."""


class LivingShop:
    """A shop of `customers` that begins on `first_day`, and what its company has on file.

    Everybody who will ever join is drawn at the start: `lasts_days` is how long the shop may live.
    """

    def __init__(self, customers: int, *, seed: int, effects: Effects, first_day: date, lasts_days: int) -> None:
        self.effects, self.first_day, self._seed = effects, first_day, seed
        self.people = make_population(np.random.default_rng([seed, 0]), customers, lasts_days)
        season = season_of(lasts_days, first_day.timetuple().tm_yday - 1)
        self.shop = Shop(Common(seed, customers), self.people, effects, season)
        self.order_worth = order_worth(self.shop)
        self._place = {name: place for place, name in enumerate(self.people.ids.tolist())}

    @property
    def today(self) -> date:
        """The day that begins."""
        return self.first_day + timedelta(days=self.shop.day)

    def live(self, days: int) -> None:
        """Let so many days pass."""
        self.shop.live(days)

    def contact(self, customer_ids: Sequence[str], actions: Sequence[str]) -> None:
        """Do to each of these customers today what the actions do; actions are names of `effects.contacts`."""
        names = list(self.effects.contacts)
        self.shop.treat(self.places(customer_ids), np.array([names.index(action) for action in actions], dtype=np.int64))

    def places(self, customer_ids: Sequence[str]) -> Ints:
        """The positions of these customers in the population."""
        return np.array([self._place[name] for name in customer_ids], dtype=np.int64)

    def revenue(self, since: int) -> float:
        """What was bought on the days from `since` on, each order at what the customer spends on average."""
        log = self.shop.log()
        return float(self.order_worth[log.order_customer[log.order_day >= since]].sum())

    def true_gain(self, action: str, days: int) -> Floats:
        """What `action` would bring of each customer in the next `days` days, before its cost, shape (n,), in an average season.

        As if the hazard h of each stayed as it is: in the days of the contact the share k of it falls away, and after them those
        who were kept buy on at their rate until they leave; of those gone some come back. Nothing before the first purchase.
        """
        effect, h = self.effects.contacts[action], np.maximum(self.shop.hazard(), 1e-12)
        k, held = effect.kept(self.people), min(self.effects.contact_days, days)
        slower = h * (1 - k)
        during = _alive_days(slower, held) - _alive_days(h, held)
        after = (np.exp(-slower * held) - np.exp(-h * held)) * _alive_days(h, days - held)
        back = effect.won_back_share * (_alive_days(slower, held) + np.exp(-slower * held) * _alive_days(h, days - held))
        gain = np.where(self.shop.gone_day == GONE_NEVER, during + after, back)
        known = self.people.first_buy_day < self.shop.day
        return np.asarray(np.where(known, gain * self.people.purchase_rate * self.order_worth, 0.0))

    def write(self, folder: Path) -> None:
        """Write what the company has on file of the days before today; what was on file before stays as it was.

        The contacts that the shop made at random are one file of the folder `contacts`, so that others can lie beside it.
        """
        log, start = self.shop.log(), np.datetime64(self.first_day)
        people = customer_table(np.random.default_rng([self._seed, 1]), self.people, start)
        tables = {
            "customers": people.filter(pl.col("joined_at") < self.today).drop("referred_by"),
            "transactions": self._orders(log, start),
            "complaints": self._complaints(log, start),
        }
        if not (contacts := self._campaign_contacts()).is_empty():
            tables["contacts/campaigns"] = contacts
        write_company(folder, COMPANY_YAML.format(seed=self._seed), tables)

    def _campaign_contacts(self) -> pl.DataFrame:
        """The contacts that the shop made at random of its own accord, as the contacts table has them."""
        log, each = self.shop.log(), list(self.effects.contacts.values())
        action, treated = log.contact_action, log.contact_treated
        return pl.DataFrame(
            {
                "customer_id": self.people.ids[log.contact_customer],
                "contacted_at": (np.datetime64(self.first_day) + log.contact_day).astype("datetime64[D]"),
                "action": np.array(list(self.effects.contacts))[action],
                "arm": np.where(treated, "treated", "control"),
                "propensity": np.array([one.propensity for one in each])[action],
                "cost": np.where(treated, np.array([one.cost for one in each])[action], 0.0),
            }
        )

    def _orders(self, log: Log, start: np.datetime64) -> pl.DataFrame:
        """One row per order; how far its amount is from the usual hangs on customer and day alone."""
        who, day = log.order_customer, log.order_day
        noise = self._normal(who, day)
        amount = self.order_worth[who] * np.exp(AMOUNT_SPREAD * noise - AMOUNT_SPREAD**2 / 2)
        return pl.DataFrame(
            {"customer_id": self.people.ids[who], "ordered_at": (start + day).astype("datetime64[D]"), "amount": amount.round(2)}
        ).sort("ordered_at", "customer_id")

    def _complaints(self, log: Log, start: np.datetime64) -> pl.DataFrame:
        """The complaints so far; what had not been answered or closed before today is open."""
        opened, today = log.case_day.astype(np.float64), float(self.shop.day)
        answered, closed = opened + log.case_response_days, opened + log.case_close_days
        is_closed = closed < today
        stars = np.where(log.case_recovered, 5, 2)
        return pl.DataFrame(
            {
                "customer_id": self.people.ids[log.case_customer],
                "opened_at": instants(opened, start),
                "first_response_at": instants(np.where(answered < today, answered, np.nan), start),
                "closed_at": instants(np.where(is_closed, closed, np.nan), start),
                "satisfaction": pl.Series([star if end else None for star, end in zip(stars.tolist(), is_closed, strict=True)]),
            }
        ).sort("opened_at", "customer_id")

    def _normal(self, who: Ints, day: Ints) -> Floats:
        """A standard normal number for each pair of customer and day."""
        table = np.random.default_rng([self._seed, 2]).standard_normal(2**16)
        return np.asarray(table[(who * 7919 + day * 104_729) % 2**16])


def order_worth(shop: Shop) -> Floats:
    """What each customer spends on an order, on average, shape (n,)."""
    basket = shop.people.basket
    quantity = 1.2 + basket - np.minimum(basket, 1.0)
    return np.asarray(LINES_PER_ORDER * USUAL_PRICE * quantity * np.where(shop.people.deal_seeker, 0.87, 0.98))


def _alive_days(hazard: Floats, days: float) -> Floats:
    """The days that a customer of this hazard is still there, of the next `days`: (1 - exp(-h days)) / h."""
    alive: Floats = -np.expm1(-hazard * days) / hazard
    return alive

"""The invented customers of a simulated company: who they are, how they buy, how easily they leave.

Every person and firm is made up: names are drawn from short lists, ids are running numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[np.str_]

GIVEN = (
    "Ada Amir Beatriz Ben Clara Daniel Elena Esther Felix Grace Hugo Ines Jonas Karin Leo Maya Nora Omar Petra Ravi Rosa Sam Zoe"
)
FAMILY = "Adler Barros Castell Dahl Eriksen Fontaine Grant Hollis Jansen Keller Novak Okafor Quinn Rossi Silva Usman Varga Young"
SURNAMES = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林"
GIVEN_ZH = "伟 芳 娜 敏 静 丽 强 磊 洋 勇 艳 杰 秀英 桂兰 建国 子涵 雨桐 浩然 欣怡 梓轩"
FIRMS = "Alder Birch Cedar Fern Harbour Juniper Lantern Maple North Orchard Quarry River Saffron Thistle Willow"
TRADES = "Tea House,Corner Shop,Catering,Grocers,Kitchen Supply,Deli,Trading,Canteen"
TRADES_ZH = "茶行,商贸,食品店,餐饮,便利店,批发"
OWNERS = ("Ingrid Vale", "Marcus Reed", "Priya Nair", "Tomas Berg", "Wei Lan")
CITIES = ("Ashford", "Brookvale", "Carrow", "Dunmere", "Eastwick", "Fallowfield")
CHANNELS = ("email", "phone", "sms", "app")


@dataclass(frozen=True)
class Population:
    """The traits of `n` customers, each an array of length n; what the company cannot see is marked (hidden)."""

    ids: Texts
    trader: Bools
    joined_day: Ints
    """Day of the simulation on which the customer joins, from 0."""
    first_buy_day: Ints
    """Day of the first purchase; past the end of the simulation for those who never buy."""
    purchase_rate: Floats
    """Purchases per day while alive, before season (hidden)."""
    leave_hazard: Floats
    """Chance per day of leaving for good when nothing is wrong (hidden)."""
    basket: Floats
    """Usual number of units of one line of an order (hidden)."""
    deal_seeker: Bools
    """Buys on offer, and more often when there are offers (hidden)."""
    pays_late: Floats
    """Chance that an invoice is paid after it is due (hidden); only traders have invoices."""

    def __len__(self) -> int:
        return len(self.ids)


def make_population(rng: np.random.Generator, customers: int, days: int) -> Population:
    """Draw `customers` customers who join during `days` days, more of them early than late.

    Purchase rates are gamma distributed within each kind, as in the buy-till-you-die models; chances of leaving are gamma too.
    """
    trader = rng.random(customers) < 0.08
    joined = np.floor(days * rng.random(customers) ** 1.6).astype(np.int64)
    never_buys = rng.random(customers) < 0.02
    return Population(
        ids=np.array([f"C{number:06d}" for number in range(1, customers + 1)]),
        trader=trader,
        joined_day=joined,
        first_buy_day=np.where(never_buys, days, joined + np.floor(rng.exponential(4.0, customers)).astype(np.int64)),
        purchase_rate=rng.gamma(np.where(trader, 3.0, 1.3), np.where(trader, 1 / 45, 1 / 45)),
        leave_hazard=rng.gamma(1.2, np.where(trader, 1 / 1200, 1 / 420)),
        basket=np.where(trader, 8.0, 1.4) * rng.lognormal(0.0, 0.5, customers),
        deal_seeker=(rng.random(customers) < 0.2) & ~trader,
        pays_late=rng.beta(0.6, 2.4, customers),
    )


def customer_table(rng: np.random.Generator, people: Population, start: np.datetime64) -> pl.DataFrame:
    """The `customers` table: what the company has on file, with gaps as real files have them."""
    n = len(people)
    yearly = people.purchase_rate * 365 * people.basket * 14
    wallet_known = rng.random(n) < np.where(people.trader, 0.7, 0.15)
    return pl.DataFrame(
        {
            "customer_id": people.ids,
            "joined_at": start + people.joined_day.astype("timedelta64[D]"),
            "kind": np.where(people.trader, "trader", "consumer"),
            "account_id": _accounts(rng, people),
            "owner": known_where(people.trader, rng.choice(OWNERS, n)),
            "name": _names(rng, people.trader),
            "consent": rng.random(n) < 0.85,
            "preferred_channel": rng.choice(CHANNELS, n, p=(0.5, 0.2, 0.2, 0.1)),
            "referred_by": _referrers(rng, people),
            "acquisition_cost": _money(np.where(people.trader, 60.0, 12.0) * rng.lognormal(0, 0.4, n)),
            "service_cost": _money(np.where(people.trader, 45.0, 6.0) * rng.lognormal(0, 0.4, n)),
            "wallet": known_where(wallet_known, _money(yearly / rng.beta(2.5, 2.5, n).clip(0.1))),
            "birthday": _birthdays(rng, people.trader),
            "city": rng.choice(CITIES, n),
        }
    )


def _money(amounts: Floats) -> Floats:
    """Whole cents."""
    return np.round(amounts, 2)


def _names(rng: np.random.Generator, trader: Bools) -> Texts:
    """English and Chinese names, of people and of firms."""
    n = len(trader)
    people = _joined(rng, GIVEN.split(), FAMILY.split(), " ", n)
    people_zh = _joined(rng, SURNAMES.split(), GIVEN_ZH.split(), "", n)
    firms = _joined(rng, FIRMS.split(), TRADES.split(","), " ", n)
    firms_zh = _joined(rng, SURNAMES.split(), TRADES_ZH.split(","), "记", n)
    chinese = rng.random(n) < 0.3
    return np.where(trader, np.where(chinese, firms_zh, firms), np.where(chinese, people_zh, people))


def _joined(rng: np.random.Generator, first: list[str], second: list[str], glue: str, n: int) -> Texts:
    """`n` random pairs of words with `glue` between."""
    pairs = np.array([f"{one}{glue}{other}" for one in first for other in second])
    return np.asarray(pairs[rng.integers(len(pairs), size=n)])


def _accounts(rng: np.random.Generator, people: Population) -> pl.Series:
    """Traders share an account with a few others (branches of one firm); consumers have none."""
    firms = max(1, int(people.trader.sum() * 0.7))
    names = np.array([f"A{number:05d}" for number in range(1, firms + 1)])
    return known_where(people.trader, names[rng.integers(firms, size=len(people))])


def _referrers(rng: np.random.Generator, people: Population) -> pl.Series:
    """One customer in ten was referred by another who had joined earlier."""
    other = rng.integers(len(people), size=len(people))
    known = (rng.random(len(people)) < 0.1) & (people.joined_day[other] < people.joined_day)
    return known_where(known, people.ids[other])


def _birthdays(rng: np.random.Generator, trader: Bools) -> pl.Series:
    """Birthdays of two consumers in three, between 1945 and 2005; firms have none."""
    days = rng.integers(-9131, 13149, size=len(trader)).astype(np.int32)
    return known_where((rng.random(len(trader)) < 0.67) & ~trader, days).cast(pl.Date)


def known_where(known: Bools, values: npt.NDArray[np.generic]) -> pl.Series:
    """`values` as a series that is missing where `known` is false.

    >>> known_where(np.array([True, False]), np.array([3, 4])).to_list()
    [3, None]
    """
    return pl.select(pl.when(pl.Series(known)).then(pl.Series(values))).to_series()


def instants(days: Floats, start: np.datetime64) -> npt.NDArray[np.datetime64]:
    """Moments, to the second, `days` days after midnight of `start`; NaN becomes a missing moment.

    >>> instants(np.array([1.5, np.nan]), np.datetime64("2026-01-01")).astype(str).tolist()
    ['2026-01-02T12:00:00.000000', 'NaT']
    """
    known = np.isfinite(days)
    seconds = np.where(known, days, 0.0) * 86400
    moments = start.astype("datetime64[us]") + seconds.astype(np.int64) * np.timedelta64(1_000_000, "us")
    return np.where(known, moments, np.datetime64("NaT"))

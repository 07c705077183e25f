"""A simulated company with known truth: a shop's customers, transactions, complaints, payments, contacts and surveys.

The day-by-day story is in `datasets.shop`, what is on the order lines in `datasets.orders`, what customers answer in
`datasets.surveys`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from datasets.chances import Stream
from datasets.folder import write_company
from datasets.orders import order_lines
from datasets.population import Floats, Population, customer_table, instants, known_where, make_population
from datasets.shop import GONE_NEVER, Effects, Fate, Log, Shop, season_of
from datasets.surveys import Surveys
from keepwell.errors import ConfigError
from keepwell.files import written_whole

COMPANY_YAML = """\
# A simulated company: every person and firm in it is invented.
company: {key}
currency: EUR
static: [city]
"""
COMPLAINT_CATEGORIES = ("damaged", "wrong item", "quality", "billing", "staff")
INVOICE_DAYS = 30


@dataclass(frozen=True)
class Truth:
    """What the company can not see.

    `customers` has one row per customer: customer_id, died_at (the day they left; null: still there), purchase_rate (a day,
    before season), churn_hazard (chance per day of leaving, as things are at `until`), deal_seeker.
    """

    until: date
    effects: Effects
    customers: pl.DataFrame

    def churn_probability(self, horizon_days: int) -> Floats:
        """The true chance of no purchase in `[until, until + horizon_days)`, shape (n,), for an average season.

        With rate r and hazard h, both constant: h / (h + r) + r / (h + r) * exp(-(h + r) * horizon); 1 for those who left.
        Reference: Schmittlein, Morrison and Colombo (1987), the Pareto/NBD's individual level.
        """
        rate, hazard = self.customers["purchase_rate"].to_numpy(), self.customers["churn_hazard"].to_numpy()
        both = rate + hazard
        silent = hazard / both + rate / both * np.exp(-both * horizon_days)
        return np.where(self.customers["died_at"].is_null().to_numpy(), silent, 1.0)

    def write(self, path: Path) -> None:
        """Write `customers` as Parquet; keep it outside the company folder, for it would be a leak there."""
        with written_whole(path) as temporary:
            self.customers.write_parquet(temporary)


def simulate(
    folder: Path,
    *,
    customers: int = 20_000,
    months: int = 24,
    seed: int = 0,
    until: date = date(2026, 1, 1),
    effects: Effects | None = None,
) -> Truth:
    """Write a simulated company to `folder` and return what is true of it.

    The history covers the `months` calendar months before `until`; the same arguments give the same bytes.
    Raises ConfigError when there is not at least one customer and one month.
    """
    if customers < 1 or months < 1:
        raise ConfigError(f"cannot simulate {customers} customers over {months} months", hint="both must be at least 1")
    effects = effects or Effects()
    first_day = _months_before(until, months)
    days, start = (until - first_day).days, np.datetime64(first_day)
    rng_people, rng_life, rng_orders, rng_files, rng_surveys = np.random.default_rng(seed).spawn(5)
    people = make_population(rng_people, customers, days)
    shop = Shop(Stream(rng_life), people, effects, season_of(days, first_day.timetuple().tm_yday - 1))
    surveys = Surveys(rng_surveys, people)
    for _ in range(days):
        surveys.ask(shop)
        shop.live(1)
    log = shop.log()
    tables = {
        "customers": customer_table(rng_files, people, start),
        "transactions": order_lines(rng_orders, people, log, days, start),
        "complaints": _complaints(rng_files, people, log, days, start),
        "contacts": _contacts(rng_files, people, log, effects, start),
        "surveys": surveys.table(start),
    }
    tables["payments"] = _payments(rng_files, people, tables["transactions"], until)
    write_company(folder, COMPANY_YAML.format(key=f"simulated-{customers}-{months}-{seed}"), tables)
    return Truth(until, effects, _truth_table(people, shop.fate(), start))


def _complaints(rng: np.random.Generator, people: Population, log: Log, days: int, start: np.datetime64) -> pl.DataFrame:
    """Complaints, and about as many enquiries, which mean no harm; what ends after the last day is still open."""
    asked = rng.choice(log.order_customer.size, size=log.order_customer.size // 40, replace=False)
    n, m = log.case_customer.size, asked.size
    enquiry = np.repeat([False, True], [n, m])
    opened = np.concatenate([log.case_day, log.order_day[asked]]) + rng.uniform(8 / 24, 20 / 24, n + m)
    response = np.concatenate([log.case_response_days, rng.exponential(0.3, m)])
    close = np.concatenate([log.case_close_days, response[n:] + rng.exponential(0.5, m)])
    late = np.concatenate([log.case_late, np.zeros(m, dtype=bool)])
    content = np.concatenate([log.case_recovered, rng.random(m) < 0.9])
    stars = np.where(content, rng.integers(4, 6, n + m), rng.integers(1, 4, n + m))
    answered = (rng.random(n + m) < 0.7) & (opened + close < days)
    category = np.where(late, "late delivery", rng.choice(COMPLAINT_CATEGORIES, n + m))
    table = pl.DataFrame(
        {
            "customer_id": people.ids[np.concatenate([log.case_customer, log.order_customer[asked]])],
            "opened_at": instants(opened, start),
            "first_response_at": instants(np.where(opened + response < days, opened + response, np.nan), start),
            "closed_at": instants(np.where(opened + close < days, opened + close, np.nan), start),
            "kind": np.where(enquiry, "enquiry", "complaint"),
            "category": known_where(~enquiry, category),
            "severity": known_where(~enquiry, np.clip(rng.poisson(1.3, n + m) + 1 + late, 1, 5)),
            "satisfaction": known_where(answered, stars),
            "cost": np.where(enquiry, 1.5, 6.0) * rng.integers(1, 5, n + m),
            "channel": rng.choice(("phone", "email", "app"), n + m),
        }
    ).sort("opened_at", "customer_id")
    return table.insert_column(0, pl.Series("complaint_id", [f"Q{number:06d}" for number in range(1, n + m + 1)]))


def _payments(rng: np.random.Generator, people: Population, transactions: pl.DataFrame, until: date) -> pl.DataFrame:
    """One invoice for each order of a trader, due after 30 days; late payers pay late, and some not at all so far."""
    traits = pl.DataFrame({"customer_id": people.ids[people.trader], "pays_late": people.pays_late[people.trader]})
    invoices = (
        transactions.filter(pl.col("amount") > 0)
        .join(traits, on="customer_id", how="inner")
        .group_by("customer_id", "order_id")
        .agg(pl.col("ordered_at").first(), pl.col("amount").sum().round(2), pl.col("pays_late").first())
        .sort("ordered_at", "order_id")
    )
    n = invoices.height
    late = rng.random(n) < invoices["pays_late"].to_numpy()
    delay = np.where(late, 1 + rng.exponential(25, n), -rng.integers(0, 20, n)).astype(np.int64)
    never = late & (rng.random(n) < 0.03)
    due = invoices["ordered_at"].dt.date().to_numpy() + np.timedelta64(INVOICE_DAYS, "D")
    paid = due + delay.astype("timedelta64[D]")
    return invoices.select(
        "customer_id",
        due_at=pl.Series(due),
        amount="amount",
        paid_at=pl.Series(np.where(never | (paid >= np.datetime64(until)), np.datetime64("NaT"), paid)),
    )


def _contacts(rng: np.random.Generator, people: Population, log: Log, effects: Effects, start: np.datetime64) -> pl.DataFrame:
    """The randomised contacts; controls cost nothing and accept nothing. Converted: bought within 30 days."""
    names = np.array(list(effects.contacts), dtype=np.str_)
    costs = np.array([each.cost for each in effects.contacts.values()])
    propensities = np.array([each.propensity for each in effects.contacts.values()])
    who, day, action, treated = log.contact_customer, log.contact_day, log.contact_action, log.contact_treated
    orders = np.sort(log.order_customer * 2**20 + log.order_day)
    following = np.searchsorted(orders, who * 2**20 + day + 1)
    key = np.append(orders, np.iinfo(np.int64).max)[following]
    converted = key <= who * 2**20 + day + 30
    return pl.DataFrame(
        {
            "customer_id": people.ids[who],
            "contacted_at": instants(day + rng.uniform(9 / 24, 18 / 24, who.size), start),
            "action": names[action],
            "arm": np.where(treated, "treated", "control"),
            "propensity": propensities[action],
            "cost": np.where(treated, costs[action], 0.0),
            "accepted": treated & (rng.random(who.size) < np.where(converted, 0.5, 0.15)),
            "converted": converted,
        }
    )


def _months_before(day: date, months: int) -> date:
    """The same day of the month, `months` months earlier; a day that this month lacks runs over into the next."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1) + timedelta(days=day.day - 1)


def _truth_table(people: Population, fate: Fate, start: np.datetime64) -> pl.DataFrame:
    gone = fate.gone_day != GONE_NEVER
    died = np.where(gone, start + np.where(gone, fate.gone_day, 0).astype("timedelta64[D]"), np.datetime64("NaT"))
    return pl.DataFrame(
        {
            "customer_id": people.ids,
            "died_at": died.astype("datetime64[D]"),
            "purchase_rate": people.purchase_rate,
            "churn_hazard": fate.hazard,
            "deal_seeker": people.deal_seeker,
        }
    )

"""Two small companies of another kind, with known truth: one whose customers end contracts, one that is a flat churn table."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

PLANS = {"basic": 10.0, "plus": 20.0, "gold": 45.0}
MONTH = timedelta(days=30)


def simulate_contracts(folder: Path, *, customers: int, months: int, seed: int, until: date) -> None:
    """Write subscriptions, complaints and customers of `months` months before `until` into `folder`.

    Each month a customer leaves with a chance that is higher on the basic plan, in the first months and after a complaint, and
    some change their plan instead: one contract ends and the next begins on the same day.
    """
    random = np.random.default_rng(seed)
    begin = until - months * MONTH
    contracts: list[tuple[str, date, date | None, str, float]] = []
    complaints: list[tuple[str, date]] = []
    regions: list[tuple[str, str]] = []
    for number in range(customers):
        name = f"c{number:05d}"
        regions.append((name, str(random.choice(["north", "south"]))))
        start = begin + timedelta(days=int(random.integers(0, months * 30)))
        mine, complained = _one_customer(start, until, random)
        contracts += [(name, *contract) for contract in mine]
        complaints += [(name, day) for day in complained]
    folder.mkdir(parents=True, exist_ok=True)
    schema = {"customer_id": pl.String, "started_at": pl.Date, "ended_at": pl.Date, "plan": pl.String, "price": pl.Float64}
    pl.DataFrame(contracts, schema=schema, orient="row").write_parquet(folder / "subscriptions.parquet")
    opened = pl.DataFrame(complaints, schema={"customer_id": pl.String, "opened_at": pl.Date}, orient="row")
    opened.write_parquet(folder / "complaints.parquet")
    people = pl.DataFrame(regions, schema={"customer_id": pl.String, "region": pl.String}, orient="row")
    people.write_parquet(folder / "customers.parquet")


def _one_customer(
    start: date, until: date, random: np.random.Generator
) -> tuple[list[tuple[date, date | None, str, float]], list[date]]:
    """The contracts and the days of complaints of one customer, until they leave or time is over."""
    contracts: list[tuple[date, date | None, str, float]] = []
    complaints: list[date] = []
    plan, begun, month = str(random.choice(list(PLANS), p=(0.5, 0.3, 0.2))), start, start
    while month < until:
        complained = random.random() < 0.06
        if complained:
            complaints.append(month)
        months_with_us = (month - start).days / 30
        chance = 0.015 + 0.03 * (plan == "basic") + 0.04 * (months_with_us < 4) + 0.25 * complained
        day = month + timedelta(days=int(random.integers(3, 30)))
        if random.random() < chance:
            contracts.append((begun, day if day < until else None, plan, PLANS[plan]))
            return contracts, complaints
        if random.random() < 0.02 and day < until:
            contracts.append((begun, day, plan, PLANS[plan]))
            plan, begun = str(random.choice(list(PLANS))), day
        month += MONTH
    contracts.append((begun, None, plan, PLANS[plan]))
    return contracts, complaints


def simulate_flat(folder: Path, *, customers: int, seed: int, as_of: date, values: bool = False, unlabelled: float = 0.3) -> None:
    """Write customers and the labels of most of them into `folder`: who leaves hangs on visits, complaints, tier and tenure.

    `unlabelled` is the share of customers without a label; with `values`, those with one have a value, too.
    """
    random = np.random.default_rng(seed)
    tenure, visits = random.gamma(2.0, 12.0, customers).round(1), random.poisson(6.0, customers).astype(float)
    complained, tier = random.random(customers) < 0.15, random.choice(["gold", "silver", "basic"], customers, p=(0.2, 0.3, 0.5))
    log_odds = -1.2 + 2.2 * complained - 0.25 * (visits - 6) - 0.04 * (tenure - 24) + 0.7 * (tier == "basic")
    churned = random.random(customers) < 1 / (1 + np.exp(-log_odds))
    spend = np.exp(3 + 0.1 * visits + random.normal(0, 0.6, customers)).round(2) * np.where(churned, 0.2, 1.0)
    ids = [f"f{number:05d}" for number in range(customers)]
    people = pl.DataFrame({"customer_id": ids, "tenure_months": tenure, "visits": visits, "complained": complained, "tier": tier})
    gaps = pl.Series(random.random(customers) < 0.1)
    people = people.with_columns(visits=pl.when(gaps).then(None).otherwise("visits"))
    moment = datetime.combine(as_of, time.min)
    labels = pl.DataFrame({"customer_id": ids, "as_of": [moment] * customers, "churned": churned, "value": spend})
    labels = labels.filter(pl.Series(random.random(customers) >= unlabelled))
    folder.mkdir(parents=True, exist_ok=True)
    people.write_parquet(folder / "customers.parquet")
    (labels if values else labels.drop("value")).write_parquet(folder / "labels.parquet")

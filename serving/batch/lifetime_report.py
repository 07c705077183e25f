"""Lifetime value of scored customers: intervals, parts, what if, and how spend switches between brands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from decisions.columns import Floats
from decisions.lifetimes.lifetime import expected_horizons, lifetime_interval
from decisions.lifetimes.parts import Sources, parts, price_premium_share, whole
from decisions.lifetimes.switching import Switching, brand_values, estimated_switching, shares_after
from decisions.lifetimes.what_if import Terms, changed, customer_value
from decisions.policy import Policy
from features.asof import day_number
from features.company import Company
from serving.batch.lifetime_facts import YEAR_DAYS, lifetime_facts, purchases

MOST_PURCHASES_A_YEAR = 52


def lifetimes(scores: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """customer_id, current, potential and lifetime value, and lifetime_low and lifetime_high, its 10 % and 90 % quantiles."""
    low, high = lifetime_interval(
        floats(scores, "churn_probability"),
        floats(scores, "expected_value"),
        floats(scores, "value_high"),
        int(scores["horizon_days"][0]),
        yearly_rate=policy.lifetime.discount_rate,
        years=policy.lifetime.years,
    )
    plain = scores.select("customer_id", "current_value", "potential_value", "lifetime_value")
    return plain.with_columns(lifetime_low=pl.Series(low), lifetime_high=pl.Series(high)).with_columns(
        pl.col("lifetime_low", "lifetime_high").fill_nan(None)
    )


def lifetime_sources(scores: pl.DataFrame, company: Company, policy: Policy) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """customer_id, historical_value, whole_value and its six parts, and notes on what is not known and what stands in.

    `historical_value` is all net spend so far less the cost to win the customer, where that is known. Only what was known before
    the date of the scores counts.
    """
    facts = lifetime_facts(scores, company)
    days = floats(scores, "horizon_days")
    terms = policy.lifetime
    years = expected_horizons(floats(scores, "churn_probability"), days, yearly_rate=terms.discount_rate, years=terms.years)
    years = years * days / YEAR_DAYS
    acquisition, told_of_acquisition = _known_or(facts, "acquisition_cost", 0.0)
    service, told_of_service = _known_or(facts, "service_cost", terms.service_cost)
    made_of = Sources(
        first_price=floats(facts, "first_price"),
        acquisition_cost=acquisition,
        income=floats(scores, "expected_value") * YEAR_DAYS / days,
        premium_share=price_premium_share(floats(facts, "paid"), floats(facts, "listed")),
        cross_share=floats(facts, "cross_share"),
        service_cost=service,
        usual_service_cost=np.full(service.shape, service.mean()),
        referrals=floats(facts, "referrals"),
        referral_value=np.full(service.shape, _referral_value(scores, facts)),
    )
    columns = {"historical_value": floats(facts, "net_spend") - acquisition, "whole_value": whole(made_of, years)}
    table = scores.select("customer_id").with_columns(
        pl.Series(name, each) for name, each in {**columns, **parts(made_of, years)}.items()
    )
    return table, (*told_of_acquisition, *told_of_service, *_absent(company))


def what_if(scores: pl.DataFrame, policy: Policy, levers: Mapping[str, float]) -> dict[str, float]:
    """Customer equity, the sum of lifetime values, as things are ("today") and with each lever changed by itself."""
    today = Terms(discount_rate=policy.lifetime.discount_rate, years=policy.lifetime.years)
    terms = {"today": today, **{lever: changed(today, lever, value) for lever, value in levers.items()}}
    churn, expected, at_risk, days = (
        floats(scores, name) for name in ("churn_probability", "expected_value", "value_at_risk", "horizon_days")
    )
    return {name: float(np.nansum(customer_value(churn, expected, at_risk, days, each))) for name, each in terms.items()}


@dataclass(frozen=True)
class BrandShare:
    """A brand or category: its share of spend now and in a year, what an average customer brings it in the policy's years."""

    name: str
    share: float
    share_in_a_year: float
    value: float


def brand_shares(scores: pl.DataFrame, company: Company, column: str, policy: Policy) -> tuple[str, tuple[BrandShare, ...]]:
    """How spend switches between the brands (or categories) of `column`, largest share first, and what the figures are of.

    A day's purchase counts for the brand that got most of it. Values are of spend, in today's money.
    """
    bought = purchases(company, scores, column).group_by("customer_id", "ordered_day", column).agg(pl.col("spend").sum())
    bought = bought.sort("customer_id", "ordered_day", "spend", column, descending=[False, False, True, False])
    days = bought.unique(["customer_id", "ordered_day"], keep="first", maintain_order=True)
    names = bought[column].unique().sort()
    place = days[column].replace_strict(names, pl.Series(range(len(names)), dtype=pl.Int64), return_dtype=pl.Int64)
    who = days["customer_id"].rank("dense").cast(pl.Int64)
    switching = estimated_switching(
        who.to_numpy(), days["ordered_day"].to_numpy(), place.to_numpy(), floats(days, "spend"), names.to_list()
    )
    last_year = days.filter(pl.col("ordered_day") >= day_number(scores["as_of"][0]) - YEAR_DAYS)
    times = int(np.clip(round(last_year.height / scores.height), 1, MOST_PURCHASES_A_YEAR))
    return switching.scope, _valued(switching, times, float(days["spend"].mean() or 0.0), policy)  # type: ignore[arg-type]


def _valued(switching: Switching, purchases: int, spend: float, policy: Policy) -> tuple[BrandShare, ...]:
    later = shares_after(switching.shares, switching.matrix, purchases)
    terms = policy.lifetime
    last = max(int(np.ceil(terms.years)) - 1, 0)
    values = brand_values(
        switching.shares, switching.matrix, spend, rate=terms.discount_rate, last_period=last, purchases=purchases
    )
    order = np.argsort(-switching.shares, kind="stable").tolist()
    figures = (switching.shares, later, values)
    return tuple(BrandShare(switching.brands[place], *(float(each[place]) for each in figures)) for place in order)


def _referral_value(scores: pl.DataFrame, facts: pl.DataFrame) -> float:
    """The mean lifetime value of those who were referred; of all, where nobody was."""
    values = scores["lifetime_value"]
    if "was_referred" in facts.columns and facts["was_referred"].any():
        values = values.filter(facts["was_referred"].fill_null(value=False))
    mean = values.mean()
    return float(mean) if isinstance(mean, float) else 0.0


def _known_or(facts: pl.DataFrame, name: str, otherwise: float) -> tuple[Floats, tuple[str, ...]]:
    """A cost of each customer: their own, else the mean of those known, else `otherwise`; a note where something stands in."""
    if name not in facts.columns or facts[name].null_count() == facts.height:
        return np.full(facts.height, otherwise), (f"no {name} is known: {otherwise:g} stands in for all",)
    lacking, mean = facts[name].null_count(), float(facts[name].mean())  # type: ignore[arg-type]  # numbers, not all missing
    note = (f"{lacking:,} customers have no {name}: the mean of the others, {mean:,.2f}, stands in",) if lacking else ()
    return facts[name].fill_null(mean).to_numpy(), note


def _absent(company: Company) -> tuple[str, ...]:
    """Notes on the parts that are 0 because the tables have nothing to tell them by."""
    sales, people = company.tables["transactions"], company.tables.get("customers")
    wanted = {
        "cross_sell": ("category", sales),
        "price_premium": ("list_amount", sales),
        "referral": ("referred_by", people),
    }
    return tuple(
        f"{part} is 0: there is no column {column}"
        for part, (column, table) in wanted.items()
        if table is None or column not in table.columns
    )


def floats(frame: pl.DataFrame, name: str) -> Floats:
    """A column as floats, NaN where it is missing."""
    return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()

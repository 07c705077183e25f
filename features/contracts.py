"""Companies whose customers leave by ending a contract: who is a customer at a date, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from features.asof import day_number, known_before
from features.builders.attributes import Attribute, parsed
from features.catalog import feature_names, is_timely
from features.company import Company
from features.panel import build_panel
from features.vocabulary import attribute_names, common_values
from keepwell.errors import ConfigError, HistoryError

PLAN = "contract_plan"
"""The attribute that the plan of a customer's newest running contract is."""

RUNNING = "contracts_running"


def leaves_by_contract(company: Company) -> bool:
    """Whether leaving means that a contract ends: there are contracts, and no purchases that could stop."""
    return "subscriptions" in company.tables and "transactions" not in company.tables


def first_contract_day(company: Company, as_of: date) -> int:
    """The day number on which the first contract known before `as_of` began; HistoryError where there is none."""
    contracts = company.tables["subscriptions"]
    known = contracts.filter(known_before(day_number(as_of), pl.col("known_day"), pl.col("superseded_day")))
    first = known["started_day"].min()
    if first is None:
        raise HistoryError(f"no contract is known before {as_of}", hint="choose a later --as-of, or bring older contracts")
    return int(first)  # type: ignore[arg-type]  # an int32 column that is not empty


def require_contracts(company: Company, as_of: date, horizon_days: int | None = None) -> None:
    """Raise HistoryError unless a contract is known before `as_of`, and with a horizon one that began a whole horizon before."""
    first = first_contract_day(company, as_of)
    if horizon_days is None:
        return
    require_horizon(first, as_of, horizon_days, began="contracts begin", bring="contracts")


def require_horizon(first: int, as_of: date, horizon_days: int, *, began: str, bring: str) -> None:
    """Raise HistoryError unless a whole horizon lies between the day number `first` and `as_of`, ConfigError for none at all.

    `began` and `bring` are the words for what happened on that day, and for what is lacking.
    """
    if horizon_days < 1:
        raise ConfigError(f"a horizon of {horizon_days} days is none", hint="give at least one day, for example 90d")
    history = day_number(as_of) - first
    if history <= horizon_days:
        raise HistoryError(
            f"a horizon of {horizon_days} days is longer than the history: {began} {history} days before {as_of}",
            hint=f"choose a shorter horizon or a later --as-of, or bring older {bring}",
        )


def contract_names(company: Company, dates: Sequence[date]) -> tuple[str, ...]:
    """What a panel of these dates can hold: features of all tables, attributes known at any date, and the running plan."""
    timely = len(set(dates)) > 1
    of_catalog = [name for name in feature_names(company) if not timely or is_timely(company, name)]
    of_attributes = attribute_names(_with_starts(company), max(dates), timely=timely)
    plans = running_plans(company, max(dates))[PLAN]
    of_plans = [Attribute(PLAN, "text", value).name for value in common_values(plans)]
    theirs = [name for name in of_attributes if not _of_plan(name)]
    return (*of_catalog, *theirs, *of_plans)


def contract_panel(company: Company, dates: Sequence[date], names: Sequence[str]) -> pl.DataFrame:
    """customer_id, as_of and the features `names` of all who had begun a contract before each date; sorted by as_of and id.

    Who has none running at the date has `contracts_running` 0: they are customers no more.
    """
    of_plan = [name for name in names if _of_plan(name)]
    rest = [name for name in names if name not in of_plan]
    made = build_panel(_with_starts(company), dates, rest)
    if not of_plan:
        return made.select("customer_id", "as_of", *names)
    parts = []
    for (day,), part in made.group_by("as_of", maintain_order=True):
        plans = running_plans(company, day)
        told = [(pl.col(PLAN) == _plan_of(name)).cast(pl.Float64).alias(name) for name in of_plan]
        parts.append(part.join(plans, on="customer_id", how="left", maintain_order="left").with_columns(told))
    whole = pl.concat(parts) if parts else made.with_columns(pl.lit(None, pl.Float64).alias(name) for name in of_plan)
    return whole.select("customer_id", "as_of", *names)


def running_plans(company: Company, as_of: date) -> pl.DataFrame:
    """customer_id and the plan of the newest contract that runs at `as_of`, of customers who have one with a plan."""
    contracts = company.known_rows("subscriptions", day_number(as_of))
    if "plan" not in contracts.columns:
        return pl.DataFrame(schema={"customer_id": contracts.schema["customer_id"], PLAN: pl.String})
    running = contracts.filter(~ended_before(contracts, day_number(as_of)), pl.col("plan").is_not_null())
    newest = running.sort("customer_id", "started_day", "plan").unique("customer_id", keep="last", maintain_order=True)
    return newest.select("customer_id", pl.col("plan").alias(PLAN))


def ended_before(contracts: pl.DataFrame, day: int) -> pl.Expr:
    """Whether a contract had ended before a day: an end to come is not known, however early it was told."""
    return known_before(day, pl.col("ended_day")) if "ended_day" in contracts.columns else pl.lit(value=False)


def _plan_of(name: str) -> str:
    """The plan that a feature of plans asks for."""
    attribute = parsed(name)
    assert attribute is not None
    return attribute.value


def _of_plan(name: str) -> bool:
    attribute = parsed(name)
    return attribute is not None and attribute.column == PLAN


def _with_starts(company: Company) -> Company:
    """The company as the executors of features take it, which give a row to whoever has bought: to begin a contract is to buy.

    No feature that is asked for reads these rows.
    """
    contracts = company.tables["subscriptions"]
    starts = contracts.select("customer_id", "known_day", "superseded_day", ordered_day="started_day", amount=pl.lit(1, pl.Int64))
    return replace(
        company, tables={**company.tables, "transactions": starts}, scales={**company.scales, "transactions.amount": 0}
    )

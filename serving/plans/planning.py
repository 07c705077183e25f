"""From scores to a plan: brings together what actions ask for, lets `decisions.plans.plan` choose, writes what came out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl

from decisions.columns import Columns
from decisions.plans.actions import COOLDOWN_PREFIX, NO_EFFECTS, Effect, days_to_birthday
from decisions.plans.plan import REQUIRED, Plan, plan
from decisions.policy import Policy
from features.catalog import CATALOG
from features.company import Company
from features.contracts import contract_names, contract_panel, leaves_by_contract
from features.flat import flat_panel
from features.panel import build_panel
from features.reading.refusals import unreadable
from keepwell.errors import ConfigError, DataError
from serving.batch.decision_inputs import decision_inputs
from serving.batch.scoring import SCORE_TYPES, write_table
from serving.store import Store

NUMBERS = (pl.Float64, pl.Int32)
MONEY = ("expected_value", "value_at_risk")
INPUTS = (
    "wallet",
    "service_cost",
    "kind",
    "preferred_channel",
    "consent",
    "no_alternative",
    "days_to_birthday",
    "days_to_anniversary",
)
"""What the catalogue's conditions may read beside scores and features, where the tables have it."""
OPEN_NAMES = re.compile(r"attr_\w+|churn_probability_\d+d|contacts_within_\d+_days")


def read_scores(path: Path) -> pl.DataFrame:
    """The scores that `keepwell score` wrote, from Parquet or CSV. DataError when the file is no such thing."""
    hint = "name a file that `keepwell score` wrote"
    if not path.exists() or (path.is_dir() and not any(path.rglob("*.parquet"))):
        raise DataError("scores", None, f"{path} {'holds no Parquet file' if path.exists() else 'does not exist'}", hint=hint)
    try:
        if path.suffix == ".csv":
            scores = pl.read_csv(path, schema_overrides={"customer_id": pl.String, "as_of": pl.Date}, glob=False)
        else:
            scores = pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError("scores", None, f"{path} {unreadable('scores', error).rule}", hint=hint) from None
    for name in (*REQUIRED, "as_of", "model_version"):
        _require_column(scores, name)
    if scores["as_of"].n_unique() != 1:
        raise DataError("scores", "as_of", "must be one date in all rows", hint="plan one scoring run at a time")
    return scores


def _require_column(scores: pl.DataFrame, name: str) -> None:
    """Raise DataError unless the column is there, of the type that `keepwell score` gives it, and without gaps."""
    hint = "name a file that `keepwell score` wrote"
    if name not in scores.columns:
        raise DataError("scores", name, "is missing", hint=hint)
    wanted, column = SCORE_TYPES[name], scores[name]
    if (wanted == pl.Date and column.dtype != pl.Date) or (wanted in NUMBERS and not column.dtype.is_numeric()):
        raise DataError("scores", name, f"must be {wanted}, found {column.dtype}", hint=hint)
    if column.null_count():
        if name in MONEY:
            hint = "a plan weighs money: bring what customers are worth (prices of contracts, values of labels), train and score"
        raise DataError("scores", name, "must not be empty", rows=column.null_count(), hint=hint)


def plan_scores(
    scores: pl.DataFrame,
    policy: Policy,
    *,
    budget: float | None = None,
    capacities: Mapping[str, float] | None = None,
    hours: Mapping[str, float] | None = None,
    effects: Mapping[str, Effect] = NO_EFFECTS,
    company: Company | None = None,
    unwilling: Collection[str] = (),
) -> Plan:
    """Choose actions for the customers of `scores`, as `plan_columns` gives them, but for the `unwilling`, who want no contact.

    `effects` are what outcomes have taught.
    """
    rules, wishes = with_wishes(policy, scores, unwilling)
    made = plan(plan_columns(scores, rules, company), rules, budget, capacities, hours=hours, effects=effects)
    return replace(made, notes=(*made.notes, *wishes))


def with_wishes(policy: Policy, scores: pl.DataFrame, unwilling: Collection[str]) -> tuple[Policy, tuple[str, ...]]:
    """The policy with those left alone who want no contact, and what a plan says of them; `unwilling` are their ids as texts."""
    met = int(scores["customer_id"].cast(pl.String).is_in(list(unwilling)).sum()) if unwilling else 0
    if not met:
        return policy, ()
    alone = tuple(sorted({*policy.plan.left_alone, *unwilling}))
    who = "1 customer wants" if met == 1 else f"{met:,} customers want"
    return policy.model_copy(update={"plan": policy.plan.model_copy(update={"left_alone": alone})}), (
        f"{who} no contact, and {'is' if met == 1 else 'are'} left alone (keepwell outcome)",
    )


def unwilling_customers(store: Store, scores: pl.DataFrame, company_key: str | None) -> frozenset[str]:
    """Ids of all who want no contact; without a company's key, those of the companies whose scores in the store are these."""
    if not store.exists():
        return frozenset()
    store.migrate()
    horizon, run = int(scores["horizon_days"][0]), (scores["as_of"][0], str(scores["model_version"][0]))
    same = {load.company for load in store.loads() if load.horizon_days == horizon and (load.as_of, load.model_version) == run}
    return frozenset().union(*map(store.outcomes.left_alone, same if company_key is None else {company_key}))


def plan_columns(scores: pl.DataFrame, policy: Policy, company: Company | None = None) -> Columns:
    """The columns that a plan reads; `company` adds the features and facts of the same date that actions ask for.

    Without `company` the actions that ask for more than scores are ineligible, and the plan's notes say so. Raises ConfigError
    for an action that asks for a column which Keepwell does not have.
    """
    _refuse_unknown(policy, scores)
    columns = _arrays(scores)
    return columns if company is None else {**_facts(company, scores, policy), **columns}


def _refuse_unknown(policy: Policy, scores: pl.DataFrame) -> None:
    """Raise ConfigError for the first column of a condition that is neither here nor known to any company."""
    cooldowns = (COOLDOWN_PREFIX + action.name for action in policy.actions)
    known = {*SCORE_TYPES, *CATALOG, *INPUTS, *cooldowns, *scores.columns}
    for place, action in enumerate(policy.actions):
        for name in action.inputs:
            if name not in known and not OPEN_NAMES.fullmatch(name):
                near = "".join(f"is it {other}? " for other in get_close_matches(name, known, n=1))
                raise ConfigError(
                    f"policy: actions.{place} ({action.name}): there is no column {name!r}",
                    hint=f"{near}docs/scores.md and docs/features.md list the columns; your own are attr_<name>",
                )


def write_plan(made: Plan, path: Path) -> None:
    """Write the plan as CSV or Parquet, by the suffix; whole or not at all."""
    write_table(plan_table(made), path)


def plan_table(made: Plan) -> pl.DataFrame:
    """The plan's columns as a table, the most valuable action first."""
    return pl.DataFrame({name: pl.Series(column.tolist()) for name, column in made.columns.items()}, schema_overrides=_TYPES)


_TYPES = dict.fromkeys(
    ("action", "title", "channel", "bond", "arm", "runner_up", "binding_constraint", "evidence", "reason"), pl.String
)  # an empty plan has no values to tell them by


def save_plan(
    store: Store,
    company_key: str,
    scores: pl.DataFrame,
    made: Plan,
    *,
    made_at: datetime,
    budget: float | None,
    capacities: Mapping[str, float],
) -> bool:
    """Keep the plan, for the console and for what comes of it, if these scores are the ones shown there; whether it was kept."""
    store.migrate()
    load = store.current_load(company_key, int(scores["horizon_days"][0]))
    if load is None or (load.as_of, load.model_version) != (scores["as_of"][0], str(scores["model_version"][0])):
        return False
    store.save_plan(load, plan_table(made), made_at=made_at, budget=budget, capacities=capacities, notes=made.notes)
    return True


def _facts(company: Company, scores: pl.DataFrame, policy: Policy) -> dict[str, np.ndarray]:
    """Features and facts of the scored customers at the date of the scores, in the order of `scores`."""
    as_of: date = scores["as_of"][0]
    panel = _panel(company, as_of)
    ids = scores["customer_id"].cast(panel.schema["customer_id"], strict=False)
    strangers = scores["customer_id"].filter(~ids.is_in(panel["customer_id"].implode()).fill_null(value=False))
    if len(strangers):
        rule = f"is no customer of {company.key} as of {as_of}"
        hint = "name the data that the scores were made from in --data, or score again"
        raise DataError("scores", "customer_id", rule, hint=hint, rows=len(strangers), example=strangers[0])
    rows = pl.DataFrame({"customer_id": ids}).join(panel, on="customer_id", how="left", maintain_order="left")
    return {**feature_columns(rows.drop("customer_id", "as_of"), as_of), **decision_inputs(company, ids, as_of, policy)}


def feature_columns(features: pl.DataFrame, as_of: date) -> dict[str, np.ndarray]:
    """Feature rows as columns for the catalogue's conditions, with the days to the anniversary, which follow from them."""
    columns = {name: features[name].to_numpy() for name in features.columns}
    if "days_since_first_purchase" in columns:
        columns["days_to_anniversary"] = _anniversary(columns["days_since_first_purchase"], as_of)
    return columns


def _panel(company: Company, as_of: date) -> pl.DataFrame:
    """The features of all who were scored: of purchases, of contracts, or of a flat table."""
    if leaves_by_contract(company):
        return contract_panel(company, [as_of], contract_names(company, [as_of]))
    if "transactions" not in company.tables:
        return flat_panel(company, as_of, ())
    return build_panel(company, [as_of])


def _anniversary(days_since: np.ndarray, as_of: date) -> np.ndarray:
    """Days to the next anniversary of what was so many days ago, 0 on the day, NaN where that is not known."""
    known = ~np.isnan(days_since)
    first = np.full(len(days_since), np.datetime64("NaT"), dtype="datetime64[D]")
    first[known] = np.datetime64(as_of, "D") - days_since[known].astype(np.int64)
    return days_to_birthday(first, as_of)


def _arrays(scores: pl.DataFrame) -> Columns:
    plain = scores.drop("reasons", strict=False)
    return {name: plain[name].to_numpy() for name in plain.columns}

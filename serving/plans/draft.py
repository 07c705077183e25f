"""A plan for everybody from the store alone, for whoever tries budgets on the plan page: what it would bring, and then the plan.

What actions do is taken from the newest evidence that is kept. What the store does not know stays out of it: actions that read
columns of the company's tables, and those that need consent. The whole plan is made by `keepwell plan` with the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl

from decisions.columns import Columns
from decisions.plans.actions import Effect
from decisions.plans.frontier import Frontier, frontier
from decisions.plans.limits import hours_limit
from decisions.plans.plan import REQUIRED, LimitUse, Plan, plan
from decisions.plans.plan_rows import CONTROL
from decisions.policy import Policy
from keepwell.errors import ConfigError, RequestError, StoreError
from serving.endpoints.stored_plan import consent_notes, contact_columns
from serving.plans.evidence import Expected
from serving.plans.outcomes import LONGEST_MEMORY
from serving.plans.planning import MONEY, plan_columns, plan_table, with_wishes
from serving.plans.planning import feature_columns as catalogue_columns
from serving.store import Load, Store
from serving.store.columns import feature_columns, score_columns
from serving.store.schema import scores as scores_table

NOTHING_EXPECTED = Expected({}, ())

_RULES_READ = ("status", "relation")
CONSENT_UNKNOWN = "the store does not know who has consented (keepwell plan --data does)"


@dataclass(frozen=True)
class Wanted:
    """The limits of a plan: `budget` in currency units (None: no limit); by channel `capacities` in contacts, agents' `hours`."""

    budget: float | None
    capacities: tuple[tuple[str, int], ...] = ()
    hours: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Draft:
    """What the best plan under some limits would be, beside its rows; `plan_id` once it is kept, else None."""

    actions: int
    controls: int
    cost: float
    expected_net_value: float
    limits: tuple[LimitUse, ...]
    curve: Frontier
    notes: tuple[str, ...]
    plan_id: int | None = None


@dataclass(frozen=True)
class Material:
    """All that a plan is made of: the columns of every customer of a load, the policy, the effects to expect of its actions.

    `notes` say what is not known, and whom the plan leaves alone.
    """

    columns: Columns
    policy: Policy
    effects: Mapping[str, Effect]
    notes: tuple[str, ...]


def material(store: Store, load: Load, policy: Policy, today: date, expected: Expected = NOTHING_EXPECTED) -> Material:
    """Read what plans of a load need; `expected` are the effects that evidence gives actions.

    RequestError where the scores know no money.
    """
    scores = _scores(store, load, policy)
    weighed = scores.drop_nulls(MONEY)
    if weighed.is_empty():
        hint = "bring what customers are worth (prices of contracts, values of labels), train and score"
        raise RequestError("a plan weighs money, and these scores have none", hint=hint, status=422, code="no_money")
    columns, rules, notes = _columns(store, load, weighed, policy, today)
    unweighed = scores.height - weighed.height
    left_out = (_left_out(unweighed),) if unweighed else ()
    return Material(columns, rules, expected.effects, (*notes, *left_out, *expected.notes))


def _left_out(customers: int) -> str:
    who = "1 customer has" if customers == 1 else f"{customers:,} customers have"
    return f"{who} no value in the scores, and {'is' if customers == 1 else 'are'} left out"


def _columns(
    store: Store, load: Load, scores: pl.DataFrame, policy: Policy, today: date
) -> tuple[Columns, Policy, tuple[str, ...]]:
    """The columns, the policy with those left alone who wish it, and what is to be said of both."""
    rules, wishes = with_wishes(policy, scores, store.outcomes.left_alone(load.company))
    ids = scores["customer_id"].to_list()
    recorded = store.outcomes.recorded(load.company, since=today - LONGEST_MEMORY)
    columns = {
        **_features(store, load, policy, ids),
        **plan_columns(scores, rules),
        **contact_columns(recorded, ids, rules, today),
        "consent": np.zeros(len(ids)),
    }
    return columns, rules, (*wishes, *consent_notes(rules, CONSENT_UNKNOWN))


def draft(made_of: Material, wanted: Wanted) -> tuple[Plan, Draft]:
    """The best plan under these limits, with the frontier on which it lies. RequestError for limits that make no sense."""
    limits: dict[str, Any] = {"capacities": dict(wanted.capacities), "hours": dict(wanted.hours), "effects": made_of.effects}
    try:
        made = plan(made_of.columns, made_of.policy, wanted.budget, **limits)
        curve = frontier(made_of.columns, made_of.policy, **limits)
    except ConfigError as error:
        raise RequestError(error.message, hint=error.hint, status=422, code="bad_limit") from error
    controls = int((made.columns["arm"] == CONTROL).sum())
    notes = (*made.notes, *made_of.notes)
    return made, Draft(len(made) - controls, controls, made.cost, made.expected_net_value, made.limits, curve, notes)


def keep(store: Store, load: Load, made: Plan, drafted: Draft, wanted: Wanted, *, made_at: datetime) -> int:
    """Keep a plan and give its id. StoreError where newer scores have come since it was begun, or customers were forgotten."""
    current = store.current_load(load.company, load.horizon_days)
    if current != load:
        raise StoreError("new scores came while the plan was made", hint="make it again, from these")
    return store.save_plan(
        load,
        plan_table(made),
        made_at=made_at,
        budget=wanted.budget,
        capacities={**dict(wanted.capacities), **{hours_limit(channel): most for channel, most in wanted.hours}},
        notes=drafted.notes,
    )


def _scores(store: Store, load: Load, policy: Policy) -> pl.DataFrame:
    asked = {*REQUIRED, *_RULES_READ, *(name for action in policy.actions for name in action.inputs)}
    frame = score_columns(store, load, [name for name in scores_table.c.keys() if name in asked])  # noqa: SIM118  # keys of columns
    if "kind" in frame.columns and frame["kind"].null_count() == frame.height:
        frame = frame.drop("kind")  # the tables do not tell it, and the plan is to say so
    run = {"as_of": pl.lit(load.as_of), "horizon_days": pl.lit(load.horizon_days, pl.Int32)}
    return frame.with_columns(**run)


def _features(store: Store, load: Load, policy: Policy, ids: list[str]) -> Columns:
    """The features that the catalogue reads, in the order of `ids`, NaN for who has none."""
    names = sorted({name for action in policy.actions for name in action.inputs} | {"days_since_first_purchase"})
    kept = feature_columns(store, load, names)
    if kept.width == 1:
        return {}
    rows = pl.DataFrame({"customer_id": ids}).join(kept, on="customer_id", how="left", maintain_order="left")
    return catalogue_columns(rows.drop("customer_id").fill_null(float("nan")), load.as_of)

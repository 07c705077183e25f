"""A plan for customers by id, from the scores and feature rows of the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from decisions.plan import Plan, plan
from decisions.policy import Policy
from keepwell.errors import ConfigError, RequestError
from serving.answer_schemas import PlanAnswer, PlanItem, PlanLimit
from serving.plan_facts import plan_facts
from serving.planning import feature_columns, plan_columns, plan_table, with_wishes
from serving.schemas import PlanRequest
from serving.scoring import score_types
from serving.store import Load, ScoreRow
from serving.stored_scores import STALE_SCORES_DAYS, load_card

Features = Mapping[str, Mapping[str, float | None]]


def plan_of(
    load: Load, rows: Sequence[ScoreRow], features: Features, request: PlanRequest, policy: Policy, *, unwilling: Collection[str]
) -> Plan:
    """The best plan for the customers of `rows`, whose feature rows by id are `features`, but for the `unwilling`.

    RequestError for a limit that makes no sense, and where no money is known.
    """
    scores = _frame(load, rows)
    if scores["expected_value"].null_count() or scores["value_at_risk"].null_count():
        raise RequestError(
            "a plan weighs money, and these scores have none",
            hint="bring what customers are worth (prices of contracts, values of labels), train and score",
            status=422,
            code="no_money",
        )
    rules, wishes = with_wishes(policy, scores, unwilling)
    try:
        columns = {**_features(load, rows, features), **plan_columns(scores, rules)}
        made = plan(columns, rules, request.budget, request.capacities, hours=request.hours)
    except ConfigError as error:
        raise RequestError(error.message, hint=error.hint, status=422, code="bad_limit") from error
    return replace(made, notes=(*made.notes, *wishes))


def plan_answer(load: Load, made: Plan, unknown: Sequence[str], today: date) -> PlanAnswer:
    """A plan as an answer."""
    facts, age_days = plan_facts(made), (today - load.as_of).days
    return PlanAnswer(
        model=load_card(load),
        company=load.company,
        as_of=load.as_of,
        age_days=age_days,
        stale=age_days > STALE_SCORES_DAYS,
        limits=[PlanLimit(**limit) for limit in facts["limits"]],
        items=[_item(row) for row in plan_table(made).to_dicts()],
        unknown=list(unknown),
        **{name: facts[name] for name in ("cost", "expected_net_value", "bound", "notes")},
    )


def _item(row: Mapping[str, Any]) -> PlanItem:
    """One row of a plan; where no limit stands before a better action, there is none."""
    return PlanItem.model_validate({**row, "binding_constraint": row["binding_constraint"] or None})


def _frame(load: Load, rows: Sequence[ScoreRow]) -> pl.DataFrame:
    """The scores as `keepwell score` has them, without the reasons."""
    further, stored = rows[0].further_churn if rows else {}, {*ScoreRow.__dataclass_fields__} - {"reasons"}
    types = {name: dtype or pl.String for name, dtype in score_types(further).items() if name in further or name in stored}
    told = {name: [row.further_churn.get(name) if name in further else getattr(row, name) for row in rows] for name in types}
    run = {"as_of": pl.lit(load.as_of), "horizon_days": pl.lit(load.horizon_days, pl.Int32)}
    return pl.DataFrame(told, schema=types).with_columns(**run)


def _features(load: Load, rows: Sequence[ScoreRow], features: Features) -> dict[str, Any]:
    nothing: Mapping[str, float | None] = {}
    columns = {name: [features.get(row.customer_id, nothing).get(name) for row in rows] for name in load.feature_names}
    return feature_columns(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64)), load.as_of)

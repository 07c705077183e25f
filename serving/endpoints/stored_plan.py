"""A plan for customers by id, from the scores and feature rows of the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from decisions.columns import Columns
from decisions.plans.actions import days_since_actions, recent_contacts
from decisions.plans.plan import Plan, plan
from decisions.policy import Policy
from features.asof import day_number
from keepwell.errors import ConfigError, RequestError
from serving.batch.scoring import score_types
from serving.endpoints.answer_schemas import PlanAnswer, PlanItem, PlanLimit
from serving.endpoints.schemas import PlanRequest
from serving.endpoints.stored_scores import STALE_SCORES_DAYS, load_card
from serving.plans.evidence import Expected
from serving.plans.facts import plan_facts
from serving.plans.outcomes import REACHED
from serving.plans.planning import feature_columns, plan_columns, plan_table, with_wishes
from serving.store import Load, ScoreRow
from serving.store.records import RecordedOutcome

Features = Mapping[str, Mapping[str, float | None]]


def plan_of(
    load: Load,
    rows: Sequence[ScoreRow],
    features: Features,
    request: PlanRequest,
    policy: Policy,
    *,
    unwilling: Collection[str],
    contacts: Columns,
    expected: Expected,
) -> Plan:
    """The best plan for the customers of `rows`, whose feature rows by id are `features`, but for the `unwilling`.

    `contacts` are the columns of `contact_columns`, `expected` the effects that evidence gives actions. The store knows of no
    consent, so only those have it whom the request names.
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
        consent = {"consent": np.isin(scores["customer_id"].to_list(), list(map(str, request.consenting))).astype(np.float64)}
        columns = {**_features(load, rows, features), **plan_columns(scores, rules), **kinds(rows), **contacts, **consent}
        made = plan(columns, rules, request.budget, request.capacities, hours=request.hours, effects=expected.effects)
    except ConfigError as error:
        raise RequestError(error.message, hint=error.hint, status=422, code="bad_limit") from error
    named = () if request.consenting else consent_notes(rules, "nobody is named in `consenting`")
    return replace(made, notes=(*made.notes, *wishes, *named, *expected.notes))


def consent_notes(policy: Policy, why: str) -> tuple[str, ...]:
    """What a plan leaves out where consent is not known, in a sentence; nothing where no action needs it."""
    left_out = [action.name for action in policy.actions if action.needs_consent]
    return (f"{why}, so what needs consent is left out: {', '.join(left_out)}",) if left_out else ()


def kinds(rows: Sequence[ScoreRow]) -> Columns:
    """What kind of customer each is, which is kept beside the scores where the tables tell it."""
    known = [row.kind for row in rows]
    return {"kind": np.array(known, dtype=object)} if any(known) else {}


def contact_columns(recorded: Sequence[RecordedOutcome], customer_ids: Sequence[str], policy: Policy, today: date) -> Columns:
    """Days since each action, and contacts within the days of each cap, as outcomes tell of them."""
    places = {customer_id: place for place, customer_id in enumerate(customer_ids)}
    reached = {(places.get(one.customer_id), one.happened_on, one.action) for one in recorded if one.step in REACHED}
    met = [(place, day_number(day), action) for place, day, action in reached if place is not None]
    who, day = (np.array([one[column] for one in met], dtype=np.int64) for column in (0, 1))
    action = np.array([one[2] for one in met], dtype=object)
    of_all = {"as_of_day": day_number(today) + 1, "customers": len(customer_ids)}  # so who was called today has been called
    caps = {action.contact_cap.days for action in policy.actions if action.contact_cap}
    since = days_since_actions(who, day, action, names=tuple(action.name for action in policy.actions), **of_all)
    return {**since, **recent_contacts(who, day, windows=caps, **of_all)}


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

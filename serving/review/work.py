"""What was done in the time of a review: one row for each customer and action, of plans, contacts and outcomes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from decisions.labels import Step
from decisions.plans.plan_rows import CONTROL
from features.asof import day_number
from features.company import Company
from serving.review.service import happened
from serving.store.plan_work import DONE_STEPS
from serving.store.records import Assignment, RecordedOutcome

ANSWERS: Mapping[str, bool] = {Step.ACCEPTED: True, Step.CONVERTED: True, Step.DECLINED: False}
"""The steps that say whether the offer was taken."""

WORK: dict[str, pl.DataType | type[pl.DataType]] = {
    "customer_id": pl.String,
    "action": pl.String,
    "contacted_day": pl.Int32,
    "experiment": pl.String,
    "arm": pl.String,
    "propensity": pl.Float64,
    "planned": pl.Boolean,
    "done": pl.Boolean,
    "accepted": pl.Boolean,
    "declined": pl.Boolean,
    "plan_cost": pl.Float64,
    "told_cost": pl.Float64,
    "contact_cost": pl.Float64,
    "reason": pl.String,
}
"""The columns of what was done. `accepted` and `declined` are null where nobody said; each source has its own column of costs."""


def work(
    company: Company, planned: Sequence[Assignment], told: Sequence[RecordedOutcome], since: date, as_of: date
) -> pl.DataFrame:
    """A row for each customer and action of `[since, as_of)`: WORK, less the costs, and `cost`.

    The first draw counts: its `experiment` (a plan, or the table of contacts), arm and propensity, and `contacted_day`, after
    which its outcome begins. A contact may be known from the table `contacts` and from outcomes in the store at once, so its cost
    is the larger of both sums, and what the plan says where neither tells one.
    """
    parts = pl.concat([_planned(planned, since, as_of), _told(told), _contacts(company, since, as_of)])
    parts = parts.sort("contacted_day", pl.col("arm").is_null(), "planned", descending=[False, False, True], maintain_order=True)
    drawn = pl.col("arm").is_not_null()
    whole = parts.group_by("customer_id", "action", maintain_order=True).agg(
        contacted_day=pl.col("contacted_day").filter(drawn).first().fill_null(pl.col("contacted_day").first()),
        experiment=pl.col("experiment").filter(drawn).first(),
        arm=pl.col("arm").filter(drawn).first(),
        propensity=pl.col("propensity").filter(drawn).first(),
        planned=pl.col("planned").any(),
        done=pl.col("done").any(),
        accepted=pl.col("accepted").max(),
        declined=pl.col("declined").max(),
        plan_cost=pl.col("plan_cost").first(ignore_nulls=True),
        told_cost=pl.col("told_cost").sum(),
        contact_cost=pl.col("contact_cost").sum(),
        reason=pl.col("reason").last(ignore_nulls=True),
    )
    paid = pl.max_horizontal("told_cost", "contact_cost")
    cost = pl.when(~pl.col("done")).then(0.0).when(paid > 0).then(paid).otherwise(pl.col("plan_cost").fill_null(0.0))
    return whole.with_columns(cost=cost).drop("plan_cost", "told_cost", "contact_cost").sort("action", "customer_id")


def _planned(planned: Sequence[Assignment], since: date, as_of: date) -> pl.DataFrame:
    """What plans of the time had in mind; a plan from before there were controls drew nobody."""
    return _frame(
        {
            "customer_id": each.customer_id,
            "action": each.action,
            "contacted_day": day_number(each.as_of) - 1,
            "experiment": f"plan {each.plan_id}",
            "arm": each.arm,
            "propensity": each.propensity,
            "planned": each.arm != CONTROL,
            "done": False,
            "plan_cost": each.cost if each.arm != CONTROL else None,
        }
        for each in planned
        if since <= each.as_of < as_of
    )


def _told(told: Sequence[RecordedOutcome]) -> pl.DataFrame:
    """What people and programs have recorded. A control who bought was not contacted, and took no offer."""
    return _frame(
        {
            "customer_id": each.customer_id,
            "action": each.action,
            "contacted_day": day_number(each.happened_on),
            "planned": False,
            "done": each.step in DONE_STEPS,
            "accepted": ANSWERS.get(each.step),
            "declined": None if each.step not in ANSWERS else not ANSWERS[each.step],
            "told_cost": each.cost,
            "reason": each.reason,
        }
        for each in told
        if each.action is not None and (each.arm, each.step) != (CONTROL, Step.CONVERTED)
    )


def _contacts(company: Company, since: date, as_of: date) -> pl.DataFrame:
    """What the table of contacts holds; an outcome counts once it is known."""
    if "contacts" not in company.tables or "action" not in company.tables["contacts"].columns:
        return _frame([])
    rows = happened(company, "contacts", "contacted_day", since, as_of)
    absent = [name for name in ("arm", "propensity", "accepted", "cost", "reason") if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None).alias(name) for name in absent).filter(pl.col("action").is_not_null())
    reached = pl.col("arm").cast(pl.String).ne_missing(CONTROL)
    known = reached & (pl.col("outcome_day") < day_number(as_of)) if "outcome_day" in rows.columns else pl.lit(value=False)
    accepted = pl.when(known).then(pl.col("accepted").cast(pl.Float64) == 1)
    scale = 10 ** company.scales.get("contacts.cost", 0)
    made = rows.select(
        "customer_id",
        pl.col("action").cast(pl.String),
        "contacted_day",
        pl.lit("contacts").alias("experiment"),
        pl.col("arm").cast(pl.String),
        pl.col("propensity").cast(pl.Float64),
        planned=pl.lit(value=False),
        done=reached,
        accepted=accepted,
        declined=~accepted,
        plan_cost=pl.lit(None, pl.Float64),
        told_cost=pl.lit(None, pl.Float64),
        contact_cost=pl.when(reached).then(pl.col("cost").cast(pl.Float64) / scale),
        reason=pl.col("reason").cast(pl.String),
    )
    return made.cast(WORK)  # type: ignore[arg-type]  # a mapping of names to types


def _frame(rows: object) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=WORK)  # type: ignore[call-overload]  # rows as mappings, absent columns null

"""Who works on what: an action of a plan is one person's at a time, and what came of it can be read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, and_, func, select, update

from decisions.plans.plan_rows import CONTROL
from serving.store.audit import Deed, note
from serving.store.engine import reading, writing
from serving.store.records import Plan
from serving.store.schema import plan_items
from serving.store.work_schema import do_not_contact, outcomes


@dataclass(frozen=True)
class Happening:
    """Something that was recorded of a customer; `by` is who recorded it, None where nobody said."""

    step: str
    action: str | None
    happened_on: date
    recorded_at: datetime
    by: str | None
    reason: str | None
    note: str | None


@dataclass(frozen=True)
class StepCount:
    """How often a step was recorded for an action."""

    action: str | None
    step: str
    times: int


class Work:
    """The work on the plans of a store. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, plan: Plan, customer_id: str, who: str, *, company: str, at: datetime) -> str | None:
        """Take a customer on, and say who has them then: somebody else, for whom came too late.

        Who has them already has them since the day when they took them.

        None where the plan does not have them, or has them as a control, whom nobody may contact.
        """
        its = _item(plan, customer_id)
        with writing(self._engine) as connection:
            free = and_(its, plan_items.c.taken_by.is_(None))
            if connection.execute(update(plan_items).where(free).values(taken_by=who, taken_at=at)).rowcount:
                note(connection, Deed(at, who, "customer taken", company, customer_id, f"plan {plan.id}"))
            return connection.scalar(select(plan_items.c.taken_by).where(its))

    def give_back(self, plan: Plan, customer_id: str, who: str, *, company: str, at: datetime) -> bool:
        """Let go of a customer, who may then be taken by anybody; False where `who` does not have them."""
        its = and_(_item(plan, customer_id), plan_items.c.taken_by == who)
        with writing(self._engine) as connection:
            given = connection.execute(update(plan_items).where(its).values(taken_by=None, taken_at=None)).rowcount
            if given:
                note(connection, Deed(at, who, "customer given back", company, customer_id, f"plan {plan.id}"))
            return bool(given)

    def history(self, company: str, customer_id: str, *, limit: int = 50) -> tuple[Happening, ...]:
        """What was recorded of a customer, newest first."""
        names = {"by": "recorded_by"}
        columns = [outcomes.c[names.get(name, name)].label(name) for name in Happening.__dataclass_fields__]
        query = select(*columns).where(outcomes.c.company == company, outcomes.c.customer_id == customer_id)
        query = query.order_by(outcomes.c.happened_on.desc(), outcomes.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return tuple(Happening(**row) for row in connection.execute(query).mappings())

    def counts(self, company: str, *, since: date, until: date) -> tuple[StepCount, ...]:
        """How often each step was recorded for each action, on days from `since` to `until`, both counted."""
        days = and_(outcomes.c.happened_on >= since, outcomes.c.happened_on <= until)
        query = select(outcomes.c.action, outcomes.c.step, func.count().label("times")).where(outcomes.c.company == company, days)
        query = query.group_by(outcomes.c.action, outcomes.c.step).order_by(outcomes.c.action, outcomes.c.step)
        with reading(self._engine) as connection:
            return tuple(StepCount(**row) for row in connection.execute(query).mappings())

    def is_control(self, plan: Plan, customer_id: str) -> bool:
        """Whether the plan keeps the customer without the action, to learn what it brings."""
        its = and_(plan_items.c.plan_id == plan.id, plan_items.c.customer_id == customer_id, plan_items.c.arm == CONTROL)
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).where(its)) != 0

    def left_alone_since(self, company: str, customer_id: str) -> date | None:
        """The day from which on nobody may contact the customer; None for one who may be contacted."""
        whom = and_(do_not_contact.c.company == company, do_not_contact.c.customer_id == customer_id)
        with reading(self._engine) as connection:
            return connection.scalar(select(do_not_contact.c.since).where(whom))


def _item(plan: Plan, customer_id: str) -> ColumnElement[bool]:
    return and_(
        plan_items.c.plan_id == plan.id,
        plan_items.c.customer_id == customer_id,
        plan_items.c.arm.is_distinct_from(CONTROL),
    )

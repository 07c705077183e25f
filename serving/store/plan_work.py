"""The work on a plan as a whole: who is to do what, how far it is, and that somebody stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle

from sqlalchemy import ColumnElement, Engine, and_, bindparam, case, func, select, update

from decisions.labels import Step
from decisions.plans.plan_rows import CONTROL
from serving.store.audit import Deed, note
from serving.store.engine import reading, writing
from serving.store.outcomes import unwilling
from serving.store.records import Plan, PlanItem
from serving.store.schema import plan_items, plans
from serving.store.work_schema import outcomes

DONE_STEPS = (Step.CONTACTED, Step.NOT_NOW, Step.ACCEPTED, Step.DECLINED, Step.CONVERTED)
"""The steps of an outcome that say that the action was done; of a control, a purchase says nothing."""

FREE, TAKEN, CONTROLS = STANDINGS = ("free", "taken", "controls")
"""What a list of a plan's items may be narrowed to: nobody has taken them; somebody has; those who are left alone to measure."""

_IDS_AT_ONCE = 500
_ITEMS = [column for column in plan_items.c if column.name != "plan_id"]
_PERSON = func.coalesce(plan_items.c.taken_by, plan_items.c.assigned_to)


@dataclass(frozen=True)
class ItemFilter:
    """Which items of a plan to list; None lets all through. `person` is who has them, or is meant to; "" nobody."""

    channel: str | None = None
    action: str | None = None
    person: str | None = None
    standing: str | None = None


@dataclass(frozen=True)
class Share:
    """Items of one channel and one person (None: nobody yet): how many, how many taken, their cost and expected net value.

    `control` ones are nobody's to do.
    """

    channel: str | None
    person: str | None
    control: bool
    customers: int
    taken: int
    cost: float
    expected_net_value: float


@dataclass(frozen=True)
class Progress:
    """How far a plan is: customers for whom the action was done, who accepted, who declined, and the cost of all that."""

    done: int
    accepted: int
    declined: int
    cost: float


class PlanWork:
    """The plans of a store as work. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def shares(self, plan: Plan) -> tuple[Share, ...]:
        """The plan by channel and person; who has asked for no contact since is in none."""
        control = (func.coalesce(plan_items.c.arm, "") == CONTROL).label("control")
        figures = (
            func.count().label("customers"),
            func.count(plan_items.c.taken_by).label("taken"),
            func.sum(plan_items.c.cost).label("cost"),
            func.sum(plan_items.c.expected_net_value).label("expected_net_value"),
        )
        query = select(plan_items.c.channel, _PERSON.label("person"), control, *figures).where(_reachable(plan))
        query = query.group_by(plan_items.c.channel, _PERSON, control).order_by(plan_items.c.channel, _PERSON, control)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(Share(**{**row, "control": bool(row["control"])}) for row in rows)

    def progress(self, plan: Plan, company: str) -> Progress:
        """What has been recorded of the plan's actions. A cost that nobody told is the one that was planned."""
        steps, told = outcomes.c.step, func.sum(outcomes.c.cost)
        per_customer = (
            select(
                outcomes.c.customer_id,
                told.label("told"),
                func.max(case((steps.in_((Step.ACCEPTED, Step.CONVERTED)), 1), else_=0)).label("accepted"),
                func.max(case((steps == Step.DECLINED, 1), else_=0)).label("declined"),
            )
            .where(outcomes.c.company == company, outcomes.c.plan_id == plan.id, steps.in_(DONE_STEPS))
            .group_by(outcomes.c.customer_id)
            .subquery()
        )
        cost = func.sum(func.coalesce(per_customer.c.told, plan_items.c.cost))
        query = select(func.count(), func.sum(per_customer.c.accepted), func.sum(per_customer.c.declined), cost).join_from(
            per_customer, plan_items, plan_items.c.customer_id == per_customer.c.customer_id
        )
        with reading(self._engine) as connection:
            done, accepted, declined, spent = connection.execute(query.where(plan_items.c.plan_id == plan.id, _TO_DO)).one()
        return Progress(int(done), int(accepted or 0), int(declined or 0), float(spent or 0.0))

    def items(self, plan: Plan, chosen: ItemFilter, *, offset: int = 0, limit: int | None = None) -> tuple[PlanItem, ...]:
        """The items that pass the filter, the most urgent first; controls only where they are asked for."""
        query = select(*_ITEMS).where(_passing(plan, chosen)).order_by(plan_items.c.priority, plan_items.c.customer_id)
        with reading(self._engine) as connection:
            return tuple(PlanItem(**row) for row in connection.execute(query.offset(offset).limit(limit)).mappings())

    def count(self, plan: Plan, chosen: ItemFilter) -> int:
        """How many items pass the filter."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).where(_passing(plan, chosen))) or 0

    def last_steps(self, plan: Plan, company: str, customer_ids: Sequence[str]) -> Mapping[str, str]:
        """What was recorded last of each of these customers' actions, by id; who is missing has nothing recorded."""
        query = select(outcomes.c.customer_id, outcomes.c.step).order_by(outcomes.c.happened_on, outcomes.c.id)
        query = query.where(outcomes.c.company == company, outcomes.c.plan_id == plan.id, outcomes.c.step.in_(DONE_STEPS))
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(outcomes.c.customer_id.in_(customer_ids))).all()
        return {row.customer_id: row.step for row in rows}

    def assign(
        self, plan: Plan, customer_ids: Sequence[str], who: str | None, *, company: str, by: str, at: datetime
    ) -> tuple[str, ...]:
        """Mean these customers for somebody (None: nobody), and say whom: controls and those taken on stay as they are."""
        free = and_(_open(plan), plan_items.c.customer_id.in_(customer_ids[:_IDS_AT_ONCE]))
        with writing(self._engine) as connection:
            met = tuple(connection.scalars(select(plan_items.c.customer_id).where(free)))
            connection.execute(update(plan_items).where(free).values(assigned_to=who))
            deeds = (Deed(at, by, "customer assigned", company, each, f"plan {plan.id}: {who or 'nobody'}") for each in met)
            note(connection, *deeds)
        return met

    def share_out(self, plan: Plan, people: Sequence[str], chosen: ItemFilter, *, company: str, by: str, at: datetime) -> int:
        """Mean what is meant for nobody yet for these people in turn, the most urgent first; how many customers that were."""
        free = and_(_open(plan), plan_items.c.assigned_to.is_(None), _passing(plan, chosen))
        query = select(plan_items.c.customer_id).where(free).order_by(plan_items.c.priority, plan_items.c.customer_id)
        its = and_(plan_items.c.plan_id == plan.id, plan_items.c.customer_id == bindparam("whom"))
        with writing(self._engine) as connection:
            ids = connection.scalars(query).all()
            pairs = [{"whom": each, "who": who} for each, who in zip(ids, cycle(people), strict=False)]
            if pairs:
                connection.execute(update(plan_items).where(its).values(assigned_to=bindparam("who")), pairs)
                told = f"plan {plan.id}: {len(pairs)} customers among {', '.join(people)}"
                note(connection, Deed(at, by, "plan shared out", company, None, told))
        return len(pairs)

    def approve(self, plan: Plan, *, company: str, by: str, at: datetime) -> bool:
        """Stand behind a plan; False where somebody has done so before."""
        waiting = and_(plans.c.id == plan.id, plans.c.approved_at.is_(None))
        with writing(self._engine) as connection:
            approved = connection.execute(update(plans).where(waiting).values(approved_at=at, approved_by=by)).rowcount == 1
            if approved:
                note(connection, Deed(at, by, "plan approved", company, None, f"plan {plan.id}"))
        return approved


_TO_DO = plan_items.c.arm.is_distinct_from(CONTROL)


def _reachable(plan: Plan) -> ColumnElement[bool]:
    """The items of a plan but for customers who have asked for no contact since."""
    return and_(plan_items.c.plan_id == plan.id, plan_items.c.customer_id.not_in(unwilling(plan.id)))


def _open(plan: Plan) -> ColumnElement[bool]:
    """Items that nobody has taken on, controls left out."""
    return and_(_reachable(plan), _TO_DO, plan_items.c.taken_by.is_(None))


def _passing(plan: Plan, chosen: ItemFilter) -> ColumnElement[bool]:
    conditions = [_reachable(plan), ~_TO_DO if chosen.standing == CONTROLS else _TO_DO]
    if chosen.channel is not None:
        conditions.append(plan_items.c.channel == chosen.channel)
    if chosen.action is not None:
        conditions.append(plan_items.c.action == chosen.action)
    if chosen.person is not None:
        conditions.append(_PERSON.is_not_distinct_from(chosen.person or None))
    if chosen.standing == FREE:
        conditions.append(plan_items.c.taken_by.is_(None))
    if chosen.standing == TAKEN:
        conditions.append(plan_items.c.taken_by.is_not(None))
    return and_(*conditions)

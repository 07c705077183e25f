"""What somebody's day holds: complaints that wait too long, customers taken on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Engine, Exists, LargeBinary, and_, func, select

from decisions.labels import Step
from serving.store.engine import reading
from serving.store.records import Load, Plan
from serving.store.schema import feature_rows, plan_items, scores
from serving.store.work_schema import outcomes

FINISHED = (Step.NOT_NOW, Step.ACCEPTED, Step.DECLINED, Step.CONVERTED, Step.DO_NOT_CONTACT)
"""The steps after which there is nothing left to do for whoever took the customer on."""

OLDEST_COMPLAINT = "oldest_open_complaint_days"
_BYTES = 8  # a feature in its row: float64, little-endian


@dataclass(frozen=True)
class Taken:
    """A customer whom somebody has taken on and not finished; `reached` is whether they were contacted since."""

    customer_id: str
    action: str
    title: str | None
    taken_at: datetime | None
    reached: bool


class Day:
    """All methods raise StoreError when the store cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def overdue(self, load: Load, allowed_days: Callable[[str | None], float]) -> tuple[str, ...] | None:
        """Who has a complaint open for longer than their value tier is allowed, by id; None where that is not known."""
        if OLDEST_COMPLAINT not in load.feature_names:
            return None
        place = 1 + _BYTES * load.feature_names.index(OLDEST_COMPLAINT)
        days = func.substr(feature_rows.c.row, place, _BYTES, type_=LargeBinary)
        same = and_(feature_rows.c.load_id == scores.c.load_id, feature_rows.c.customer_id == scores.c.customer_id)
        query = select(scores.c.customer_id, scores.c.value_tier, days).join(feature_rows, same)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(scores.c.load_id == load.id, scores.c.complaints_open > 0)).all()
        waited = np.frombuffer(b"".join(bytes(row[2]) for row in rows), dtype="<f8")
        each = zip(rows, waited.tolist(), strict=True)
        return tuple(customer_id for (customer_id, tier, _), days in each if days > allowed_days(tier))

    def taken(self, plan: Plan, company: str, who: str) -> tuple[Taken, ...]:
        """The customers of the plan whom `who` has taken on and not finished, the most urgent first."""
        since = and_(
            outcomes.c.company == company,
            outcomes.c.customer_id == plan_items.c.customer_id,
            outcomes.c.recorded_at >= plan_items.c.taken_at,
        )

        def any_of(*steps: Step) -> Exists:
            return select(outcomes.c.id).where(since, outcomes.c.step.in_(steps)).correlate(plan_items).exists()

        columns = [plan_items.c[name] for name in ("customer_id", "action", "title", "taken_at")]
        query = select(*columns, any_of(Step.CONTACTED).label("reached"))
        query = query.where(plan_items.c.plan_id == plan.id, plan_items.c.taken_by == who, ~any_of(*FINISHED))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(plan_items.c.priority, plan_items.c.customer_id)).mappings()
            return tuple(Taken(**row) for row in rows)

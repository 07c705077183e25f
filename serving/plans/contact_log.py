"""What the store knows of contacts, as the contacts table of a company: this is where plans and outcomes become evidence.

Who was contacted is there with what came of it, and beside them the controls of the same plans, who would have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

import numpy as np
import polars as pl

from decisions.labels import Step
from decisions.plans.holdout import draws
from decisions.plans.plan_rows import CONTROL, TREATED
from serving.plans.outcomes import REACHED
from serving.store.records import Assignment, RecordedOutcome

COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "customer_id": pl.String,
    "contacted_at": pl.Date,
    "action": pl.String,
    "arm": pl.String,
    "propensity": pl.Float64,
    "cost": pl.Float64,
    "accepted": pl.Boolean,
    "converted": pl.Boolean,
    "reason": pl.String,
}
_STEPS = [*map(str, Step)]
ORDER_SEED = 1
"""Gives those who were not contacted their order, for their days."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One row of the contacts table, and the plan that asked for it."""

    customer_id: str
    contacted_at: date
    action: str
    plan_id: int | None = None
    arm: str | None = None
    propensity: float | None = None
    cost: float | None = None
    accepted: bool | None = None
    converted: bool | None = None
    reason: str | None = None


def contact_table(
    outcomes: Sequence[RecordedOutcome], planned: Iterable[Assignment], *, answer_days: int, as_planned: bool = False
) -> pl.DataFrame:
    """The contacts table of all that was recorded, sorted by day, action and customer; COLUMNS are its columns.

    An answer belongs to the last contact of the customer by that action in the `answer_days` before it. The first contact that a
    plan asked for has the arm and propensity of its draw; further ones, contacts that no plan asked for, and contacts of controls
    have none. Controls are there for each action of a plan that was begun, on days spread as those of its contacts. Where not
    all were reached, the propensity is that of being treated and reached, as if chance had chosen whom; `as_planned` has all who
    were drawn instead, reached or not, with the propensity of the draw.
    """
    contacts = [contact for steps in _by_customer_and_action(outcomes) for contact in _contacts(steps, answer_days)]
    first, rows = _first_of_each_plan(contacts)
    for drawn in _drawn(planned):
        reached = {one.customer_id: first.pop(_place(one)) for one in drawn if _place(one) in first}
        rows += _experiment(drawn, reached, as_planned=as_planned)
    rows += map(_undrawn, first.values())
    columns = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    return pl.DataFrame(columns, schema=dict(COLUMNS)).sort("contacted_at", "action", "customer_id")


def _by_customer_and_action(outcomes: Sequence[RecordedOutcome]) -> Iterator[list[RecordedOutcome]]:
    """What happened to each customer by each action, in the order of days; what is of no action is left out."""
    told = sorted((one for one in outcomes if one.action), key=_in_order)
    for _, steps in groupby(told, key=lambda one: (one.customer_id, one.action)):
        yield list(steps)


def _in_order(one: RecordedOutcome) -> tuple[str, str, date, int]:
    """By customer and action, then by days; of one day the contact comes before what came of it."""
    return one.customer_id, str(one.action), one.happened_on, _STEPS.index(one.step)


def _contacts(steps: Iterable[RecordedOutcome], answer_days: int) -> list[Contact]:
    """The contacts of one customer by one action: whoever answers was contacted, on that day if no contact is recorded."""
    found: list[Contact] = []
    for step in steps:
        since = (step.happened_on - found[-1].contacted_at).days if found else None
        begins = step.step == Step.CONTACTED and since != 0
        if begins or (step.step in REACHED and (since is None or since >= answer_days)):
            found.append(_begun(step))
            since = 0
        if since is not None and since < answer_days:
            found[-1] = _answered(found[-1], step)
    return found


def _begun(step: RecordedOutcome) -> Contact:
    return Contact(
        step.customer_id,
        step.happened_on,
        str(step.action),
        step.plan_id,
        step.arm,
        step.propensity,
        accepted=False,
        converted=False,
    )


def _answered(contact: Contact, step: RecordedOutcome) -> Contact:
    """The contact with what one step adds to it."""
    cost = contact.cost if step.cost is None else (contact.cost or 0.0) + step.cost
    return replace(
        contact,
        cost=cost,
        accepted=contact.accepted or step.step == Step.ACCEPTED,
        converted=contact.converted or step.step == Step.CONVERTED,
        reason=step.reason or contact.reason,
    )


def _first_of_each_plan(contacts: Iterable[Contact]) -> tuple[dict[tuple[int, str, str], Contact], list[Contact]]:
    """The first contact that each plan asked for, by plan, action and customer; and all others, which no draw chose."""
    first: dict[tuple[int, str, str], Contact] = {}
    others: list[Contact] = []
    for contact in contacts:
        place = (contact.plan_id or 0, contact.action, contact.customer_id)
        if contact.plan_id is None or contact.arm is None or place in first:
            others.append(_undrawn(contact))
        else:
            first[place] = contact
    return first, others


def _place(one: Assignment) -> tuple[int, str, str]:
    return one.plan_id, one.action, one.customer_id


def _drawn(planned: Iterable[Assignment]) -> Iterator[list[Assignment]]:
    """Those drawn for each action of each plan, where the draw could have gone either way.

    A customer whom two plans of one date have as a control of one action is a control once, of the first of them.
    """
    open_draws = [one for one in planned if one.arm and one.propensity is not None and 0 < one.propensity < 1]
    met: set[tuple[date, str, str]] = set()
    for _, drawn in groupby(
        sorted(open_draws, key=lambda one: (one.plan_id, one.action)), key=lambda one: (one.plan_id, one.action)
    ):
        once = [one for one in drawn if one.arm == TREATED or (one.as_of, one.action, one.customer_id) not in met]
        met |= {(one.as_of, one.action, one.customer_id) for one in once}
        yield once


def _experiment(drawn: Sequence[Assignment], reached: Mapping[str, Contact], *, as_planned: bool) -> list[Contact]:
    """The rows of one action of one plan; of those drawn, `reached` has the first contact."""
    treated = [one for one in drawn if one.arm == TREATED and one.customer_id in reached]
    if not treated:
        return [_undrawn(contact) for contact in reached.values()]  # controls alone: there is nobody to compare them with
    share = 1.0 if as_planned else len(treated) / sum(one.arm == TREATED for one in drawn)
    rows = [_with_draw(reached[one.customer_id], one, share) for one in treated]
    for one in drawn:
        if one.arm == CONTROL and one.customer_id in reached:
            contact = reached[one.customer_id]
            rows.append(_with_draw(contact, one, share) if as_planned else _undrawn(contact))
    waiting = [one for one in drawn if one.customer_id not in reached and (as_planned or one.arm == CONTROL)]
    days = [reached[one.customer_id].contacted_at for one in treated]
    return rows + [_with_draw(_uncontacted(one, day), one, share) for one, day in _on_days_like(waiting, days)]


def _with_draw(contact: Contact, one: Assignment, share: float) -> Contact:
    """The contact with its draw; of those treated a `share` was reached. Where nobody said what it cost, the plan did."""
    cost, drawn = one.cost if contact.cost is None else contact.cost, float(one.propensity or 0.0)
    return replace(contact, arm=one.arm, propensity=drawn * share / (1 - drawn * (1 - share)), cost=cost)


def _uncontacted(one: Assignment, day: date) -> Contact:
    return Contact(one.customer_id, day, one.action, one.plan_id, cost=0.0)


def _on_days_like(waiting: Sequence[Assignment], days: Sequence[date]) -> Iterator[tuple[Assignment, date]]:
    """Each of those who were not contacted with a day, spread as `days` are."""
    ids = np.array([one.customer_id for one in waiting], dtype=object)
    order = np.argsort(draws(ids, np.array([one.action for one in waiting], dtype=object), ORDER_SEED))
    in_order = sorted(days)
    for place, row in enumerate(order):
        yield waiting[row], in_order[int((place + 0.5) / len(waiting) * len(days))]


def _undrawn(contact: Contact) -> Contact:
    """A contact as one that no draw chose, which teaches nothing about effects."""
    return replace(contact, arm=None, propensity=None)

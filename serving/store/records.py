"""What the store hands out: frozen records, no SQL in sight. Money is in currency units; None means not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Load:
    """One scoring run: `as_of` and `data_until` are days in the company's zone, `loaded_at` is an instant in UTC.

    `currency` is the ISO 4217 code of all amounts.
    """

    id: int
    company: str
    horizon_days: int
    as_of: date
    data_until: date
    loaded_at: datetime
    model_version: str
    model_family: str
    grade: str
    customers: int
    feature_names: tuple[str, ...]
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One signed contribution: `target` is churn (adds up to logit p) or value (adds up to log expected value)."""

    target: str
    feature: str
    name: str
    contribution: float


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One customer in one load, with the planned action where there is one.

    `further_churn` has the churn probabilities of further horizons by the names of their score columns.
    """

    customer_id: str
    name: str | None
    owner: str | None
    churn_probability: float
    expected_value: float | None
    value_low: float | None
    value_high: float | None
    value_at_risk: float | None
    current_value: float | None
    potential_value: float | None
    lifetime_value: float | None
    status: str | None
    value_tier: str | None
    quadrant: str | None
    lifecycle: str | None
    loyalty: str | None
    relation: str | None
    credit_grade: str | None
    service_level: str | None
    next_category: str | None
    complaints_open: int | None
    reasons: tuple[Reason, ...] | None
    further_churn: Mapping[str, float] = field(default_factory=dict)
    abc_class: str | None = None
    account_class: str | None = None
    rfm_cell: str | None = None
    rfm_segment: str | None = None
    moves: str | None = None
    new_to_category: bool | None = None
    kind: str | None = None
    account_id: str | None = None
    action: str | None = None
    action_title: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers to list; None lets all through. `search` is a part of the id or of the name, in large or small letters.

    `ids_only` is for readers who may not know names: they search ids alone. `action` is the name of a planned action;
    `but_status` leaves out those of one status. The ranges of churn probability (0 to 1) and expected value hold both their
    ends, and nobody whose value is missing. `among` lets through nobody but customers of these ids, `owners` those of
    any of these owners.
    """

    search: str | None = None
    status: str | None = None
    but_status: str | None = None
    value_tier: str | None = None
    quadrant: str | None = None
    lifecycle: str | None = None
    relation: str | None = None
    kind: str | None = None
    owner: str | None = None
    account_id: str | None = None
    churn_from: float | None = None
    churn_to: float | None = None
    value_from: float | None = None
    value_to: float | None = None
    action: str | None = None
    with_open_complaint: bool = False
    among: Sequence[str] | None = None
    owners: Sequence[str] | None = None
    ids_only: bool = False


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of the list, and how many customers pass the filter in all."""

    rows: tuple[ScoreRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a customer on one day: `kind` is purchase, refund, complaint, contact or payment.

    `amount` is the day's sum (refunds negative), `count` how many events it holds, `detail` a short English phrase.
    """

    day: date
    kind: str
    count: int
    amount: float | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class TierCount:
    """One value tier without the lost: how many customers, what they are expected to bring, how much value is at risk."""

    value_tier: str | None
    customers: int
    expected_value: float
    value_at_risk: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One load in figures: those who are lost already by themselves, all other figures but `complaints_open` without them.

    `customers_at_risk` have a churn probability of at least the threshold that was asked for. `value_lost` is the value at risk
    of the lost. `complaints_open` is None where the company has no complaints table.
    """

    customers: int
    customers_at_risk: int
    value_at_risk: float
    expected_value: float
    customers_lost: int
    value_lost: float
    complaints_open: int | None
    tiers: tuple[TierCount, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One action plan: its cost and expected net value are sums over its items.

    `capacities` are its limits beside the budget: contacts by channel, and agents' hours as `decisions.plans.limits` names them.
    """

    id: int
    load_id: int
    as_of: date
    made_at: datetime
    budget: float | None
    capacities: dict[str, float]
    cost: float
    expected_net_value: float
    customers: int
    notes: tuple[str, ...]
    approved_at: datetime | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class PlanItem:
    """The action planned for one customer; `priority` 1 comes first.

    `arm` is treated or control, `propensity` the chance of being treated that the draw gave; both None in plans from before
    there were controls. `assigned_to` is who should, `taken_by` who does. `runner_up` is the next best action and what it
    would bring, None in plans from before it was kept.
    """

    customer_id: str
    priority: int
    action: str
    title: str | None
    channel: str | None
    cost: float
    expected_net_value: float
    churn_probability: float
    value_at_risk: float | None
    reason: str | None
    arm: str | None = None
    propensity: float | None = None
    assigned_to: str | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    runner_up: str | None = None
    runner_up_net_value: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """One action of a plan over all its customers."""

    action: str
    title: str | None
    customers: int
    cost: float
    expected_net_value: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that happened to one customer on a day in the company's zone; `step` is a word of `decisions.labels.Step`.

    `action` is None only where the step is of the customer as a whole (do_not_contact, contact_again). `key` is the sender's own
    (None: made of customer, action, day and step); `cost` is in currency units; `reason` is a word of the policy.
    """

    customer_id: str
    step: str
    happened_on: date
    action: str | None = None
    key: str | None = None
    cost: float | None = None
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many outcomes were new, and how many were known before; `differing` of these said something else under the same key.

    `controls` of the new ones say that somebody was contacted whom the plan wanted left alone.
    """

    new: int
    known_before: int
    differing: int = 0
    controls: int = 0


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """An outcome as it is kept, with the plan that asked for it where one did, and what the draw was there."""

    key: str
    customer_id: str
    action: str | None
    step: str
    happened_on: date
    recorded_at: datetime
    recorded_by: str | None
    plan_id: int | None
    arm: str | None
    propensity: float | None
    cost: float | None
    reason: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a plan had in mind for one customer: the arm of the draw, and the chance of being treated that it gave."""

    plan_id: int
    as_of: date
    customer_id: str
    action: str
    arm: str | None
    propensity: float | None
    cost: float

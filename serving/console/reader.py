"""What the console asks of the store; `serving.store` answers it.

Rows are mappings keyed by the score columns of docs/architecture.md, so that a new column reaches a page without a new type in between.
Days are `datetime.date`, money is in currency units, missing is None (never NaN).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

Row = Mapping[str, object]


@dataclass(frozen=True)
class Load:
    """One scoring run, the one that readers see."""

    id: int
    company: str
    horizon_days: int
    as_of: date
    data_until: date
    model_version: str
    model_family: str
    grade: str
    customers: int


@dataclass(frozen=True)
class TierTotal:
    """One tier of a load: how many customers, how many of them at risk, and their money."""

    tier: str
    customers: int
    at_risk: int
    expected_value: float | None
    value_at_risk: float | None


@dataclass(frozen=True)
class PlanTotal:
    """The plan of a load: number of actions, what they cost and are expected to earn."""

    actions: int
    cost: float
    expected_net_value: float
    by_action: Sequence[tuple[str, int, float, float]]  # action, customers, cost, expected net value


@dataclass(frozen=True)
class Summary:
    """A load in figures: at risk means a churn probability of at least one half; `open_complaints` is None where complaints are not known."""

    tiers: Sequence[TierTotal]
    open_complaints: int | None
    plan: PlanTotal | None


@dataclass(frozen=True)
class Event:
    """One line of a timeline: what one customer did on one day, of one kind (purchase, refund, complaint, contact, payment)."""

    day: date
    kind: str
    count: int
    amount: float | None
    detail: str


class Reader(Protocol):
    """The questions of the pages. Each raises StoreError when the store cannot answer."""

    def current_load(self) -> Load | None:
        """The load that readers see for the served company and horizon; None before the first."""

    def summary(self, load: Load) -> Summary:
        """The load in figures."""

    def customers(
        self, load: Load, *, search: str, filters: Mapping[str, str], sort: str, descending: bool, offset: int, limit: int
    ) -> tuple[Sequence[Row], int]:
        """One page of score rows (with `name`, `action`, `action_channel`) and how many rows match in all.

        `search` is a part of the id or the name, case ignored; `filters` maps value_tier, status, quadrant, lifecycle, action to the value wanted;
        `sort` is a score column, missing values last, ties by customer_id.
        """

    def choices(self, load: Load, column: str) -> Sequence[str]:
        """The values that `column` (as in `filters`) takes in the load, sorted."""

    def customer(self, load: Load, customer_id: str) -> Row | None:
        """The score row of one customer with `name`, or None."""

    def features(self, load: Load, customer_id: str) -> Mapping[str, float | None]:
        """The feature row of one customer by feature name; empty when none was kept."""

    def timeline(self, load: Load, customer_id: str) -> Sequence[Event]:
        """All events of one customer before as_of, newest first."""

    def plan_item(self, load: Load, customer_id: str) -> Row | None:
        """The planned action of one customer: action, title, channel, cost, expected_net_value, reason; None when there is none."""

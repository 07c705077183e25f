"""The policy: every threshold that decisions use, and the catalogue of actions, as one frozen value.

`decisions/policy.yaml` holds the default; files are read at the edge (`serving.plans.policy`), `Policy.from_mapping` checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from decisions.labels import Tier
from decisions.parts import Days, Part, Share, as_tuple
from decisions.plans.catalogue import Action, PlanPolicy
from decisions.reviews.measures import TierTargets
from keepwell.errors import ConfigError


class TierPolicy(Part):
    """Shares of customers in the tiers, the rest is small; `protected`: customer id -> the tier that they have at least."""

    vip: Share
    """The share of customers at the top, by expected value."""
    major: Share
    """The share of the next."""
    ordinary: Share
    """The share of those after them."""
    protected: Mapping[str, Literal["VIP", "major", "ordinary"]] = {}
    """Customer id, as text: the tier that they have at least, whatever their figures."""

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.vip + self.major + self.ordinary > 1:
            raise ValueError("vip + major + ordinary must not exceed 1")
        return self


class AbcPolicy(Part):
    """Shares of all positive expected value that class A brings, and that A and B bring together."""

    a: Share
    """The fewest customers who bring this share of all positive expected value are A."""
    b: Share
    """The same of A and B together."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.a > self.b:
            raise ValueError("a must not exceed b, which counts class A too")
        return self


class AccountPolicy(Part):
    """Shares of customers that are core and key accounts; the share of all others, by potential value, that is promising."""

    core: Share
    """The share of customers who are core accounts, by expected value."""
    key: Share
    """The share of the next."""
    promising: Share
    """The share of all others, by potential value."""

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.core + self.key > 1:
            raise ValueError("core + key must not exceed 1")
        return self


class StatusPolicy(Part):
    """New for `new_days` from the first purchase; then lapsing and lost from these churn probabilities on."""

    new_days: Days
    """New for so long after the first purchase."""
    lapsing_from: Share
    """Lapsing from this churn probability on."""
    lost_from: Share
    """Lost from this churn probability on."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lapsing_from > self.lost_from:
            raise ValueError("lapsing_from must not exceed lost_from")
        return self


class QuadrantPolicy(Part):
    """The share of customers whose current value, or potential value, counts as high."""

    high_share: Share
    """The share of customers whose current value, and whose potential value, counts as high."""


class LifecyclePolicy(Part):
    """Limits of exploration, build-up and decline; how long a category counts as new to a customer of longer standing."""

    exploration_purchase_days: Days
    """Exploration up to so many purchase days."""
    build_up_days: Days
    """Build-up for so long after the first purchase."""
    build_up_growth: Annotated[float, Field(gt=0)]
    """Build-up, too, where spend of the last 180 days over that of the 180 before reaches this."""
    decline_from: Share
    """Decline from this churn probability on."""
    decline_overdue_ratio: Annotated[float, Field(gt=0)]
    """Decline, too, where the time since the last purchase reaches so many of the customer's usual gaps."""
    new_category_days: Days
    """A customer past build-up is new to a category for so long after coming to it."""


class LoyaltyPolicy(Part):
    """What counts as buying again and again, as attachment, and as being held by discounts or offers."""

    repeat_purchase_days: Days
    """Purchase days of the last 365 days that count as buying again and again."""
    attached_days: Days
    """Days since the first purchase from which a customer may be attached by habit."""
    attached_month_share: Share
    """The share of months with a purchase that makes them so."""
    price_discount_share: Share
    """The discount share of the last 365 days from which price holds them."""
    incentive_acceptances: Annotated[int, Field(ge=1)]
    """Offers accepted in the last 365 days from which offers hold them."""


class RelationPolicy(Part):
    """Purchase days and days since the first purchase that make a relation; the discount share that makes a deal-seeker."""

    purchase_days: Days
    """Purchase days that make a relation."""
    days: Days
    """Days since the first purchase that make a relation."""
    deal_seeker_discount_share: Share
    """The discount share of the last 365 days that makes a deal-seeker."""


class CreditPolicy(Part):
    """Shares of invoices paid late, and days overdue, from which a grade applies."""

    b_late_share: Annotated[float, Field(gt=0, le=1)]
    """B from this share of invoices paid late on."""
    c_late_share: Share
    """C from this share on, or with anything overdue."""
    d_overdue_days: Annotated[int, Field(ge=1)]
    """D where an invoice has been overdue for so long."""


Places = Annotated[int, Field(ge=0)]


class ServicePolicy(Part):
    """How many customers each of the closer levels of service can be given; a level with too many gives way to the next."""

    partnership: Places
    """How many customers can be given a named person and shared plans."""
    proactive: Places
    """How many can be called before there is a reason to."""
    accountable: Places
    """How many can be asked afterwards whether all was well."""


class LifetimePolicy(Part):
    """Years that the lifetime value looks ahead, the yearly discount rate, and the yearly cost to serve where none is known."""

    years: Annotated[float, Field(gt=0, le=50)]
    """Years that the lifetime value looks ahead."""
    discount_rate: Annotated[float, Field(ge=0, le=1)]
    """What a year takes off the worth of money to come, as a share."""
    service_cost: Annotated[float, Field(ge=0)]
    """What serving a customer costs a year, where the customer's own is not known."""


class Policy(Part):
    """All thresholds and the catalogue of actions."""

    tiers: TierPolicy
    """The pyramid: shares of customers by expected value, the rest is small."""
    hysteresis: Annotated[float, Field(ge=0, lt=1)]
    """How far beyond an edge a customer must be to change their word, as a share of the edge."""
    split_by_kind: bool
    """Whether shares and cuts are taken within each kind of customer (consumer, trader ...)."""
    abc: AbcPolicy
    """Classes by the share of expected value that they bring."""
    accounts: AccountPolicy
    """Key accounts by expected value, promising ones by potential value."""
    status: StatusPolicy
    """How near to leaving a customer is."""
    quadrants: QuadrantPolicy
    """Current value against potential value."""
    lifecycle: LifecyclePolicy
    """How far the relation has come."""
    loyalty: LoyaltyPolicy
    """What holds a customer."""
    relation: RelationPolicy
    """Deal-seekers apart from lasting relations."""
    credit: CreditPolicy
    """How invoices are paid."""
    service: ServicePolicy
    """How many customers each of the closer levels of service can be given; with more, the next level has to do."""
    lifetime: LifetimePolicy
    """What the lifetime value counts."""
    targets: Mapping[str, TierTargets] = {}
    """How each tier is to be served: what a review holds the quarter against."""
    plan: PlanPolicy
    """The rules of plans, whatever the action."""
    actions: tuple[Action, ...]
    """The catalogue: what can be done for a customer."""

    @field_validator("targets")
    @classmethod
    def _of_tiers(cls, targets: Mapping[str, TierTargets]) -> Mapping[str, TierTargets]:
        unknown = sorted(set(targets) - {*map(str, Tier)})
        if unknown:
            raise ValueError(f"there is no tier {unknown[0]!r}; the tiers are {', '.join(Tier)}")
        return targets

    @field_validator("actions", mode="before")
    @classmethod
    def _as_tuple(cls, actions: object) -> object:
        return as_tuple(actions)

    @field_validator("actions")
    @classmethod
    def _distinct(cls, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        names = [action.name for action in actions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two actions are named {twice[0]}")
        return actions

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that the actions use, in alphabetical order."""
        return tuple(sorted({action.channel for action in self.actions}))

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any]) -> Policy:
        """Check the content of a policy file. Raises ConfigError that names the key, what it must be, and what it is.

        >>> Policy.from_mapping({"tiers": {"vip": 2}})
        Traceback (most recent call last):
        keepwell.errors.ConfigError: policy: tiers.vip: Input should be less than or equal to 1, found 2
          -> correct the key in the policy file; decisions/policy.yaml shows every key with its default
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            found = "" if first["type"] == "missing" else f", found {first['input']!r:.80}"
            raise ConfigError(
                f"policy: {place}: {first['msg'].removeprefix('Value error, ')}{found}",
                hint="correct the key in the policy file; decisions/policy.yaml shows every key with its default",
            ) from None

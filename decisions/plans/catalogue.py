"""The catalogue of actions: what can be done for a customer, for whom, at which cost, and what it is expected to bring."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from decisions.labels import SCHEMES
from decisions.parts import AtLeastOne, Days, NotNegative, Part, Positive, Share, Slug, as_tuple
from decisions.plans.expressions import Expression
from keepwell.errors import ConfigError

DO_NOTHING = "do_nothing"
"""The name of what is always possible, costs nothing and brings nothing; no action may take it."""


_parsed = cache(Expression)  # a policy is copied with changes, and a condition kept in it would stay the old one


class Kept(Part):
    """Prior of the share of would-be leavers that an action keeps: Beta(a, b)."""

    a: Positive
    """As if so many would-be leavers had been kept,"""
    b: Positive
    """and so many had not."""

    @property
    def mean(self) -> float:
        """The expected share."""
        return self.a / (self.a + self.b)


class Lift(Part):
    """Prior of the lift of expected value that an action brings, as a share of it: mean and standard deviation.

    A negative lift is what an action costs of a customer's value, as a discount does that they would not have needed.
    """

    mean: Annotated[float, Field(ge=-1)]
    """What is expected, as a share of expected value."""
    sd: NotNegative
    """How unsure that is."""


class Gain(Part):
    """Prior of what an action brings besides: a share of a money column, as of what is overdue or of the yearly cost to serve."""

    of: Slug
    """The money column."""
    mean: Share
    """What is expected, as a share of it."""
    sd: NotNegative
    """How unsure that is."""


class ContactCap(Part):
    """At most so many contacts of any kind, this one included, in so many days."""

    contacts: AtLeastOne
    """The most contacts."""
    days: AtLeastOne
    """The days that they are counted in."""


class Action(Part):
    """One thing that can be done for a customer."""

    name: Slug
    """What files and programs call it."""
    title: Annotated[str, Field(min_length=1)]
    """What people call it, in English."""
    title_zh: Annotated[str, Field(min_length=1)]
    """What people call it, in Chinese."""
    bond: Literal["financial", "social", "structural"]
    """What ties the customer: money, people, or the way in which both work together."""
    channel: Slug
    """How the customer is reached: what a capacity of a plan limits."""
    cost: NotNegative
    """What one costs, in the money of the scores."""
    hours: NotNegative = 0.0
    """What one takes of an agent's time."""
    capacity: Annotated[int, Field(ge=0)] | None = None
    """How many of it one plan may hold; none: no limit."""
    when: str
    """Who is eligible: a condition over columns of scores, features and facts (docs/decisions.md)."""
    why: Annotated[str, Field(min_length=1)]
    """Said in the plan."""
    kept: Kept | None = None
    """The share of would-be leavers whom it keeps."""
    lift: Lift | None = None
    """What it adds to the value of whoever gets it."""
    gain: Gain | None = None
    """What it brings besides, of a money column."""
    control: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of those chosen who are left alone, at random, so that the effect can be measured."""
    cooldown_days: Days = 0
    """Not again for so long after the same action was done for the customer."""
    contact_cap: ContactCap | None = None
    """How often a customer may be contacted at all."""
    needs_consent: bool = False
    """Only for customers who have consented to marketing."""
    respects_preference: bool = False
    """Only for customers who prefer this channel, or have said nothing of it."""
    discount: bool = False
    """Takes something off the price: never for deal-seekers, that is, for whoever is not relational."""
    reaches_lost: bool = False
    """Also for lost customers, whom other actions leave alone."""
    reduces_service: bool = False
    """Never for customers whom `tiers.protected` names."""

    @field_validator("name")
    @classmethod
    def _not_nothing(cls, name: str) -> str:
        if name == DO_NOTHING:
            raise ValueError(f"{DO_NOTHING} is always possible and stands for no action; choose another name")
        return name

    @field_validator("when")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            words = _parsed(text).words
        except ConfigError as error:
            raise ValueError(f"{error.message}; {error.hint}") from None
        for column, word in words:
            if word not in (scheme := [*map(str, SCHEMES.get(column, [word]))]):
                raise ValueError(f"{column} is never {word!r}; its words are {', '.join(scheme)}")
        return text

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        if self.kept is None and self.lift is None and self.gain is None:
            raise ValueError("an action needs an expected effect: kept, lift, gain or several of them")
        return self

    @model_validator(mode="after")
    def _caps_agree(self) -> Self:
        cap = self.contact_cap
        if cap is not None and cap.contacts == 1 and 0 < self.cooldown_days < cap.days:
            raise ValueError(
                f"contradictory caps: cooldown_days allows it again after {self.cooldown_days} days,"
                f" contact_cap no contact at all within {cap.days}; make cooldown_days at least {cap.days} or 0"
            )
        return self

    @property
    def condition(self) -> Expression:
        """`when`, parsed."""
        return _parsed(self.when)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns without which the action is possible for nobody, in alphabetical order."""
        further = {self.gain.of} if self.gain else set()
        return tuple(sorted({*self.condition.names, *further} | ({"relation"} if self.discount else set())))


class Titles(Part):
    """A name for people, in English and Chinese."""

    title: Annotated[str, Field(min_length=1)]
    """In English."""
    title_zh: Annotated[str, Field(min_length=1)]
    """In Chinese."""


class PlanPolicy(Part):
    """What holds for all actions."""

    value_days: AtLeastOne
    """A customer who is kept counts with what they bring in this time."""
    kept_churn_at_most: Share = 1.0
    """Whoever was kept stays away in a later horizon as likely as predicted, but no likelier than this: they have come back."""
    consent_where_not_recorded: bool
    """Whether consent is taken as given where a company keeps no record of it."""
    holdout_seed: Annotated[int, Field(ge=0)] = 0
    """Who is a control depends on this, the action and the customer's id alone."""
    left_alone: tuple[str, ...] = ()
    """Ids of customers, as texts, who are in no plan."""
    channel_words: Mapping[str, Slug] = {}
    """What customers call a channel of ours, in lower case."""
    decline_reasons: tuple[Slug, ...] = ("price", "service", "quality", "range", "rival", "no_need", "moved")
    """The words that say why a customer declined."""
    do_nothing: Titles = Titles(title="Do nothing", title_zh="不作打扰")
    """The names of what is always possible."""

    @field_validator("left_alone", "decline_reasons", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return as_tuple(value)

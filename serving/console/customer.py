"""One customer: what happened, what is expected, why, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from decisions.plans.catalogue import DO_NOTHING
from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.customers import Interval, Tag, interval, tag
from serving.console.frame import Frame
from serving.console.outlook import History, Horizon, Lifetime
from serving.console.peers import Peers
from serving.console.reasons import ReasonGroup, reason_groups
from serving.console.sentences import details, in_words
from serving.console.text import label, t
from serving.console.what_if import WhatIf
from serving.console.work import WorkCard
from serving.store.records import Event, Load, PlanItem, ScoreRow

_NEXT_BEST = " Next best: "

NEWEST_EVENTS = 25
"""How many events the table below the timeline holds."""

_TAGS = (
    *("value_tier", "status", "lifecycle", "quadrant", "loyalty", "relation", "service_level", "credit_grade"),
    *("abc_class", "account_class", "rfm_segment", "next_category"),
)
_AMOUNTS = ("value_at_risk", "lifetime_value", "current_value", "potential_value")


@dataclass(frozen=True)
class Fact:
    """A labelled value with its meaning."""

    name: str
    value: str
    means: str


@dataclass(frozen=True)
class NamedTag:
    """A tag with the name of what it describes, such as "Tier"."""

    name: str
    tag: Tag


@dataclass(frozen=True)
class ActionCard:
    """The planned action: its price, its promise, what argues for it, and the next best one (empty: not known)."""

    name: str
    channel: str
    cost: str
    net_value: str
    reason: str
    runner_up: str


@dataclass(frozen=True)
class EventLine:
    """One row of the table of events."""

    day: str
    kind: str
    name: str
    detail: str
    amount: str


@dataclass(frozen=True)
class Outlook:
    """What is expected, seen from further away; each part is None (`horizons`: empty) where it is not known."""

    history: History | None
    horizons: tuple[Horizon, ...]
    lifetime: Lifetime | None
    peers: Peers | None
    what_if: WhatIf | None


@dataclass(frozen=True)
class CustomerPage:
    """One customer. `timeline` is None without events, `action` None without a plan for them.

    `refused` says why a form was not done, empty where none was refused; `note` is what was written in it. `churn_reasons` and
    `value_reasons` are empty for customers whose scores were not explained.
    """

    frame: Frame
    title: str
    customer_id: str
    owner: str
    churn: str
    churn_bar: charts.Span
    expected: str
    interval: Interval | None
    expected_range: charts.Range | None
    amounts: tuple[Fact, ...]
    tags: tuple[NamedTag, ...]
    action: ActionCard | None
    work: WorkCard
    refused: str
    note: str
    churn_reasons: tuple[ReasonGroup, ...]
    value_reasons: tuple[ReasonGroup, ...]
    outlook: Outlook
    timeline: charts.Timeline | None
    events: tuple[EventLine, ...]
    events_text: str


def customer_page(
    frame: Frame,
    load: Load,
    row: ScoreRow,
    *,
    features: Mapping[str, float | None],
    events: Sequence[Event],
    item: PlanItem | None,
    work: WorkCard,
    outlook: Outlook,
    refused: str = "",
    note: str = "",
) -> CustomerPage:
    """Put the page together; `events` are newest first, `refused` and `note` are those of a form that was not done."""
    amounts = [getattr(row, name) for name in _AMOUNTS]
    decimals = show.money_decimals([row.expected_value, row.value_high, *amounts])
    reasons = row.reasons or ()
    return CustomerPage(
        frame=frame,
        title=row.name or row.customer_id,
        customer_id=row.customer_id,
        owner=row.owner or "",
        churn=show.percent(row.churn_probability),
        churn_bar=charts.share_bar(row.churn_probability),
        expected=show.total(row.expected_value, load.currency, decimals),
        interval=interval(row.value_low, row.value_high, decimals),
        expected_range=_expected_range(row),
        amounts=tuple(_fact(name, show.money(amount, decimals)) for name, amount in zip(_AMOUNTS, amounts, strict=True)),
        tags=tuple(_named_tag(name, getattr(row, name)) for name in _TAGS if getattr(row, name) is not None),
        action=_action_card(item) if item else None,
        work=work,
        refused=refused,
        note=note,
        outlook=outlook,
        churn_reasons=reason_groups(reasons, "churn", features),
        value_reasons=reason_groups(reasons, "value", features),
        timeline=charts.timeline(events, load.as_of, load.horizon_days),
        events=tuple(_event_lines(events[:NEWEST_EVENTS])),
        events_text=_events_text(len(events)),
    )


def _fact(name: str, value: str) -> Fact:
    return Fact(t(f"column.{name}"), value, t(f"column.{name}.means"))


def _named_tag(name: str, value: str) -> NamedTag:
    # A category is the company's own word and is shown as it is.
    return NamedTag(t(f"column.{name}"), Tag(value, value, "") if name == "next_category" else tag(name, value))


def _expected_range(row: ScoreRow) -> charts.Range | None:
    if row.value_low is None or row.expected_value is None or row.value_high is None:
        return None
    if not all(math.isfinite(value) for value in (row.value_low, row.expected_value, row.value_high)):
        return None
    if row.value_low >= row.value_high:
        return None
    return charts.value_range(row.value_low, row.expected_value, row.value_high)


def _action_card(item: PlanItem) -> ActionCard:
    decimals = show.money_decimals([item.cost, item.expected_net_value])
    return ActionCard(
        name=action_title(item.action, item.title),
        channel=label("channel", item.channel) if item.channel else "",
        cost=show.money(item.cost, decimals),
        net_value=show.money(item.expected_net_value, decimals),
        # The plan's own sentence about the runner-up is told here in the language of the page.
        reason=in_words((item.reason or "").partition(_NEXT_BEST)[0] if item.runner_up else item.reason or ""),
        runner_up=_runner_up(item, decimals) if item.runner_up else "",
    )


def _runner_up(item: PlanItem, decimals: int) -> str:
    if item.runner_up == DO_NOTHING:
        return t("customer.action.nothing")
    return t(
        "customer.action.next", action=action_title(str(item.runner_up)), gain=show.money(item.runner_up_net_value, decimals)
    )


def _event_lines(events: Iterable[Event]) -> Iterable[EventLine]:
    events = tuple(events)
    decimals = show.money_decimals(event.amount for event in events)
    for event in events:
        name = t(f"event.{event.kind}", count=event.count) if event.kind in charts.KINDS else event.kind
        amount = "" if event.amount is None else show.money(event.amount, decimals)
        yield EventLine(show.day(event.day), event.kind, name, details(event.detail or ""), amount)


def _events_text(count: int) -> str:
    if count <= NEWEST_EVENTS:
        return t("events.all", count=count)
    return t("events.newest", newest=NEWEST_EVENTS, all=show.number(count))

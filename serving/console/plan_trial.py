"""The part of the plan page that tries limits: fields, what the best plan under them would bring, and the frontier it lies on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from decisions.policy import Policy
from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.curves import Curve, curve
from serving.console.plan_query import CAPACITY, HOURS, parameters_of
from serving.console.sentences import said
from serving.console.text import label, t
from serving.plans.draft import Draft, Wanted
from serving.store.plan_work import Share
from serving.store.records import Plan

_OF_CHANNEL = re.compile(r"(.+) (contacts|hours)")
"""What `decisions.plans.limits` calls the limits of a channel."""


@dataclass(frozen=True)
class Figure:
    """One number of the plan, what it is made of, and its share of the whole as a bar, where it is a part."""

    name: str
    value: str
    note: str
    bar: charts.Span | None = None


@dataclass(frozen=True)
class LimitField:
    """A limit in the form: the parameter, its label, what is written in it, and the scale of its slider.

    `refused` says what is wrong with what is written, empty where nothing is.
    """

    parameter: str
    name: str
    value: str
    most: str
    refused: str = ""


@dataclass(frozen=True)
class DraftCard:
    """What a plan under the limits of the form would be: figures, prices of the limits in words, and the frontier."""

    figures: tuple[Figure, ...]
    prices: tuple[str, ...]
    curve: Curve | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """The limits in the form, and what came of them: None while it is being worked out (`waits`) or was not asked for.

    Where one of them is no amount, `refused` is its parameter and `written` is what stands in the fields.
    """

    wanted: Wanted
    draft: Draft | None
    waits: bool
    written: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


def limit_fields(trial: Trial, plan: Plan | None, policy: Policy, shares: Sequence[Share]) -> tuple[LimitField, ...]:
    """The budget, then the contacts of every channel and the hours of those that take an agent's time."""
    wanted, draft = trial.wanted, trial.draft
    useful = float(draft.curve.budget[-1]) if draft else 2 * plan.cost if plan else 0.0
    scales = [("budget", t("plan.budget"), max(useful, wanted.budget or 0.0, 100.0))]
    for channel in policy.channels:
        planned, name = sum(share.customers for share in shares if share.channel == channel), label("channel", channel)
        most = max(2 * planned, 2 * dict(wanted.capacities).get(channel, 0), 100)
        scales.append((CAPACITY + channel, t("plan.capacity", channel=name), most))
        if longest := max((action.hours for action in policy.actions if action.channel == channel), default=0.0):
            hours = max(2 * planned * longest, 2 * dict(wanted.hours).get(channel, 0.0), 40.0)
            scales.append((HOURS + channel, t("plan.hours", channel=name), hours))
    values = trial.written or parameters_of(wanted)
    return tuple(
        LimitField(each, name, values.get(each, ""), f"{most:.0f}", t("plan.limit.refused") if each == trial.refused else "")
        for each, name, most in scales
    )


def draft_card(draft: Draft, currency: str | None) -> DraftCard:
    """What a plan under the limits of the form would be, with the frontier and its own place there."""
    x, y = draft.curve.budget, draft.curve.expected_net_value
    at = draft.limits[0].used
    words = t("plan.frontier.point", cost=show.total(draft.cost, currency), gain=show.total(draft.expected_net_value, currency))
    top = show.total(float(y[-1]), currency)
    drawn = curve(
        x.tolist(),
        y.tolist(),
        named=(show.money, show.money),
        says=t("plan.frontier.says", most=top, budget=show.total(float(x[-1]), currency)),
        dots=[(at, float(np.interp(at, x, y)), words)],
    )
    controls = show.number(draft.controls)
    figures = (
        Figure(t("plan.planned"), show.number(draft.actions), t("plan.draft.controls", controls=controls)),
        Figure(t("plan.draft.cost"), show.total(draft.cost, currency), ""),
        Figure(t("plan.draft.gain"), show.total(draft.expected_net_value, currency), ""),
    )
    return DraftCard(figures, tuple(_prices(draft, currency)), drawn, tuple(map(said, draft.notes)))


def _prices(draft: Draft, currency: str | None) -> Iterable[str]:
    """What one more unit of each limit would bring; a limit that is not reached brings nothing."""
    for limit in draft.limits:
        if not np.isfinite(limit.amount):
            continue
        gain = show.total(limit.shadow_price, currency)
        if limit.name == "budget":
            yield t("plan.price.budget", gain=gain) if limit.shadow_price > 0 else t("plan.price.budget.none")
        elif found := _OF_CHANNEL.fullmatch(limit.name):
            kind, channel = "channel" if found[2] == "contacts" else "hours", label("channel", found[1])
            used = {"used": show.number(limit.used), "most": show.number(limit.amount)}
            none = t(f"plan.price.{kind}.none", channel=channel, **used)
            yield t(f"plan.price.{kind}", channel=channel, gain=gain) if limit.shadow_price > 0 else none
        elif limit.shadow_price > 0:
            action = action_title(limit.name.removesuffix(" capacity"))
            yield t("plan.price.action", action=action, gain=gain)

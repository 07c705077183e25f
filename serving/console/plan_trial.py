"""The part of the plan page that tries limits: fields, what the best plan under them would bring, and the frontier it lies on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from decisions.policy import Policy
from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.curves import Curve, curve
from serving.console.plan_query import CAPACITY, parameters_of
from serving.console.text import label, t
from serving.plan_draft import Draft, Wanted
from serving.store.plan_work import Share
from serving.store.records import Plan


@dataclass(frozen=True)
class Figure:
    """One number of the plan, what it is made of, and its share of the whole as a bar, where it is a part."""

    name: str
    value: str
    note: str
    bar: charts.Span | None = None


@dataclass(frozen=True)
class LimitField:
    """A limit in the form: the parameter, its label, what it is now, and the scale of its slider."""

    parameter: str
    name: str
    value: str
    most: str


@dataclass(frozen=True)
class DraftCard:
    """What a plan under the limits of the form would be: figures, prices of the limits in words, and the frontier."""

    figures: tuple[Figure, ...]
    prices: tuple[str, ...]
    curve: Curve | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """The limits in the form, and what came of them: None while it is being worked out (`waits`) or was not asked for."""

    wanted: Wanted
    draft: Draft | None
    waits: bool


def limit_fields(
    wanted: Wanted, draft: Draft | None, plan: Plan | None, policy: Policy, shares: Sequence[Share]
) -> tuple[LimitField, ...]:
    """The budget, then the contacts of every channel that takes a budget of somebody's time or money."""
    useful = float(draft.curve.budget[-1]) if draft else 2 * plan.cost if plan else 0.0
    most = max(useful, wanted.budget or 0.0, 100.0)
    values = parameters_of(wanted)
    fields = [LimitField("budget", t("plan.budget"), values["budget"], f"{most:.0f}")]
    for channel in policy.channels:
        planned = sum(share.customers for share in shares if share.channel == channel)
        parameter, scale = CAPACITY + channel, max(2 * planned, 2 * dict(wanted.capacities).get(channel, 0), 100)
        name = t("plan.capacity", channel=label("channel", channel))
        fields.append(LimitField(parameter, name, values.get(parameter, ""), str(scale)))
    return tuple(fields)


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
    return DraftCard(figures, tuple(_prices(draft, currency)), drawn, draft.notes)


def _prices(draft: Draft, currency: str | None) -> Iterable[str]:
    """What one more unit of each limit would bring; a limit that is not reached brings nothing."""
    for limit in draft.limits:
        if not np.isfinite(limit.amount):
            continue
        gain = show.total(limit.shadow_price, currency)
        if limit.name == "budget":
            yield t("plan.price.budget", gain=gain) if limit.shadow_price > 0 else t("plan.price.budget.none")
        elif limit.name.endswith(" contacts"):
            channel = label("channel", limit.name.removesuffix(" contacts"))
            used = {"used": show.number(limit.used), "most": show.number(limit.amount)}
            none = t("plan.price.channel.none", channel=channel, **used)
            yield t("plan.price.channel", channel=channel, gain=gain) if limit.shadow_price > 0 else none
        elif limit.shadow_price > 0:
            action = action_title(limit.name.removesuffix(" capacity"))
            yield t("plan.price.action", action=action, gain=gain)

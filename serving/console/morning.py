"""What is new this morning: who changed tier, how actions went, what is mine to do, and what the plan could not consider."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from decisions.labels import Step, Tier
from decisions.migration import Flow
from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.customers import Tag, tag
from serving.console.needs import needed
from serving.console.query import START
from serving.console.sentences import said
from serving.console.text import t
from serving.console.urls import Urls
from serving.store.day import Taken
from serving.store.plan_work import Progress
from serving.store.records import Plan, ScoreRow
from serving.store.work import StepCount

MOST_MINE = 10
TOLD_STEPS = (Step.CONTACTED, Step.ACCEPTED, Step.DECLINED, Step.NOT_NOW, Step.CONVERTED)
"""What is told of how actions went."""

_LEFT_OUT = re.compile(r"(\w+) is left out: there is no column (.+)")
_RANK = {str(tier): rank for rank, tier in enumerate(Tier)}  # the dearest first


@dataclass(frozen=True)
class MoveLine:
    """Customers who went from one tier to another, and what they are expected to bring now; `link` leads to the tier."""

    was: Tag
    now: Tag
    way: str
    link: str
    customers: str
    value: str


@dataclass(frozen=True)
class Changes:
    """What is different from the scoring before, in a sentence, and the moves that carry most value."""

    lead: str
    lines: tuple[MoveLine, ...]


@dataclass(frozen=True)
class WentLine:
    """How one action went: yesterday, and in the last seven days, of which today is one."""

    action: str
    yesterday: str
    week: str


@dataclass(frozen=True)
class MineLine:
    """A customer that the visitor has taken on and not finished."""

    title: str
    link: str
    action: str
    standing: str


@dataclass(frozen=True)
class Mine:
    """The first of them, and how many more there are."""

    lines: tuple[MineLine, ...]
    more: str


@dataclass(frozen=True)
class Budget:
    """What was spent of the plan's budget, in words and as a bar; no bar without a budget."""

    words: str
    bar: charts.Span | None


@dataclass(frozen=True)
class LeftOut:
    """An action that the plan could not consider, and the data that it needs."""

    action: str
    needs: str


@dataclass(frozen=True)
class PlanNotes:
    """What a plan says of itself: sentences for everybody, and the actions for which data is lacking."""

    sentences: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def changes(flows: Sequence[Flow], before: date | None, urls: Urls) -> Changes | None:
    """How customers moved between tiers since the scoring of `before`; None where no earlier one is kept."""
    if before is None:
        return None
    moved = [flow for flow in flows if flow.was is not None and flow.now is not None and not flow.stayed]
    up, down = ([flow for flow in moved if _way(flow) == way] for way in ("up", "down"))
    new = sum(flow.customers for flow in flows if flow.was is None)
    lead = t(
        "changes.lead",
        before=show.day(before),
        up=show.number(sum(flow.customers for flow in up)),
        down=show.number(sum(flow.customers for flow in down)),
        new=show.number(new),
    )
    heaviest = sorted(moved, key=lambda flow: -max(flow.value_before, flow.value_now))[:6]
    decimals = show.money_decimals(flow.value_now for flow in heaviest)
    return Changes(lead, tuple(_move_line(flow, decimals, urls) for flow in heaviest))


def _way(flow: Flow) -> str:
    return "up" if _RANK[str(flow.now)] < _RANK[str(flow.was)] else "down"


def _move_line(flow: Flow, decimals: int, urls: Urls) -> MoveLine:
    query = replace(START, filters=(("value_tier", str(flow.now)), *START.filters))
    return MoveLine(
        was=tag("value_tier", flow.was),
        now=tag("value_tier", flow.now),
        way=_way(flow),
        link=urls.customers(query.parameters),
        customers=show.number(flow.customers),
        value=show.money(flow.value_now, decimals),
    )


def went(yesterday: Iterable[StepCount], week: Iterable[StepCount]) -> tuple[WentLine, ...]:
    """How actions went, the one with most to tell first; empty where nothing was recorded."""
    recent, all_week = _by_action(yesterday), _by_action(week)
    order = sorted(all_week, key=lambda action: (-sum(all_week[action].values()), action))
    return tuple(
        WentLine(action_title(action), _told(recent.get(action, Counter())), _told(all_week[action])) for action in order
    )


def _by_action(counts: Iterable[StepCount]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for count in counts:
        if count.action is not None and count.step in TOLD_STEPS:
            found.setdefault(count.action, Counter())[count.step] += count.times
    return found


def _told(steps: Counter[str]) -> str:
    told = [t("went.step", times=show.number(steps[step]), step=t(f"step.{step}")) for step in TOLD_STEPS if steps[step]]
    return t("list.comma").join(told) or show.MISSING


def mine(taken: Sequence[Taken], rows: Mapping[str, ScoreRow], urls: Urls) -> Mine:
    """What the visitor has in hand; `rows` are the scores of those shown."""
    lines = []
    for each in taken[:MOST_MINE]:
        name = rows[each.customer_id].name if each.customer_id in rows else None
        since = show.day(each.taken_at.date()) if each.taken_at else show.MISSING
        standing = t("mine.reached" if each.reached else "mine.taken", since=since)
        link = urls.customer(each.customer_id)
        lines.append(MineLine(name or each.customer_id, link, action_title(each.action, each.title), standing))
    more = len(taken) - len(lines)
    return Mine(tuple(lines), t("mine.more", count=more, customers=show.number(more)) if more else "")


def budget(plan: Plan, progress: Progress, currency: str | None) -> Budget:
    """What was carried out of the plan against what it may cost."""
    cost = show.total(progress.cost, currency)
    if plan.budget is None:
        return Budget(t("budget.none", count=progress.done, customers=show.number(progress.done), cost=cost), None)
    share = progress.cost / plan.budget if plan.budget > 0 else 0.0
    values = {"budget": show.total(plan.budget, currency), "planned": show.total(plan.cost, currency), "cost": cost}
    return Budget(t("budget", share=show.percent(share), **values), charts.share_bar(share))


def plan_notes(notes: Iterable[str]) -> PlanNotes:
    """The notes of a plan, those about lacking columns in the words of people.

    >>> plan_notes(["win_back_call is left out: there is no column contracts_running"]).left_out
    (LeftOut(action='Win-back call', needs='Running contracts (table subscriptions)'),)
    """
    sentences, left_out = [], []
    for note in notes:
        if found := _LEFT_OUT.fullmatch(note):
            needs = t("list.comma").join(needed(name) for name in found[2].split(", "))
            left_out.append(LeftOut(action_title(found[1]), needs))
        else:
            sentences.append(said(note))
    return PlanNotes(tuple(sentences), tuple(left_out))

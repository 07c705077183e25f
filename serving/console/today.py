"""The page that the day begins with: what is at stake, where, and whom to look at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from decisions.labels import Status, Tier
from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.customers import CustomerLine, FeatureRows, Tag, customer_lines, tag
from serving.console.frame import Frame, Notice
from serving.console.morning import Budget, Changes, Mine, PlanNotes, WentLine, plan_notes
from serving.console.query import OVERDUE, START, CustomerQuery
from serving.console.text import label, t
from serving.console.urls import Urls
from serving.store.records import Plan, PlannedAction, ScoreRow, Summary, TierCount

TOP_CUSTOMERS = 8


@dataclass(frozen=True)
class Figure:
    """One number of the day, what it is made of (`note`) and what it means; `link` leads to whom it counts, where not empty."""

    name: str
    value: str
    note: str
    means: str
    link: str = ""


@dataclass(frozen=True)
class TierLine:
    """One tier without the lost: `polygon` is its slice of the pyramid, `share_bar` its part of all value at risk."""

    tier: Tag
    link: str
    polygon: str
    customers: str
    customer_share: str
    expected: str
    at_risk: str
    share: str
    share_bar: charts.Span


@dataclass(frozen=True)
class ActionLine:
    """One action of the plan: for how many customers, at what cost and expected gain in all."""

    name: str
    link: str
    customers: str
    cost: str
    gain: str


@dataclass(frozen=True)
class Morning:
    """What is new: `changes` is None where no earlier scoring is kept, `budget` None without a plan."""

    changes: Changes | None
    went: tuple[WentLine, ...]
    mine: Mine
    budget: Budget | None


@dataclass(frozen=True)
class Waiting:
    """How many customers have a complaint past its time (None: not known), and the days allowed by tier, the rest last."""

    customers: int | None
    allowed_days: Mapping[str, float]
    otherwise_days: float


@dataclass(frozen=True)
class TodayPage:
    """The day's figures, the tiers from the top down, the plan's actions, and the customers to begin with.

    Those are the first of the plan, or without one those with most value at risk; `top_title` says which.
    """

    frame: Frame
    figures: tuple[Figure, ...]
    tiers: tuple[TierLine, ...]
    actions: tuple[ActionLine, ...]
    plan_notes: PlanNotes
    morning: Morning
    top_title: str
    top: tuple[CustomerLine, ...]
    more: str


def today_page(
    frame: Frame,
    summary: Summary,
    *,
    plan: Plan | None,
    planned: Sequence[PlannedAction],
    top: Sequence[ScoreRow],
    features: FeatureRows,
    morning: Morning,
    waiting: Waiting,
    currency: str | None,
    urls: Urls,
) -> TodayPage:
    """Put the page together; `planned` is the plan by action, `features` are those of the customers in `top`."""
    if plan is None:
        frame = replace(frame, notices=(*frame.notices, Notice(t("notice.no_plan"), t("command.plan"))))
    return TodayPage(
        frame=frame,
        figures=tuple(_figures(summary, plan, waiting, currency, urls)),
        tiers=tuple(_tier_lines(summary, urls)),
        actions=tuple(_action_lines(planned, urls)),
        plan_notes=plan_notes(plan.notes if plan else ()),
        morning=morning,
        top_title=t("today.top.planned" if planned else "today.top.at_risk"),
        top=customer_lines(top, features, urls),
        more=urls.customers(),
    )


def _figures(summary: Summary, plan: Plan | None, waiting: Waiting, currency: str | None, urls: Urls) -> Iterable[Figure]:
    at_risk_share = show.percent(_share(summary.customers_at_risk, summary.customers))
    yield Figure(
        t("figure.value_at_risk"),
        show.total(summary.value_at_risk, currency),
        t("figure.value_at_risk.note", expected=show.total(summary.expected_value, currency)),
        t("figure.value_at_risk.means"),
    )
    yield Figure(
        t("figure.at_risk"),
        show.number(summary.customers_at_risk),
        t("figure.at_risk.note", share=at_risk_share, customers=show.number(summary.customers)),
        t("figure.at_risk.means"),
    )
    yield Figure(
        t("figure.lost"),
        show.number(summary.customers_lost),
        t("figure.lost.note", value=show.total(summary.value_lost, currency)),
        t("figure.lost.means"),
        urls.customers(CustomerQuery(filters=(("status", str(Status.LOST)),)).parameters),
    )
    yield _complaints(summary.complaints_open) if waiting.customers is None else _overdue(summary.complaints_open, waiting, urls)
    yield _plan_figure(plan, currency)


def _share(part: float, whole: float) -> float:
    """A part of the whole, 0 of an empty one."""
    return part / whole if whole > 0 else 0.0


def _complaints(open_now: int | None) -> Figure:
    note = t("figure.complaints.unknown") if open_now is None else t("figure.complaints.note")
    return Figure(t("figure.complaints"), show.number(open_now), note, t("figure.complaints.means"))


def _overdue(open_now: int | None, waiting: Waiting, urls: Urls) -> Figure:
    """Who waits for too long, and by which rule."""
    by_tier = (
        t("figure.overdue.rule", tier=label("value_tier", tier), days=show.measured(days, "days"))
        for tier, days in waiting.allowed_days.items()
    )
    others = t("figure.overdue.others", days=show.measured(waiting.otherwise_days, "days"))
    rule = t("list.comma").join([*by_tier, others])
    note = t("figure.overdue.note", open=show.number(open_now))
    link = urls.customers(CustomerQuery(filters=(("complaint", OVERDUE),)).parameters)
    return Figure(t("figure.overdue"), show.number(waiting.customers), note, t("figure.overdue.means", rule=rule), link)


def _plan_figure(plan: Plan | None, currency: str | None) -> Figure:
    name, means = t("figure.plan"), t("figure.plan.means")
    if plan is None:
        return Figure(name, show.MISSING, t("figure.plan.none"), means)
    cost = show.total(plan.cost, currency)
    actions = t("figure.plan.note", count=plan.customers, actions=show.number(plan.customers), cost=cost)
    return Figure(name, show.total(plan.expected_net_value, currency), actions, means)


def _tier_lines(summary: Summary, urls: Urls) -> Iterable[TierLine]:
    """The tiers from the top of the pyramid down; tiers of another policy follow, customers without one come last."""
    ranks = {str(tier): rank for rank, tier in enumerate(Tier)}
    tiers = sorted(summary.tiers, key=lambda tier: (tier.value_tier is None, ranks.get(str(tier.value_tier), len(ranks))))
    decimals = show.money_decimals(tier.expected_value for tier in tiers)
    for tier, polygon in zip(tiers, charts.pyramid_slices(len(tiers)), strict=True):
        yield _tier_line(tier, polygon, summary, decimals, urls)


def _tier_line(tier: TierCount, polygon: str, summary: Summary, decimals: int, urls: Urls) -> TierLine:
    share = _share(tier.value_at_risk, summary.value_at_risk)
    query = replace(START, filters=((("value_tier", tier.value_tier),) if tier.value_tier else ()) + START.filters)
    return TierLine(
        tier=tag("value_tier", tier.value_tier),
        link=urls.customers(query.parameters),
        polygon=polygon,
        customers=show.number(tier.customers),
        customer_share=show.percent(_share(tier.customers, summary.customers)),
        expected=show.money(tier.expected_value, decimals),
        at_risk=show.money(tier.value_at_risk, decimals),
        share=show.percent(share),
        share_bar=charts.share_bar(share),
    )


def _action_lines(planned: Sequence[PlannedAction], urls: Urls) -> Iterable[ActionLine]:
    decimals = show.money_decimals(amount for action in planned for amount in (action.cost, action.expected_net_value))
    for action in planned:
        yield ActionLine(
            name=action_title(action.action, action.title),
            link=urls.customers(CustomerQuery(filters=(("action", action.action),)).parameters),
            customers=show.number(action.customers),
            cost=show.money(action.cost, decimals),
            gain=show.money(action.expected_net_value, decimals),
        )

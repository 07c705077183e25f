"""The page of the plan: what was planned, how far it is, who does what, and what another budget would bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from decisions.policy import Policy
from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.frame import Frame, Notice
from serving.console.plan_query import NOBODY, PAGE_SIZE, PlanQuery, parameters_of
from serving.console.plan_trial import DraftCard, Figure, LimitField, Trial, draft_card, limit_fields
from serving.console.sentences import in_words, said
from serving.console.text import label, t
from serving.console.urls import Urls
from serving.store.plan_work import CONTROLS, STANDINGS, Progress, Share
from serving.store.records import Plan, PlanItem, PlannedAction, ScoreRow


@dataclass(frozen=True)
class ShareLine:
    """One channel or one person: to do, taken on, left alone as controls, cost and expected gain."""

    name: str
    link: str
    customers: str
    taken: str
    controls: str
    cost: str
    gain: str


@dataclass(frozen=True)
class ItemLine:
    """One action to do. `pick` is the field that chooses it for somebody, empty where it cannot be assigned."""

    link: str
    title: str
    customer_id: str
    action: str
    channel: str
    standing: str
    cost: str
    gain: str
    reason: str
    pick: str


@dataclass(frozen=True)
class Menu:
    """A filter of the list: its parameter, label, and entries (value, name, chosen)."""

    parameter: str
    name: str
    choices: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class PlanPage:
    """`made` tells when the plan was made, `approved` by whom it is approved ("" by nobody); `waits` that a draft is being made.

    `done` and `refused` say what came of the form that was sent last.
    `fields` go with `draft`, and are empty for who may not plan; `list` is the query of the list, which forms carry along.
    """

    frame: Frame
    done: str
    refused: str
    made: str
    approved: str
    figures: tuple[Figure, ...]
    channels: tuple[ShareLine, ...]
    people: tuple[ShareLine, ...]
    notes: tuple[str, ...]
    fields: tuple[LimitField, ...]
    wanted: tuple[tuple[str, str], ...]
    draft: DraftCard | None
    waits: bool
    menus: tuple[Menu, ...]
    lines: tuple[ItemLine, ...]
    range_text: str
    previous: str
    next: str
    export: str
    list: str
    may_plan: bool
    persons: tuple[str, ...]
    plan_id: int | None

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to show."""
        return self.plan_id is not None


@dataclass(frozen=True)
class Known:
    """What the store tells of a plan: its parts, how far it is, its actions, and a page of its items with who they are for."""

    plan: Plan
    shares: Sequence[Share]
    progress: Progress
    actions: Sequence[PlannedAction]
    items: Sequence[PlanItem]
    total: int
    rows: Mapping[str, ScoreRow]
    steps: Mapping[str, str]


def plan_page(
    frame: Frame,
    known: Known | None,
    query: PlanQuery,
    trial: Trial | None,
    *,
    policy: Policy,
    persons: Sequence[str],
    currency: str | None,
    urls: Urls,
    done: str = "",
    refused: str = "",
) -> PlanPage:
    """Put the page together; `known` is None while there is no plan, `trial` None for who may not make one."""
    plan = known.plan if known else None
    last = query.offset + len(known.items) if known else 0
    return PlanPage(
        frame=frame if known else _without_plan(frame),
        done=done,
        refused=refused,
        made=_made(plan) if plan else "",
        approved=_approved(plan) if plan else "",
        figures=tuple(_figures(known, currency)) if known else (),
        channels=tuple(_by_channel(known.shares, query, urls)) if known else (),
        people=tuple(_by_person(known.shares, query, urls)) if known else (),
        notes=tuple(map(said, plan.notes)) if plan else (),
        fields=limit_fields(trial, plan, policy, known.shares if known else ()) if trial else (),
        wanted=tuple(parameters_of(trial.wanted).items()) if trial else (),
        draft=draft_card(trial.draft, currency) if trial and trial.draft else None,
        waits=trial is not None and trial.waits,
        menus=tuple(_menus(known, query)) if known else (),
        lines=tuple(_lines(known, urls, may_plan=trial is not None)) if known else (),
        range_text=_range_text(query.offset + 1, last, known.total) if known and known.items else t("plan.items.none"),
        previous=urls.plan(query.at_page(query.page - 1).parameters) if query.page > 1 else "",
        next=urls.plan(query.at_page(query.page + 1).parameters) if known and last < known.total else "",
        export="" if query.standing == CONTROLS else urls.plan_csv(query.at_page(1).parameters),
        list=urlencode(query.parameters),
        may_plan=trial is not None,
        persons=tuple(persons),
        plan_id=plan.id if plan else None,
    )


def _without_plan(frame: Frame) -> Frame:
    """The frame of a page that can only say how a plan is made."""
    return replace(frame, notices=(*frame.notices, Notice(t("notice.no_plan"), t("command.plan"))))


def _made(plan: Plan) -> str:
    return t("plan.made", when=_instant(plan.made_at), as_of=show.day(plan.as_of))


def _approved(plan: Plan) -> str:
    return t("plan.approved", when=_instant(plan.approved_at), who=plan.approved_by) if plan.approved_at else ""


def _instant(at: datetime) -> str:
    return show.day(at.date())


def _figures(known: Known, currency: str | None) -> Iterable[Figure]:
    """Planned, taken on, done, answered, and what it has cost."""
    plan, progress = known.plan, known.progress
    to_do = [share for share in known.shares if not share.control]
    planned, taken = sum(share.customers for share in to_do), sum(share.taken for share in to_do)
    controls = sum(share.customers for share in known.shares if share.control)
    yield Figure(
        t("plan.planned"),
        show.number(planned),
        t("plan.planned.note", controls=show.number(controls), gain=show.total(plan.expected_net_value, currency)),
    )
    yield _part(t("plan.taken"), taken, planned)
    yield _part(t("plan.done"), progress.done, planned)
    answers = t("plan.answers.note", declined=show.number(progress.declined))
    yield Figure(t("plan.answers"), show.number(progress.accepted), answers, _bar(progress.accepted, progress.done))
    budget = plan.cost if plan.budget is None else plan.budget
    of = t("plan.spent.planned" if plan.budget is None else "plan.spent.budget", amount=show.total(budget, currency))
    yield Figure(t("plan.spent"), show.total(progress.cost, currency), of, _bar(progress.cost, budget))


def _part(name: str, part: int, whole: int) -> Figure:
    share = show.percent(part / whole) if whole else show.MISSING
    return Figure(name, show.number(part), t("plan.part", share=share), _bar(part, whole))


def _bar(part: float, whole: float) -> charts.Span:
    return charts.share_bar(part / whole if whole > 0 else 0.0)


def _by_channel(shares: Sequence[Share], query: PlanQuery, urls: Urls) -> Iterable[ShareLine]:
    for channel in sorted({share.channel or "" for share in shares}):
        link = urls.plan(replace(query, channel=channel, page=1).parameters) if channel else ""
        name = label("channel", channel) if channel else t("plan.no_channel")
        yield _share_line(name, link, [share for share in shares if (share.channel or "") == channel])


def _by_person(shares: Sequence[Share], query: PlanQuery, urls: Urls) -> Iterable[ShareLine]:
    """Who has what, or is meant to; what is meant for nobody comes last."""
    for person in sorted({share.person or "" for share in shares if not share.control}, key=lambda name: (name == "", name)):
        link = urls.plan(replace(query, person=person or NOBODY, page=1).parameters)
        theirs = [share for share in shares if (share.person or "") == person and not share.control]
        yield _share_line(person or t("plan.nobody"), link, theirs)


def _share_line(name: str, link: str, shares: Sequence[Share]) -> ShareLine:
    to_do = [share for share in shares if not share.control]
    cost, gain = (sum(getattr(share, field) for share in to_do) for field in ("cost", "expected_net_value"))
    decimals = show.money_decimals([cost, gain])
    return ShareLine(
        name=name,
        link=link,
        customers=show.number(sum(share.customers for share in to_do)),
        taken=show.number(sum(share.taken for share in to_do)),
        controls=show.number(sum(share.customers for share in shares if share.control)),
        cost=show.money(cost, decimals),
        gain=show.money(gain, decimals),
    )


def _menus(known: Known, query: PlanQuery) -> Iterable[Menu]:
    channels = {share.channel: label("channel", share.channel) for share in known.shares if share.channel}
    people = {share.person: share.person for share in known.shares if share.person and not share.control}
    choices: Mapping[str, Mapping[str, str]] = {
        "channel": channels,
        "action": {action.action: action_title(action.action, action.title) for action in known.actions},
        "person": {NOBODY: t("plan.nobody"), **people},
        "standing": {standing: t(f"plan.standing.{standing}") for standing in STANDINGS},
    }
    for name, offered in choices.items():
        chosen = getattr(query, name)
        named = {"": t("filter.all"), **offered, **({} if not chosen or chosen in offered else {chosen: chosen})}
        yield Menu(name, t(f"plan.filter.{name}"), tuple((value, shown, value == chosen) for value, shown in named.items()))


def _lines(known: Known, urls: Urls, *, may_plan: bool) -> Iterable[ItemLine]:
    decimals = show.money_decimals(amount for item in known.items for amount in (item.cost, item.expected_net_value))
    for item in known.items:
        row, control = known.rows.get(item.customer_id), item.arm == "control"
        name = row.name if row else None
        assignable = may_plan and not control and item.taken_by is None
        yield ItemLine(
            link=urls.customer(item.customer_id),
            title=name or item.customer_id,
            customer_id=item.customer_id if name else "",
            action=action_title(item.action, item.title),
            channel=label("channel", item.channel) if item.channel else "",
            standing=_standing(item, known.steps.get(item.customer_id, ""), control=control),
            cost=show.MISSING if control else show.money(item.cost, decimals),
            gain=show.MISSING if control else show.money(item.expected_net_value, decimals),
            reason=in_words(item.reason or ""),
            pick=f"pick.{item.customer_id}" if assignable else "",
        )


def _standing(item: PlanItem, step: str, *, control: bool) -> str:
    if control:
        return t("plan.item.control")
    if step:
        return t(f"step.{step}")
    if item.taken_by is not None:
        return t("plan.item.taken", who=item.taken_by)
    return t("plan.item.assigned", who=item.assigned_to) if item.assigned_to else t("plan.item.free")


def _range_text(first: int, last: int, total: int) -> str:
    return t(
        "customers.range", first=show.number(first), last=show.number(min(last, first + PAGE_SIZE - 1)), total=show.number(total)
    )

"""The page of the day."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from serving.console.frame import frame
from serving.console.morning import MOST_MINE, Mine, budget, changes, mine, went
from serving.console.today import TOP_CUSTOMERS, Morning, Waiting, today_page
from serving.console.views.context import Context, features_of, visitor_of
from serving.console.views.customers import at_risk_first
from serving.store.reading import Reader
from serving.store.records import Load, Plan, ScoreRow


def today(console: Context, request: Request) -> Response:
    """What matters this morning."""
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="today")
    plan = store.plan(load)
    top = _top(store, load, plan)
    page = today_page(
        frame(load, console.today()),
        console.facts.summary(console.store(), load),
        plan=plan,
        planned=store.planned_actions(plan) if plan else (),
        top=top,
        features=features_of(store, load, top),
        morning=_morning(console, request, store, load, plan),
        waiting=_waiting(console, load),
        currency=load.currency,
        urls=console.renderer.urls(request),
    )
    return console.renderer.answer(request, "today.html", page, here="today")


DAY = timedelta(days=1)


def _morning(console: Context, request: Request, store: Reader, load: Load, plan: Plan | None) -> Morning:
    urls, work, today = console.renderer.urls(request), console.store().work, console.today()
    flows, before = console.facts.flows(console.store(), load)
    return Morning(
        changes=changes(flows, before, urls),
        went=went(
            work.counts(load.company, since=today - DAY, until=today - DAY),
            work.counts(load.company, since=today - 6 * DAY, until=today),
        ),
        mine=_mine(console, request, store, load, plan),
        budget=budget(plan, console.store().plan_work.progress(plan, load.company), load.currency) if plan else None,
    )


def _mine(console: Context, request: Request, store: Reader, load: Load, plan: Plan | None) -> Mine:
    taken = console.store().day.taken(plan, load.company, visitor_of(request).name) if plan else ()
    rows = store.customers_by_id(load, [each.customer_id for each in taken[:MOST_MINE]])
    return mine(taken, rows, console.renderer.urls(request))


def _waiting(console: Context, load: Load) -> Waiting:
    """How many customers wait for too long, and by which rule."""
    late, patience = console.overdue(load), console.patience
    return Waiting(None if late is None else len(late), dict(patience.by_tier), patience.otherwise)


def _top(store: Reader, load: Load, plan: Plan | None) -> list[ScoreRow]:
    """The first customers of the plan, or without one those with most value at risk among all who are not lost."""
    items = store.plan_items(plan, limit=TOP_CUSTOMERS) if plan else ()
    if not items:
        return at_risk_first(store, load, TOP_CUSTOMERS)
    rows = store.customers_by_id(load, [item.customer_id for item in items])
    return [rows[item.customer_id] for item in items if item.customer_id in rows]

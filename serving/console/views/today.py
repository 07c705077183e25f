"""The page of the day."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving.console.frame import frame
from serving.console.today import TOP_CUSTOMERS, today_page
from serving.console.views.context import Context, features_of
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
        console.facts.summary(store, load),
        plan=plan,
        planned=store.planned_actions(plan) if plan else (),
        top=top,
        features=features_of(store, load, top),
        currency=load.currency,
        urls=console.renderer.urls(request),
    )
    return console.renderer.answer(request, "today.html", page, here="today")


def _top(store: Reader, load: Load, plan: Plan | None) -> list[ScoreRow]:
    """The first customers of the plan, or without one those with most value at risk among all who are not lost."""
    items = store.plan_items(plan, limit=TOP_CUSTOMERS) if plan else ()
    if not items:
        return at_risk_first(store, load, TOP_CUSTOMERS)
    rows = store.customers_by_id(load, [item.customer_id for item in items])
    return [rows[item.customer_id] for item in items if item.customer_id in rows]

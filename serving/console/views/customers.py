"""The list of customers, as a page and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from decisions.labels import SCHEMES, Status
from serving.console.actions import action_title
from serving.console.customers import customers_page
from serving.console.export import csv_lines
from serving.console.frame import frame
from serving.console.query import ALL_BUT_LOST, FILTERS, PAGE_SIZE, START, CustomerQuery
from serving.console.text import label
from serving.console.views.context import Context, features_of
from serving.store.reading import Reader
from serving.store.records import CustomerFilter, Load, ScoreRow

_EXPORT_CHUNK = 5_000


def customers(console: Context, request: Request) -> Response:
    """The list, as the URL asks for it."""
    query = CustomerQuery.read(request.query_params)
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers")
    found = store.customers(
        load, _chosen(query), sort=query.sort, descending=query.descending, offset=query.offset, limit=PAGE_SIZE
    )
    page = customers_page(
        frame(load, console.today()),
        query,
        found,
        features=features_of(store, load, found.rows),
        choices=_choices(console, store, load),
        urls=console.renderer.urls(request),
    )
    return console.renderer.answer(request, "customers.html", page, here="customers")


def customers_csv(console: Context, request: Request) -> Response:
    """The whole list, as the URL asks for it, as a file."""
    query = CustomerQuery.read(request.query_params)
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers", status=404)
    name = f"customers-{load.as_of.isoformat()}.csv"
    return StreamingResponse(
        csv_lines(_all_rows(store, load, query)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def at_risk_first(store: Reader, load: Load, limit: int) -> list[ScoreRow]:
    """The customers with most value at risk among all who are not lost."""
    return list(store.customers(load, _chosen(START), limit=limit).rows)


def _choices(console: Context, store: Reader, load: Load) -> dict[str, dict[str, str]]:
    """What each filter offers, value to shown name: words that somebody has in their scheme's order, the plan's actions."""
    plan = store.plan(load)
    actions = store.planned_actions(plan) if plan else ()
    choices = {"action": {action.action: action_title(action.action, action.title) for action in actions}}
    words = [name for name in FILTERS if name != "action"]
    for name, met in console.facts.choices(store, load, *words).items():
        order = {str(word): rank for rank, word in enumerate(SCHEMES[name])}
        values = sorted(met, key=lambda value: order.get(value, len(order)))
        choices[name] = {value: label(name, value) for value in values}
    return choices


def _chosen(query: CustomerQuery) -> CustomerFilter:
    """What the store is to let through."""
    wanted = dict(query.filters)
    chosen = CustomerFilter(
        search=query.search or None,
        value_tier=wanted.get("value_tier"),
        status=wanted.get("status"),
        quadrant=wanted.get("quadrant"),
        action=wanted.get("action"),
    )
    return replace(chosen, status=None, but_status=str(Status.LOST)) if chosen.status == ALL_BUT_LOST else chosen


def _all_rows(store: Reader, load: Load, query: CustomerQuery) -> Iterator[ScoreRow]:
    ids = store.customer_ids(load, _chosen(query), sort=query.sort, descending=query.descending)
    for start in range(0, len(ids), _EXPORT_CHUNK):
        some = ids[start : start + _EXPORT_CHUNK]
        rows = store.customers_by_id(load, some)
        yield from (rows[customer_id] for customer_id in some if customer_id in rows)

"""The console as one ASGI application: which page answers which path, and what it asks of the store.

The views are plain functions, which Starlette runs in threads: a slow query never holds up the service around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from decisions.labels import SCHEMES, Status
from keepwell.errors import KeepwellError, RequestError, StoreError
from serving.console.actions import action_title
from serving.console.customer import customer_page
from serving.console.customers import FeatureRows, customers_page
from serving.console.export import csv_lines
from serving.console.frame import frame
from serving.console.headers import SafeHeaders
from serving.console.language import ChooseLanguage
from serving.console.message import empty_page, error_page, no_customer_page, status_page
from serving.console.query import ALL_BUT_LOST, FILTERS, PAGE_SIZE, START, CustomerQuery
from serving.console.render import STATIC, Renderer
from serving.console.text import label
from serving.console.today import TOP_CUSTOMERS, today_page
from serving.store.reading import Reader
from serving.store.records import CustomerFilter, Load, Plan, ScoreRow

_EXPORT_CHUNK = 5_000


def console_app(
    store: Callable[[], Reader], *, today: Callable[[], date], company: str | None = None, horizon_days: int | None = None
) -> ASGIApp:
    """The console, to be mounted anywhere.

    `store` hands out the store to read, `today` the date by which scores count as stale. `company` and `horizon_days`
    choose the scores to show; None: those loaded last.
    """
    console = Console(store, today, company, horizon_days, Renderer(), LoadFacts())
    routes = [
        Route("/", console.today),
        Route("/customers", console.customers),
        Route("/customers.csv", console.customers_csv),
        Route("/customers/one", console.customer),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    handlers = {HTTPException: console.refused, KeepwellError: console.failed, Exception: console.broken}
    # Outermost, so that the page of an unforeseen error is kept as safe as the others.
    return SafeHeaders(ChooseLanguage(Starlette(routes=routes, exception_handlers=handlers)))


class LoadFacts:
    """What takes a pass over all customers, worked out once per load: a load never changes."""

    def __init__(self) -> None:
        self.summary = lru_cache(maxsize=8)(Reader.summary)
        self.choices = lru_cache(maxsize=8)(Reader.choices)


@dataclass(frozen=True)
class Console:
    """The views; see `console_app` for the fields."""

    store: Callable[[], Reader]
    clock: Callable[[], date]
    company: str | None
    horizon_days: int | None
    renderer: Renderer
    facts: LoadFacts

    def today(self, request: Request) -> Response:
        """What matters this morning."""
        store, load = self._open()
        if load is None:
            return self.renderer.answer(request, "message.html", empty_page(), here="today")
        plan = store.plan(load)
        top = _top(store, load, plan)
        page = today_page(
            frame(load, self.clock()),
            self.facts.summary(store, load),
            plan=plan,
            planned=store.planned_actions(plan) if plan else (),
            top=top,
            features=_features(store, load, top),
            currency=load.currency,
            urls=self.renderer.urls(request),
        )
        return self.renderer.answer(request, "today.html", page, here="today")

    def customers(self, request: Request) -> Response:
        """The list, as the URL asks for it."""
        query = CustomerQuery.read(request.query_params)
        store, load = self._open()
        if load is None:
            return self.renderer.answer(request, "message.html", empty_page(), here="customers")
        found = store.customers(
            load, _chosen(query), sort=query.sort, descending=query.descending, offset=query.offset, limit=PAGE_SIZE
        )
        page = customers_page(
            frame(load, self.clock()),
            query,
            found,
            features=_features(store, load, found.rows),
            choices=self._choices(store, load),
            urls=self.renderer.urls(request),
        )
        return self.renderer.answer(request, "customers.html", page, here="customers")

    def customers_csv(self, request: Request) -> Response:
        """The whole list, as the URL asks for it, as a file."""
        query = CustomerQuery.read(request.query_params)
        store, load = self._open()
        if load is None:
            return self.renderer.answer(request, "message.html", empty_page(), here="customers", status=404)
        name = f"customers-{load.as_of.isoformat()}.csv"
        return StreamingResponse(
            csv_lines(_all_rows(store, load, query)),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    def customer(self, request: Request) -> Response:
        """One customer's page."""
        store, load = self._open()
        if load is None:
            return self.renderer.answer(request, "message.html", empty_page(), here="customers")
        customer_id = request.query_params.get("id", "")
        row = store.customer(load, customer_id)
        if row is None:
            return self.renderer.answer(request, "message.html", no_customer_page(customer_id), here="customers", status=404)
        plan = store.plan(load)
        page = customer_page(
            frame(load, self.clock()),
            load,
            row,
            features=store.features(load, customer_id) or {},
            events=store.timeline(load, customer_id),
            item=store.plan_item(plan, customer_id) if plan else None,
        )
        return self.renderer.answer(request, "customer.html", page, here="customers")

    def refused(self, request: Request, error: Exception) -> Response:
        """A path or method that does not exist."""
        assert isinstance(error, HTTPException)
        return self.renderer.answer(request, "message.html", status_page(error.status_code), status=error.status_code)

    def failed(self, request: Request, error: Exception) -> Response:
        """An error of our own, with its way out; a store that cannot be read may well be back soon."""
        assert isinstance(error, KeepwellError)
        status = error.status if isinstance(error, RequestError) else 503 if isinstance(error, StoreError) else 500
        return self.renderer.answer(request, "message.html", error_page(error, status), status=status)

    def broken(self, request: Request, _error: Exception) -> Response:
        """A bug of ours: the page says no more than that; the server's log has the rest."""
        return self.renderer.answer(request, "message.html", status_page(500), status=500)

    def _open(self) -> tuple[Reader, Load | None]:
        """The store and the load that this request shows from top to bottom."""
        store = self.store()
        return store, store.current_load(self.company, self.horizon_days)

    def _choices(self, store: Reader, load: Load) -> dict[str, dict[str, str]]:
        """What each filter offers, value to shown name: words that somebody has in their scheme's order, the plan's actions."""
        plan = store.plan(load)
        actions = store.planned_actions(plan) if plan else ()
        choices = {"action": {action.action: action_title(action.action, action.title) for action in actions}}
        words = [name for name in FILTERS if name != "action"]
        for name, met in self.facts.choices(store, load, *words).items():
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


def _top(store: Reader, load: Load, plan: Plan | None) -> list[ScoreRow]:
    """The first customers of the plan, or without one those with most value at risk among all who are not lost."""
    items = store.plan_items(plan, limit=TOP_CUSTOMERS) if plan else ()
    if not items:
        return list(store.customers(load, _chosen(START), limit=TOP_CUSTOMERS).rows)
    rows = store.customers_by_id(load, [item.customer_id for item in items])
    return [rows[item.customer_id] for item in items if item.customer_id in rows]


def _features(store: Reader, load: Load, rows: Sequence[ScoreRow]) -> FeatureRows:
    return store.features_by_id(load, [row.customer_id for row in rows])


def _all_rows(store: Reader, load: Load, query: CustomerQuery) -> Iterator[ScoreRow]:
    ids = store.customer_ids(load, _chosen(query), sort=query.sort, descending=query.descending)
    for start in range(0, len(ids), _EXPORT_CHUNK):
        some = ids[start : start + _EXPORT_CHUNK]
        rows = store.customers_by_id(load, some)
        yield from (rows[customer_id] for customer_id in some if customer_id in rows)

"""The list of customers, as a page and as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.background import BackgroundTask
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from decisions.labels import SCHEMES, Status
from keepwell.errors import RequestError
from serving.console.actions import action_title
from serving.console.customers import customers_page
from serving.console.export import MOST_IN_WORKBOOK, csv_lines, write_workbook
from serving.console.frame import frame
from serving.console.query import ALL_BUT_LOST, OPEN, OVERDUE, PAGE_SIZE, CustomerQuery
from serving.console.text import label, t
from serving.console.views.context import Context, features_of, visitor_of
from serving.console.views.views import NAME, REFUSED
from serving.store.listing import WORDS
from serving.store.reading import Reader
from serving.store.records import CustomerFilter, Load, ScoreRow

_EXPORT_CHUNK = 5_000
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def customers(console: Context, request: Request) -> Response:
    """The list, as the URL asks for it."""
    query = CustomerQuery.read(_asked(request.query_params))
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers")
    chosen = _chosen(console, load, query)
    found = store.customers(load, chosen, sort=query.sort, descending=query.descending, offset=query.offset, limit=PAGE_SIZE)
    page = customers_page(
        frame(load, console.today()),
        query,
        found,
        features=features_of(store, load, found.rows),
        choices=_choices(console, store, load),
        views=console.store().views.of(load.company, visitor_of(request).name),
        urls=console.renderer.urls(request),
        view_name=request.query_params.get(NAME, ""),
        view_refused=request.query_params.get(REFUSED, ""),
    )
    return console.renderer.answer(request, "customers.html", page, here="customers")


def customers_csv(console: Context, request: Request) -> Response:
    """The whole list, as the URL asks for it, as a file."""
    query = CustomerQuery.read(_asked(request.query_params))
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers", status=404)
    name = f"customers-{load.as_of.isoformat()}.csv"
    return StreamingResponse(
        csv_lines(_all_rows(console, store, load, query)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def customers_xlsx(console: Context, request: Request) -> Response:
    """The same as an Excel workbook; RequestError for a list that is too long for one."""
    query = CustomerQuery.read(_asked(request.query_params))
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers", status=404)
    if store.customers(load, _chosen(console, load, query), limit=0).total > MOST_IN_WORKBOOK:
        hint = "take the CSV file, or narrow the list down with its filters"
        raise RequestError(f"a workbook holds at most {MOST_IN_WORKBOOK:,} customers", hint=hint, status=413)
    folder = TemporaryDirectory(prefix="keepwell-")
    path = Path(folder.name) / f"customers-{load.as_of.isoformat()}.xlsx"
    write_workbook(_all_rows(console, store, load, query), path)
    return FileResponse(path, media_type=_WORKBOOK, filename=path.name, background=BackgroundTask(folder.cleanup))


def at_risk_first(store: Reader, load: Load, limit: int) -> list[ScoreRow]:
    """The customers with most value at risk among all who are not lost."""
    return list(store.customers(load, CustomerFilter(but_status=str(Status.LOST)), limit=limit).rows)


def _choices(console: Context, store: Reader, load: Load) -> dict[str, dict[str, str]]:
    """What each filter offers, value to shown name: words that somebody has in their scheme's order, the plan's actions."""
    plan = store.plan(load)
    actions = store.planned_actions(plan) if plan else ()
    choices = {"action": {action.action: action_title(action.action, action.title) for action in actions}}
    states = (OPEN,) if console.overdue(load) is None else (OPEN, OVERDUE)
    choices["complaint"] = {state: t(f"filter.complaint.{state}") for state in states}
    for name, met in console.facts.choices(console.store(), load, *WORDS).items():
        order = {str(word): rank for rank, word in enumerate(SCHEMES.get(name, ()))}
        values = sorted(met, key=lambda value: order.get(value, len(order)))
        choices[name] = {value: value if name == "owner" else label(name, value) for value in values}
    return choices


def _asked(parameters: QueryParams) -> dict[str, str]:
    """The parameters of an address; a form sends the columns that are ticked one by one."""
    ticked = parameters.getlist("column")
    return {**parameters, **({"columns": ",".join(ticked)} if ticked else {})}


def _chosen(console: Context, load: Load, query: CustomerQuery) -> CustomerFilter:
    """What the store is to let through; where nobody can tell whose complaint is past its time, nobody's is."""
    wanted = dict(query.filters)
    owner = wanted.pop("owner", None)
    late = console.overdue(load) or () if wanted.get("complaint") == OVERDUE else None
    words: dict[str, Any] = {name: wanted.get(name) for name in (*WORDS, "action")}
    chosen = CustomerFilter(
        search=query.search or None,
        **words,
        owners=None if owner is None else _owners(owner, console.facts.choices(console.store(), load, *WORDS)["owner"]),
        account_id=wanted.get("account"),
        churn_from=_share(query.number("churn_from")),
        churn_to=_share(query.number("churn_to")),
        value_from=query.number("value_from"),
        value_to=query.number("value_to"),
        with_open_complaint=wanted.get("complaint") == OPEN,
        among=late,
    )
    return replace(chosen, status=None, but_status=str(Status.LOST)) if chosen.status == ALL_BUT_LOST else chosen


def _owners(written: str, known: Sequence[str]) -> tuple[str, ...]:
    """The owner of this name, or else all whose names contain what was written, in large or small letters.

    >>> _owners("lena", ["Lena", "Helena", "Bob"]), _owners("Lena", ["Lena", "Helena", "Bob"])
    (('Lena', 'Helena'), ('Lena',))
    """
    return (written,) if written in known else tuple(name for name in known if written.casefold() in name.casefold())


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _all_rows(console: Context, store: Reader, load: Load, query: CustomerQuery) -> Iterator[ScoreRow]:
    ids = store.customer_ids(load, _chosen(console, load, query), sort=query.sort, descending=query.descending)
    for start in range(0, len(ids), _EXPORT_CHUNK):
        some = ids[start : start + _EXPORT_CHUNK]
        rows = store.customers_by_id(load, some)
        yield from (rows[customer_id] for customer_id in some if customer_id in rows)

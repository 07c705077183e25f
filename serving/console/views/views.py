"""Saving a view of the list of customers, and forgetting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import RequestError
from serving.console.query import CustomerQuery
from serving.console.views.context import Context, visitor_of
from serving.store.views import MOST_VIEWS, SavedView

REFUSED, NAME = "refused", "view"
"""What the address of the list says of a view that was not saved: why, and the name that was given."""

LONGEST_NAME, LONGEST_QUERY = 100, 4_000
"""Characters."""


def act(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Save the list that the form describes under a name, or forget the view of this name; then show the list.

    Where it cannot be saved the page says why, and the name stays in its field.
    """
    _, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers", status=404)
    views, who, name = console.store().views, visitor_of(request).name, form.get("name", "").strip()
    parameters = _parameters(form.get("query", ""))
    if form.get("do") == "forget":
        views.forget(load.company, who, name)
    elif refused := _refusal(name, [view.name for view in views.of(load.company, who)]):
        parameters = {**parameters, REFUSED: refused, NAME: name[: 2 * LONGEST_NAME]}
    else:
        views.save(load.company, who, SavedView(name, urlencode(parameters)), at=console.now())
    return RedirectResponse(console.renderer.urls(request).customers(parameters), status_code=303)


def _refusal(name: str, saved: Sequence[str]) -> str:
    """Why a view of this name cannot be saved beside those that are: a word of the texts views.refused.*, empty where it can."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return "name"
    return "many" if len(saved) >= MOST_VIEWS and name not in saved else ""


def _parameters(query: str) -> dict[str, str]:
    """What the list was asked for, checked, and from its first page on."""
    if len(query) > LONGEST_QUERY:
        raise RequestError("the view is too long to be saved", hint="search for a shorter text", field="query")
    return CustomerQuery.read(dict(parse_qsl(query))).at_page(1).parameters

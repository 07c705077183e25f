"""Saving a view of the list of customers, and forgetting it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import RequestError, StoreError
from serving.console.query import CustomerQuery
from serving.console.views.context import Context, visitor_of
from serving.store.views import SavedView

LONGEST_NAME, LONGEST_QUERY = 100, 4_000
"""Characters."""


def act(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Save the list that the form describes under a name, or forget the view of this name; then show the list."""
    _, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers", status=404)
    views, who, name = console.store().views, visitor_of(request).name, form.get("name", "").strip()
    parameters = _parameters(form.get("query", ""))
    if form.get("do") == "forget":
        views.forget(load.company, who, name)
    else:
        view = SavedView(_checked(name), urlencode(parameters))
        try:
            views.save(load.company, who, view, at=console.now())
        except StoreError as error:
            raise RequestError(error.message, hint=error.hint, status=409) from None
    return RedirectResponse(console.renderer.urls(request).customers(parameters), status_code=303)


def _checked(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise RequestError(
            "the name of a view cannot be empty or too long", hint=f"use 1 to {LONGEST_NAME} characters", field="name"
        )
    return name


def _parameters(query: str) -> dict[str, str]:
    """What the list was asked for, checked, and from its first page on."""
    if len(query) > LONGEST_QUERY:
        raise RequestError("the view is too long to be saved", hint="search for a shorter text", field="query")
    return CustomerQuery.read(dict(parse_qsl(query))).at_page(1).parameters

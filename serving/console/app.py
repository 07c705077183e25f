"""The console as one ASGI application: which page answers which path.

The views are plain functions, which Starlette runs in threads: a slow query never holds up the service around them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from keepwell.errors import KeepwellError
from serving.console.headers import SafeHeaders
from serving.console.language import ChooseLanguage
from serving.console.render import STATIC
from serving.console.views import customer, customers, failures
from serving.console.views import today as today_view
from serving.console.views.context import Context
from serving.store.reading import Reader

VIEWS = {
    "/": today_view.today,
    "/customers": customers.customers,
    "/customers.csv": customers.customers_csv,
    "/customers/one": customer.customer,
}
"""Path -> the view that answers it."""


def console_app(
    store: Callable[[], Reader], *, today: Callable[[], date], company: str | None = None, horizon_days: int | None = None
) -> ASGIApp:
    """The console, to be mounted anywhere.

    `store` hands out the store to read, `today` the date by which scores count as stale. `company` and `horizon_days`
    choose the scores to show; None: those loaded last.
    """
    console = Context(store, today, company, horizon_days)
    routes = [Route(path, partial(view, console)) for path, view in VIEWS.items()]
    failing = {HTTPException: failures.refused, KeepwellError: failures.failed, Exception: failures.broken}
    handlers = {error: partial(view, console) for error, view in failing.items()}
    app = Starlette(routes=[*routes, Mount("/static", StaticFiles(directory=STATIC))], exception_handlers=handlers)
    # Outermost, so that the page of an unforeseen error is kept as safe as the others.
    return SafeHeaders(ChooseLanguage(app))

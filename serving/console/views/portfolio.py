"""The page of all customers together."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from decisions.reviews.figures import Between
from serving.console.frame import frame
from serving.console.message import MessagePage
from serving.console.portfolio import portfolio_page
from serving.console.text import t
from serving.console.views.context import Context
from serving.portfolio import load_before
from serving.portfolio import portfolio as figures_of
from serving.store.records import Load

SOON_S, AGAIN_S = 3.0, 3
"""The first who asks for a load's figures waits so long for them; after that a page that asks again every so many seconds."""


def portfolio(console: Context, request: Request) -> Response:
    """All customers together, as the scores see them; worked out once for each load, beside the requests."""
    store = console.store()
    _, load = console.open(request)
    if load is None:
        return console.empty(request, here="portfolio")
    before = load_before(store, load)
    key = ("portfolio", load.id, before.id if before else None)
    errand = console.background.ask(key, lambda: figures_of(store, load), wait_s=SOON_S)
    if not errand.done():
        waiting = MessagePage(t("portfolio.wait"), t("portfolio.wait.text"), t("wait.hint"))
        answer = console.renderer.answer(request, "message.html", waiting, here="portfolio")
        answer.headers["refresh"] = str(AGAIN_S)
        return answer
    page = portfolio_page(
        frame(load, console.today()),
        errand.result(),
        total=_total(console, load),
        currency=load.currency,
        urls=console.renderer.urls(request),
    )
    return console.renderer.answer(request, "portfolio.html", page, here="portfolio")


def _total(console: Context, load: Load) -> Between | None:
    """The forecast with its interval, where a review was made of this very scoring."""
    if console.reviews is None:
        return None
    for name in console.reviews.names(load.company):
        forecast = console.reviews.read(load.company, name).forecast
        if forecast is not None and (forecast.as_of, forecast.horizon_days) == (load.as_of, load.horizon_days):
            return forecast.total
    return None

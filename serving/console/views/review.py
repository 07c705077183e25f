"""The page of the newest review, or of the one that is asked for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from keepwell.errors import RequestError
from serving.console.frame import frame
from serving.console.message import no_review_page
from serving.console.review import review_page
from serving.console.views.context import Context


def review(console: Context, request: Request) -> Response:
    """A review as the command `keepwell review` kept it; the page of how to make one while there is none."""
    _, load = console.open(request)
    company = console.company or (load.company if load else None)
    names = console.reviews.names(company) if console.reviews and company else ()
    if console.reviews is None or company is None or not names:
        return console.renderer.answer(request, "message.html", no_review_page(), here="review")
    shown = request.query_params.get("of") or names[0]
    if shown not in names:
        raise RequestError(f"there is no review {shown[:50]!r}", hint="look at the newest one", status=404)
    page = review_page(
        frame(load, console.today()) if load else None,
        console.reviews.read(company, shown),
        names=names,
        shown=shown,
        urls=console.renderer.urls(request),
    )
    return console.renderer.answer(request, "review.html", page, here="review")

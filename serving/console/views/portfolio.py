"""The page of all customers together."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving.console.views.context import Context


def portfolio(console: Context, request: Request) -> Response:
    """All customers together, as the scores see them."""
    return console.empty(request, here="portfolio")

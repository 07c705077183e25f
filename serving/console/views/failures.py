"""The pages of what does not work: each says what, and how to go on."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from keepwell.errors import KeepwellError, RequestError, StoreError
from serving.console.message import error_page, status_page
from serving.console.views.context import Context


def refused(console: Context, request: Request, error: Exception) -> Response:
    """A path or method that does not exist."""
    assert isinstance(error, HTTPException)
    return console.renderer.answer(request, "message.html", status_page(error.status_code), status=error.status_code)


def failed(console: Context, request: Request, error: Exception) -> Response:
    """An error of our own, with its way out; a store that cannot be read may well be back soon."""
    assert isinstance(error, KeepwellError)
    status = error.status if isinstance(error, RequestError) else 503 if isinstance(error, StoreError) else 500
    return console.renderer.answer(request, "message.html", error_page(error, status), status=status)


def broken(console: Context, request: Request, _error: Exception) -> Response:
    """A bug of ours: the page says no more than that; the server's log has the rest."""
    return console.renderer.answer(request, "message.html", status_page(500), status=500)

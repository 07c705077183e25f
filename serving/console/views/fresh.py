"""Which scores are current: what an open page asks for now and then."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serving.console.views.context import Context


def load(console: Context, request: Request) -> Response:
    """The id of the load that a page would show now, null where there is none."""
    _, current = console.open(request)
    return JSONResponse({"load": current.id if current else None})

"""Who saw and did what."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving.console.audit import PAGE_SIZE, AuditQuery, audit_page
from serving.console.frame import frame
from serving.console.views.context import Context


def audit(console: Context, request: Request) -> Response:
    """The deeds, as the URL asks for them; there may be some before there are scores."""
    query = AuditQuery.read(request.query_params)
    _, load = console.open(request)
    deeds = console.store().audit.page(actor=query.who, customer_id=query.customer_id, before=query.before, limit=PAGE_SIZE + 1)
    page = audit_page(
        frame(load, console.today()) if load else None,
        query,
        deeds,
        people=[user.name for user in console.store().people.all()],
        urls=console.renderer.urls(request),
    )
    return console.renderer.answer(request, "audit.html", page, here="audit")

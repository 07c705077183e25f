"""The page of one customer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving.console.customer import customer_page
from serving.console.frame import frame
from serving.console.message import no_customer_page
from serving.console.views.context import Context


def customer(console: Context, request: Request) -> Response:
    """One customer's page."""
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers")
    customer_id = request.query_params.get("id", "")
    row = store.customer(load, customer_id)
    if row is None:
        return console.renderer.answer(request, "message.html", no_customer_page(customer_id), here="customers", status=404)
    plan = store.plan(load)
    page = customer_page(
        frame(load, console.today()),
        load,
        row,
        features=store.features(load, customer_id) or {},
        events=store.timeline(load, customer_id),
        item=store.plan_item(plan, customer_id) if plan else None,
    )
    return console.renderer.answer(request, "customer.html", page, here="customers")

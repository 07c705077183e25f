"""The page of one customer."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from decisions.labels import Step
from serving.console.customer import customer_page
from serving.console.frame import frame
from serving.console.message import no_customer_page
from serving.console.views.context import Context, visitor_of
from serving.console.work import GIVE_BACK, TAKE, Standing, work_card
from serving.store.audit import Deed
from serving.store.records import Load, Plan, PlanItem


def customer(console: Context, request: Request) -> Response:
    """One customer's page; that it was looked at is on record."""
    customer_id, visitor = request.query_params.get("id", ""), visitor_of(request)
    answer = customer_answer(console, request, customer_id, done=request.query_params.get("done", ""))
    if answer.status_code == HTTPStatus.OK and not visitor.alone:
        console.store().audit.add([Deed(console.now(), visitor.name, "customer seen", console.company, customer_id)])
    return answer


def customer_answer(console: Context, request: Request, customer_id: str, *, status: int = 200, done: str = "") -> Response:
    """The page of a customer; 409 says that somebody else was first, `done` which step was recorded just now."""
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers")
    row = store.customer(load, customer_id)
    if row is None:
        return console.renderer.answer(request, "message.html", no_customer_page(customer_id), here="customers", status=404)
    plan = store.plan(load)
    item = store.plan_item(plan, customer_id) if plan else None
    page = customer_page(
        frame(load, console.today()),
        load,
        row,
        features=store.features(load, customer_id) or {},
        events=store.timeline(load, customer_id),
        item=item,
        work=work_card(visitor_of(request), _standing(console, load, plan, item, customer_id), _reasons(console), _known(done)),
        too_late=status == HTTPStatus.CONFLICT,
    )
    return console.renderer.answer(request, "customer.html", page, here="customers", status=status)


def _standing(console: Context, load: Load, plan: Plan | None, item: PlanItem | None, customer_id: str) -> Standing:
    work = console.store().work
    return Standing(
        item=item,
        control=plan is not None and work.is_control(plan, customer_id),
        left_alone_since=work.left_alone_since(load.company, customer_id),
        happened=work.history(load.company, customer_id),
    )


def _reasons(console: Context) -> tuple[str, ...]:
    return console.policy.plan.decline_reasons


def _known(step: str) -> str:
    return step if step in {*map(str, Step), TAKE, GIVE_BACK} else ""

"""The page of one customer."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from decisions.labels import Step
from serving.console.customer import Outlook, customer_page
from serving.console.frame import frame
from serving.console.message import no_customer_page
from serving.console.outlook import history, horizons, lifetime
from serving.console.peers import RECENCY, peers
from serving.console.views.context import Context, visitor_of
from serving.console.what_if import Features, what_if
from serving.console.work import GIVE_BACK, TAKE, Standing, work_card
from serving.store.audit import Deed
from serving.store.records import Load, Plan, PlanItem, ScoreRow


def customer(console: Context, request: Request) -> Response:
    """One customer's page."""
    return customer_answer(console, request, request.query_params.get("id", ""), done=request.query_params.get("done", ""))


def customer_answer(
    console: Context,
    request: Request,
    customer_id: str,
    *,
    done: str = "",
    refused: str = "",
    note: str = "",
    status: int = HTTPStatus.CONFLICT,
) -> Response:
    """The page of a customer, and on record that it was looked at; `done` is the step that was recorded just now.

    `refused` says why a form was not done, which is answered with `status`, and `note` is what was written in it.
    """
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="customers")
    row = store.customer(load, customer_id)
    if row is None:
        return console.renderer.answer(request, "message.html", no_customer_page(customer_id), here="customers", status=404)
    visitor = visitor_of(request)
    # Who is refused has the page open already, but for who comes from signing in.
    if not visitor.alone and (not refused or status == HTTPStatus.OK):
        console.store().audit.add([Deed(console.now(), visitor.name, "customer seen", load.company, customer_id)])
    plan = store.plan(load)
    item = store.plan_item(plan, customer_id) if plan else None
    features = store.features(load, customer_id) or {}
    page = customer_page(
        frame(load, console.today()),
        load,
        row,
        features=features,
        events=store.timeline(load, customer_id),
        item=item,
        work=work_card(visitor, _standing(console, load, plan, item, customer_id), _reasons(console), _known(done)),
        outlook=_outlook(console, request, load, row, features),
        refused=refused,
        note=note,
    )
    return console.renderer.answer(request, "customer.html", page, here="customers", status=status if refused else HTTPStatus.OK)


def _outlook(console: Context, request: Request, load: Load, row: ScoreRow, features: Features) -> Outlook:
    store = console.store()
    tier = console.facts.tier_sample(store, load, row.value_tier) if row.value_tier else None
    return Outlook(
        history=history(row, load, store.past.scores(load, row.customer_id)),
        horizons=horizons(row, load),
        lifetime=lifetime(row, load, console.policy.lifetime),
        peers=peers(row, tier, features.get(RECENCY)) if tier else None,
        what_if=what_if(row, load, features, request.query_params, console.foresee),
    )


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

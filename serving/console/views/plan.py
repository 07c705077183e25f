"""The page of the plan, and its list as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from keepwell.errors import KeepwellError, RequestError
from serving.console.export import table_lines
from serving.console.frame import frame
from serving.console.plan import Known, plan_page
from serving.console.plan_query import PAGE_SIZE, PlanQuery, wanted_by, wanted_in, written_in
from serving.console.plan_trial import Trial
from serving.console.roles import Right
from serving.console.text import t
from serving.console.views.context import Context, visitor_of
from serving.console.views.plan_acts import REFUSALS, people
from serving.console.views.plan_making import AGAIN_S, MAKING, SOON_S, making, material_of
from serving.plans.draft import Draft, Wanted, draft
from serving.store.plan_work import CONTROLS
from serving.store.reading import Reader
from serving.store.records import Load, Plan

DRAFTED_UNASKED = 20_000
"""Up to so many customers the page works out the frontier of its plan by itself."""

DEEDS = ("assigned", "shared", "approved", "made")
"""What an address may say was done; see the texts plan.done.*"""

EXPORTED = (
    *("priority", "customer_id", "name", "action", "title", "channel", "assigned_to", "taken_by", "cost"),
    *("expected_net_value", "churn_probability", "value_at_risk", "reason"),
)
_ITEMS_AT_ONCE = 5_000


def plan(console: Context, request: Request) -> Response:
    """The plan as it stands; while a new one is made, a page that waits for it."""
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="plan")
    parameters, may_plan = request.query_params, visitor_of(request).may(Right.PLAN)
    if not may_plan and "budget" in parameters:
        raise HTTPException(403)
    wanted, refused = _wanted(console, parameters)
    if wanted is not None and MAKING in parameters:
        return making(console, request, load, wanted)
    made, query = store.plan(load), PlanQuery.read(parameters)
    trial = _trial(console, load, made, wanted) if may_plan else None
    if trial and refused:
        trial = replace(trial, written=written_in(parameters), refused=refused)
    page = plan_page(
        frame(load, console.today()),
        _known(console, store, load, made, query) if made else None,
        query,
        trial,
        policy=console.policy,
        persons=_persons(console, request),
        currency=load.currency,
        urls=console.renderer.urls(request),
        done=_done(parameters),
        refused=_refused(parameters),
    )
    answer = console.renderer.answer(request, "plan.html", page, here="plan", status=400 if refused else 200)
    if page.waits and wanted is not None:
        answer.headers["refresh"] = str(AGAIN_S)
    return answer


def plan_csv(console: Context, request: Request) -> Response:
    """What is to do, as the list is filtered, as a file. It holds no controls: whoever works through it would contact them."""
    store, load = console.open(request)
    made = store.plan(load) if load else None
    if load is None or made is None:
        return console.empty(request, here="plan", status=404)
    query = PlanQuery.read(request.query_params)
    if query.standing == CONTROLS:
        raise RequestError("controls are left alone, so no list of them is to be worked through", hint="choose another standing")
    return StreamingResponse(
        table_lines(EXPORTED, _exported(console, store, load, made, query)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="plan-{made.as_of.isoformat()}-{made.id}.csv"'},
    )


def _wanted(console: Context, parameters: Mapping[str, str]) -> tuple[Wanted | None, str]:
    """The limits that an address asks for, and the parameter of one that is no amount, which the page then says."""
    try:
        return wanted_in(parameters, console.policy), ""
    except RequestError as error:
        return None, error.field or ""


def _known(console: Context, store: Reader, load: Load, made: Plan, query: PlanQuery) -> Known:
    work = console.store().plan_work
    items = work.items(made, query.chosen, offset=query.offset, limit=PAGE_SIZE)
    ids = [item.customer_id for item in items]
    return Known(
        plan=made,
        shares=work.shares(made),
        progress=work.progress(made, load.company),
        actions=store.planned_actions(made),
        items=items,
        total=work.count(made, query.chosen),
        rows=store.customers_by_id(load, ids),
        steps=work.last_steps(made, load.company, ids),
    )


def _trial(console: Context, load: Load, made: Plan | None, asked: Wanted | None) -> Trial:
    """The limits in the form, and the draft under them: worked out where somebody asked, or where it is quick."""
    wanted = asked or (wanted_by(made, console.policy) if made else Wanted(None))
    if asked is None and load.customers > DRAFTED_UNASKED:
        return Trial(wanted, None, waits=False)
    try:
        errand = console.background.ask(
            ("draft", load.id, wanted, console.today()), lambda: _drafted(console, load, wanted), wait_s=SOON_S
        )
        return Trial(wanted, errand.result() if errand.done() else None, waits=not errand.done())
    except KeepwellError:
        if asked is not None:
            raise
        return Trial(wanted, None, waits=False)  # scores without money: the rest of the page still stands


def _drafted(console: Context, load: Load, wanted: Wanted) -> Draft:
    return draft(material_of(console, load, console.now()), wanted)[1]


def _exported(console: Context, store: Reader, load: Load, made: Plan, query: PlanQuery) -> Iterator[list[object]]:
    work, offset = console.store().plan_work, 0
    while items := work.items(made, query.chosen, offset=offset, limit=_ITEMS_AT_ONCE):
        rows = store.customers_by_id(load, [item.customer_id for item in items])
        for item in items:
            row = rows.get(item.customer_id)
            values = {"name": row.name if row else None}
            yield [values[name] if name in values else getattr(item, name) for name in EXPORTED]
        offset += len(items)


def _persons(console: Context, request: Request) -> list[str]:
    return people(console) or [visitor_of(request).name]


def _refused(parameters: Mapping[str, str]) -> str:
    word = parameters.get("refused", "")
    return t(f"plan.refused.{word}") if word in REFUSALS else ""


def _done(parameters: Mapping[str, str]) -> str:
    done, count = parameters.get("done", ""), parameters.get("count", "")
    if done not in DEEDS:
        return ""
    number = int(count) if count.isascii() and count.isdecimal() and len(count) <= 9 else 0
    words = {"assigned": "plan.done.assigned", "shared": "plan.done.shared"}
    return t(words[done], count=number) if done in words else t("plan.done.approved" if done == "approved" else "plan.done.made")

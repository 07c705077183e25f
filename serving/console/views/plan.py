"""The page of the plan, its list as a file, and what a manager does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from keepwell.errors import KeepwellError, RequestError
from serving.console.export import table_lines
from serving.console.frame import frame
from serving.console.message import MessagePage
from serving.console.plan import Known, plan_page
from serving.console.plan_query import PAGE_SIZE, PlanQuery, parameters_of, wanted_by, wanted_in
from serving.console.plan_trial import Trial
from serving.console.roles import Right, Role
from serving.console.text import t
from serving.console.views.context import Context, visitor_of
from serving.plan_draft import Draft, Material, Wanted, draft, keep, material
from serving.store.audit import Deed
from serving.store.plan_work import CONTROLS, PlanWork
from serving.store.reading import Reader
from serving.store.records import Load, Plan

SOON_S, AGAIN_S = 1.0, 3
"""A page waits so long for what is worked out beside it, and asks again after so many seconds."""

DRAFTED_UNASKED = 20_000
"""Up to so many customers the page works out the frontier of its plan by itself."""

DEEDS = ("assigned", "shared", "approved", "made")
"""What an address may say was done; see the texts plan.done.*"""

EXPORTED = (
    *("priority", "customer_id", "name", "action", "title", "channel", "assigned_to", "taken_by", "cost"),
    *("expected_net_value", "churn_probability", "value_at_risk", "reason"),
)
_PICK, _WITH = "pick.", "with."
_ITEMS_AT_ONCE = 5_000


def plan(console: Context, request: Request) -> Response:
    """The plan as it stands; while a new one is made, a page that waits for it."""
    store, load = console.open(request)
    if load is None:
        return console.empty(request, here="plan")
    parameters, may_plan = request.query_params, visitor_of(request).may(Right.PLAN)
    wanted = wanted_in(parameters, console.policy.channels)
    if wanted is not None and not may_plan:
        raise HTTPException(403)
    if wanted is not None and "making" in parameters:
        return _making(console, request, load, wanted)
    made = store.plan(load)
    trial = _trial(console, load, made, wanted) if may_plan else None
    query = PlanQuery.read(parameters)
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
    )
    answer = console.renderer.answer(request, "plan.html", page, here="plan")
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


def act(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Approve, assign, share out, or make anew; then the page again."""
    store = console.store()
    load = store.current_load(console.company, console.horizon_days)
    if load is None:
        return console.empty(request, here="plan", status=404)
    urls, do = console.renderer.urls(request), form.get("do", "")
    if do == "make":
        wanted = _begin(console, load, form, visitor_of(request).name)
        return RedirectResponse(urls.plan({**parameters_of(wanted), "making": "1"}), status_code=303)
    desk = _Desk(console, load, visitor_of(request).name, _of_form(store.plan(load), form))
    deeds: Mapping[str, Callable[[Mapping[str, str]], tuple[str, int]]] = {
        "approve": desk.approve,
        "assign": desk.assign,
        "share": desk.share,
    }
    if do not in deeds:
        raise RequestError(f"there is no step {do[:50]!r}", hint="use the buttons of the page", field="do")
    done, count = deeds[do](form)
    return RedirectResponse(urls.plan({**_list_of(form).parameters, "done": done, "count": str(count)}), status_code=303)


@dataclass(frozen=True)
class _Desk:
    """What a manager works with: the plan of a load."""

    console: Context
    load: Load
    who: str
    plan: Plan

    def approve(self, _form: Mapping[str, str]) -> tuple[str, int]:
        self._work.approve(self.plan, company=self.load.company, by=self.who, at=self.console.now())
        return "approved", 1

    def assign(self, form: Mapping[str, str]) -> tuple[str, int]:
        person = form.get("who", "")
        if person:
            self._require([person])
        ids = [name.removeprefix(_PICK) for name in form if name.startswith(_PICK)]
        whom = person or None
        met = self._work.assign(self.plan, ids, whom, company=self.load.company, by=self.who, at=self.console.now())
        return "assigned", len(met)

    def share(self, form: Mapping[str, str]) -> tuple[str, int]:
        people = [name.removeprefix(_WITH) for name in form if name.startswith(_WITH)]
        self._require(people)
        if not people:
            raise RequestError("nobody was chosen", hint="go back and choose among whom to share out", field="with")
        chosen = replace(_list_of(form).chosen, person=None, standing=None)
        count = self._work.share_out(self.plan, people, chosen, company=self.load.company, by=self.who, at=self.console.now())
        return "shared", count

    @property
    def _work(self) -> PlanWork:
        return self.console.store().plan_work

    def _require(self, people: list[str]) -> None:
        known = {*_people(self.console), self.who}
        for person in people:
            if person not in known:
                raise RequestError(f"there is nobody {person[:50]!r} who could do it", hint="choose from the list", field="who")


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
    wanted = asked or (wanted_by(made, console.policy.channels) if made else Wanted(None))
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
    return draft(_material(console, load, console.today()), wanted)[1]


def _material(console: Context, load: Load, today: date) -> Material:
    return material(console.store(), load, console.policy, today, console.expected(load))


def _begin(console: Context, load: Load, form: Mapping[str, str], who: str) -> Wanted:
    """Begin to make a plan under the limits of the form, unless the same is being made already."""
    wanted = wanted_in(form, console.policy.channels) or Wanted(None)
    key = ("make", load.id, wanted)
    console.background.forget(key)
    console.background.ask(key, lambda: _kept(console, load, wanted, who), wait_s=SOON_S)
    return wanted


def _kept(console: Context, load: Load, wanted: Wanted, who: str) -> int:
    """Make a plan and keep it; who had it made is on record."""
    store, at = console.store(), console.now()
    made, drafted = draft(_material(console, load, at.date()), wanted)
    plan_id = keep(store, load, made, drafted, wanted, made_at=at)
    store.audit.add([Deed(at, who, "plan made", load.company, None, f"plan {plan_id}")])
    return plan_id


def _making(console: Context, request: Request, load: Load, wanted: Wanted) -> Response:
    """Where the plan stands that is being made: done (on to its page), failed (why), or under way (ask again by itself)."""
    urls, key = console.renderer.urls(request), ("make", load.id, wanted)
    errand = console.background.known(key)
    if errand is None:
        return RedirectResponse(urls.plan({}), status_code=303)
    if errand.done():
        console.background.forget(key)
        errand.result()
        return RedirectResponse(urls.plan({"done": "made"}), status_code=303)
    waiting = MessagePage(t("plan.making"), t("plan.making.text"), t("wait.hint"))
    answer = console.renderer.answer(request, "message.html", waiting, here="plan")
    answer.headers["refresh"] = str(AGAIN_S)
    return answer


def _exported(console: Context, store: Reader, load: Load, made: Plan, query: PlanQuery) -> Iterator[list[object]]:
    work, offset = console.store().plan_work, 0
    while items := work.items(made, query.chosen, offset=offset, limit=_ITEMS_AT_ONCE):
        rows = store.customers_by_id(load, [item.customer_id for item in items])
        for item in items:
            row = rows.get(item.customer_id)
            values = {"name": row.name if row else None}
            yield [values[name] if name in values else getattr(item, name) for name in EXPORTED]
        offset += len(items)


def _of_form(made: Plan | None, form: Mapping[str, str]) -> Plan:
    """The plan that the form was about. RequestError where a newer one has come since."""
    if made is None or form.get("plan") != str(made.id):
        raise RequestError("a newer plan has come", hint="go back, reload the page, and look at it first", status=409)
    return made


def _list_of(form: Mapping[str, str]) -> PlanQuery:
    return PlanQuery.read(dict(parse_qsl(form.get("list", ""))))


def _people(console: Context) -> list[str]:
    """Who can be given work: everybody but viewers and those who may not sign in."""
    users = console.store().people.all()
    return [user.name for user in users if user.disabled_at is None and user.role != Role.VIEWER]


def _persons(console: Context, request: Request) -> list[str]:
    return _people(console) or [visitor_of(request).name]


def _done(parameters: Mapping[str, str]) -> str:
    done, count = parameters.get("done", ""), parameters.get("count", "")
    if done not in DEEDS:
        return ""
    number = int(count) if count.isascii() and count.isdecimal() and len(count) <= 9 else 0
    words = {"assigned": "plan.done.assigned", "shared": "plan.done.shared"}
    return t(words[done], count=number) if done in words else t("plan.done.approved" if done == "approved" else "plan.done.made")

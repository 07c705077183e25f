"""What a manager does with a plan: approve it, give customers to somebody, share out the rest, have it made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import RequestError
from serving.console.plan_query import PlanQuery
from serving.console.roles import Role
from serving.console.views.context import Context, visitor_of
from serving.console.views.plan_making import begin
from serving.store.plan_work import PlanWork
from serving.store.records import Load, Plan

REFUSALS = ("newer", "nobody", "stranger")
"""What an address may say was not done, and why; see the texts plan.refused.*"""

_PICK, _WITH = "pick.", "with."


def act(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Approve, assign, share out, or make anew; then the page again, which says what was done or why not."""
    store = console.store()
    load = console.load()
    if load is None:
        return console.empty(request, here="plan", status=404)
    urls, do, who = console.renderer.urls(request), form.get("do", ""), visitor_of(request).name
    if do == "make":
        return RedirectResponse(urls.plan(begin(console, load, form, who)), status_code=303)
    deeds: Mapping[str, Callable[[_Desk, Mapping[str, str]], tuple[str, int]]] = {
        "approve": _Desk.approve,
        "assign": _Desk.assign,
        "share": _Desk.share,
    }
    if do not in deeds:
        raise RequestError(f"there is no step {do[:50]!r}", hint="use the buttons of the page", field="do")
    try:
        done, count = deeds[do](_Desk(console, load, who, _of_form(store.plan(load), form)), form)
        told = {"done": done, "count": str(count)}
    except RequestError as error:
        if error.code not in REFUSALS:
            raise
        told = {"refused": error.code}
    return RedirectResponse(urls.plan({**_list_of(form).parameters, **told}), status_code=303)


def people(console: Context) -> list[str]:
    """Who can be given work: everybody but viewers and those who may not sign in."""
    users = console.store().people.all()
    return [user.name for user in users if user.disabled_at is None and user.role != Role.VIEWER]


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
        chosen_people = [name.removeprefix(_WITH) for name in form if name.startswith(_WITH)]
        self._require(chosen_people)
        if not chosen_people:
            raise _refused("nobody")
        chosen, at = replace(_list_of(form).chosen, person=None, standing=None), self.console.now()
        count = self._work.share_out(self.plan, chosen_people, chosen, company=self.load.company, by=self.who, at=at)
        return "shared", count

    @property
    def _work(self) -> PlanWork:
        return self.console.store().plan_work

    def _require(self, names: list[str]) -> None:
        if not {*names} <= {*people(self.console), self.who}:
            raise _refused("stranger")


def _of_form(made: Plan | None, form: Mapping[str, str]) -> Plan:
    """The plan that the form was about; refused where a newer one has come since."""
    if made is None or form.get("plan") != str(made.id):
        raise _refused("newer")
    return made


def _refused(word: str) -> RequestError:
    """A form that cannot be done as things stand, for one of REFUSALS."""
    return RequestError(f"the plan cannot be changed so: {word}", hint="look at the plan as it is now", status=409, code=word)


def _list_of(form: Mapping[str, str]) -> PlanQuery:
    return PlanQuery.read(dict(parse_qsl(form.get("list", ""))))

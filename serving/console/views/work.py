"""Working on a customer: taking them on, and recording what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from decisions.labels import Step
from keepwell.errors import DataError, RequestError
from serving.console.sentences import said
from serving.console.text import t
from serving.console.views.context import Context, visitor_of
from serving.console.views.customer import customer_answer
from serving.console.views.sign_in import session_over
from serving.console.work import GIVE_BACK, LONGEST_NOTE, OF_THE_ACTION, TAKE
from serving.plans.outcomes import default_key, record_outcomes
from serving.store.audit import Deed
from serving.store.records import Load, Outcome, Plan, PlanItem

_UNDONE_BY: Mapping[str, Step] = {Step.DO_NOT_CONTACT: Step.CONTACT_AGAIN, Step.CONTACT_AGAIN: Step.DO_NOT_CONTACT}


def act(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Do what the form asks of one customer, and show them again.

    What cannot be done is told beside the form, which keeps its note: 409 where somebody else was first, or the page that the
    form stands on shows other scores than those of now.
    """
    customer_id, step = form.get("id", ""), form.get("step", "")
    desk = _desk(console, visitor_of(request).name, customer_id)
    note = form.get("note", "")
    if form.get("load", str(desk.load.id)) != str(desk.load.id):
        return customer_answer(console, request, customer_id, refused=t("work.stale"), note=note)
    try:
        done = desk.do(step, form)
    except RequestError as error:
        told = f"{said(error.message)} {said(error.hint)}"
        return customer_answer(console, request, customer_id, refused=told, note=note, status=error.status)
    if not done:
        return customer_answer(console, request, customer_id, refused=t("work.too_late"), note=note)
    return RedirectResponse(console.renderer.urls(request).customer(customer_id, done=step), status_code=303)


def again(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Record nothing of a form from a session before this one, and show it again; who is in none now signs in first."""
    customer_id, note = form.get("id", ""), form.get("note", "")
    if request.state.visitor is None:
        return session_over(console, request, customer_id, note)
    return customer_answer(console, request, customer_id, refused=t("work.again"), note=note, status=HTTPStatus.FORBIDDEN)


def _desk(console: Context, who: str, customer_id: str) -> _Desk:
    store, load = console.store(), console.load()
    if load is None or store.customer(load, customer_id) is None:
        raise RequestError("the scores hold no such customer", hint="go back to the list", status=404)
    plan = store.plan(load)
    return _Desk(console, who, customer_id, load, plan, store.plan_item(plan, customer_id) if plan else None)


@dataclass(frozen=True)
class _Desk:
    """What one person needs to work on one customer; `item` is what the plan has for them, None for nothing."""

    console: Context
    who: str
    customer_id: str
    load: Load
    plan: Plan | None
    item: PlanItem | None

    def do(self, step: str, form: Mapping[str, str]) -> bool:
        """Do it; False where somebody else has the customer. Raises RequestError for a step that there is not."""
        if step == TAKE:
            return self._take()
        if step == GIVE_BACK:
            return self._give_back()
        if step not in (*OF_THE_ACTION, Step.DO_NOT_CONTACT, Step.CONTACT_AGAIN):
            raise RequestError(f"there is no step {step[:50]!r}", hint="use the buttons of the page", field="step")
        if step in OF_THE_ACTION and not self._take():
            return False
        self._record(step, form)
        return True

    def _take(self) -> bool:
        if self.plan is None:
            return False
        work, at = self.console.store().work, self.console.now()
        return work.take(self.plan, self.customer_id, self.who, company=self.load.company, at=at) == self.who

    def _give_back(self) -> bool:
        if self.plan is None:
            return False
        work, at = self.console.store().work, self.console.now()
        return work.give_back(self.plan, self.customer_id, self.who, company=self.load.company, at=at)

    def _record(self, step: str, form: Mapping[str, str]) -> None:
        """Write the outcome and who wrote it, or what is told now of one that is known; RequestError for what cannot be."""
        console, outcome = self.console, self._outcome(step, form)
        try:
            recorded = record_outcomes(
                console.store(),
                self.load.company,
                [outcome],
                policy=console.policy,
                today=console.today(),
                recorded_at=console.now(),
                recorded_by=self.who,
            )
        except DataError as error:
            raise RequestError(error.message, hint=error.hint, field=error.column) from None
        if not recorded.new:
            console.store().outcomes.amend(self.load.company, str(outcome.key), reason=outcome.reason, note=outcome.note)
        console.store().audit.add([Deed(console.now(), self.who, f"recorded {step}", self.load.company, self.customer_id)])

    def _outcome(self, step: str, form: Mapping[str, str]) -> Outcome:
        note = form.get("note", "").strip()
        if len(note) > LONGEST_NOTE:
            raise RequestError("the note is too long", hint=f"write at most {LONGEST_NOTE:,} characters", status=413)
        outcome = Outcome(
            customer_id=self.customer_id,
            step=step,
            happened_on=self.console.today(),
            action=self.item.action if self.item is not None and step in OF_THE_ACTION else None,
            reason=(form.get("reason") or None) if step == Step.DECLINED else None,
            note=note or None,
        )
        return replace(outcome, key=self._key(outcome))

    def _key(self, outcome: Outcome) -> str:
        """A step counts once a day, but for being left alone and being contacted again, which may take turns."""
        key, company = default_key(self.load.company, outcome), self.load.company
        before = self.console.store().work.history(company, self.customer_id)
        turns = sum(each.step == _UNDONE_BY.get(outcome.step) and each.happened_on == outcome.happened_on for each in before)
        return f"{key}-{turns}" if turns else key

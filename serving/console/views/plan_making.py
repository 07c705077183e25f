"""Having a plan made beside the requests: begun by one worker of the service, and followed on any of them.

A worker knows what it makes itself. Of what another one makes it knows by the store alone: a newer plan, or a line in the audit
that says why there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import KeepwellError, RequestError
from serving.console.message import MessagePage
from serving.console.plan_query import parameters_of, wanted_in
from serving.console.text import t
from serving.console.views.context import Context, visitor_of
from serving.plans.draft import Material, Wanted, draft, keep, material
from serving.store.audit import Deed
from serving.store.records import Load

SOON_S, AGAIN_S = 1.0, 3
"""A page waits so long for what is worked out beside it, and asks again after so many seconds."""

GIVEN_UP_AFTER = timedelta(minutes=15)
"""A worker that has said nothing for so long about a plan has died over it."""

MAKING = "making"
MADE, NOT_MADE = "plan made", "plan not made"
_DEEDS_READ = 50


@dataclass(frozen=True)
class Begun:
    """A plan that is being made: which one was the newest before it (0: none), and since when."""

    newest_before: int
    since: datetime

    @classmethod
    def read(cls, text: str) -> Begun:
        """Read the parameter of an address. RequestError for another text.

        >>> Begun.read("7.1775034000").since
        datetime.datetime(2026, 4, 1, 9, 0, tzinfo=datetime.timezone.utc)
        """
        before, _, since = text.partition(".")
        if not (text.isascii() and before.isdecimal() and since.isdecimal() and len(before) <= 18 and len(since) <= 11):
            raise RequestError("this address is of no plan", hint="go back to the plan", field=MAKING)
        return cls(int(before), datetime.fromtimestamp(int(since), UTC))

    def __str__(self) -> str:
        return f"{self.newest_before}.{int(self.since.timestamp())}"


def begin(console: Context, load: Load, form: Mapping[str, str], who: str) -> dict[str, str]:
    """Begin to make a plan under the limits of the form, unless the same is being made already; where to follow it."""
    wanted = wanted_in(form, console.policy) or Wanted(None)
    newest, key = console.store().plan(load), ("make", load.id, wanted)
    begun = Begun(newest.id if newest else 0, console.now())
    console.background.forget(key)
    console.background.ask(key, lambda: _made(console, load, wanted, who), wait_s=SOON_S)
    return {**parameters_of(wanted), MAKING: str(begun)}


def making(console: Context, request: Request, load: Load, wanted: Wanted) -> Response:
    """Where the plan stands that is being made: done (on to its page), failed (why), or under way (ask again by itself)."""
    begun, key = Begun.read(request.query_params[MAKING]), ("make", load.id, wanted)
    errand = console.background.known(key)
    if errand is None:
        done = _made_elsewhere(console, load, begun, visitor_of(request).name)
    elif done := errand.done():
        console.background.forget(key)
        errand.result()
    if done:
        return RedirectResponse(console.renderer.urls(request).plan({"done": "made"}), status_code=303)
    waiting = MessagePage(t("plan.making"), t("plan.making.text"), t("wait.hint"))
    answer = console.renderer.answer(request, "message.html", waiting, here="plan")
    answer.headers["refresh"] = str(AGAIN_S)
    return answer


def material_of(console: Context, load: Load, at: datetime) -> Material:
    """What plans of a load are made of."""
    return material(console.store(), load, console.policy, at.date(), console.expected(load))


def _made(console: Context, load: Load, wanted: Wanted, who: str) -> int:
    """Make a plan and keep it; who had it made is on record, and why it could not be."""
    store, at = console.store(), console.now()
    try:
        made, drafted = draft(material_of(console, load, at), wanted)
        plan_id = keep(store, load, made, drafted, wanted, made_at=at)
    except KeepwellError as error:
        store.audit.add([Deed(console.now(), who, NOT_MADE, load.company, None, f"{error.message} ({error.hint})")])
        raise
    store.audit.add([Deed(at, who, MADE, load.company, None, f"plan {plan_id}")])
    return plan_id


def _made_elsewhere(console: Context, load: Load, begun: Begun, who: str) -> bool:
    """Whether another worker has made the plan by now. RequestError where it could not, or has died over it."""
    newest = console.store().plan(load)
    if newest is not None and newest.id > begun.newest_before:
        return True
    for _, deed in console.store().audit.page(actor=who, limit=_DEEDS_READ):
        if deed.what == NOT_MADE and deed.at >= begun.since.replace(microsecond=0):
            raise RequestError("the plan was not made", hint=deed.detail or "try again", status=409)
    if console.now() - begun.since > GIVEN_UP_AFTER:
        raise RequestError("the plan was not made", hint="try again: its making was broken off", status=409)
    return False

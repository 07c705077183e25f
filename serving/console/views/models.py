"""The models, and going back to the one before."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import RequestError
from serving.console.frame import frame
from serving.console.message import no_models_page
from serving.console.models import models_page
from serving.console.roles import Right
from serving.console.views.context import Context, visitor_of
from serving.model_desk import ModelDesk
from serving.store.audit import Deed
from serving.store.records import Load

LONGEST_REASON = 500
CHANGED = "champion_changed"
"""The code of a refusal: somebody else was quicker."""


def models(console: Context, request: Request) -> Response:
    """The models of the company and horizon whose scores are shown."""
    _, load = console.open(request)
    desk = console.models
    key = _key(console, desk, load) if desk else None
    versions = desk.versions(*key) if desk and key else ()
    if desk is None or key is None or not versions:
        return console.renderer.answer(request, "message.html", no_models_page(exported=desk is None), here="models")
    page = models_page(
        frame(load, console.today()) if load else None,
        key,
        versions,
        desk.watched(*key),
        may_roll_back=visitor_of(request).may(Right.ROLL_BACK),
        asked="back" in request.query_params,
        reason=request.query_params.get("reason", "")[:LONGEST_REASON],
        refused=request.query_params.get("refused") == CHANGED,
        done=request.query_params.get("done", ""),
    )
    return console.renderer.answer(request, "models.html", page, here="models")


def roll_back(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Let the champion and the one before it change places; the service answers by it once it has looked again."""
    _, load = console.open(request)
    key = _key(console, console.models, load) if console.models else None
    if console.models is None or key is None:
        raise RequestError("there are no models to go back to", hint="train one first", status=404)
    who, to, reason = visitor_of(request).name, form.get("version", ""), form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        replaced = console.models.roll_back(*key, to, by=who, reason=reason)
    except RequestError as error:
        if error.code != CHANGED:
            raise
        return RedirectResponse(console.renderer.urls(request).models_back(reason, refused=CHANGED), status_code=303)
    company, horizon_days = key
    told = f"{horizon_days} days: version {to} in place of {replaced or 'none'}{f': {reason}' if reason else ''}"
    console.store().audit.add([Deed(console.now(), who, "model rolled back", company, detail=told)])
    return RedirectResponse(console.renderer.urls(request).models(done=to), status_code=303)


def _key(console: Context, desk: ModelDesk, load: Load | None) -> tuple[str, int] | None:
    """Whose models are shown: those behind the scores; before there are any, the first that the console may show."""
    return (load.company, load.horizon_days) if load else desk.first(console.company, console.horizon_days)

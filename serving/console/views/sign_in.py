"""Signing in and out."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import RequestError
from serving.console.doors import LASTS, SESSION, VISIT, form_token, keep_cookie
from serving.console.passwords import LONGEST
from serving.console.sign_in import sign_in_page
from serving.console.text import t
from serving.console.urls import Urls
from serving.console.views.context import Context
from serving.console.views.customer import customer_answer


def show(console: Context, request: Request) -> Response:
    """The form; whoever is in already goes on."""
    onward = _onward(request.query_params.get("next", ""))
    if request.state.visitor is not None:
        return RedirectResponse(console.renderer.urls(request).below(onward), status_code=303)
    return console.renderer.answer(request, "sign_in.html", sign_in_page(onward, alone=console.alone))


def come_in(console: Context, request: Request, form: Mapping[str, str]) -> Response:
    """Try a name and a password."""
    onward, name = _onward(form.get("next", "")), form.get("name", "").strip()[:LONGEST]
    try:
        token = console.doors.sign_in(request, name, form.get("password", ""))
    except RequestError as error:
        if error.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
            raise
        kept = {"customer_id": form.get("id", ""), "note": form.get("note", "")}
        page = sign_in_page(onward, alone=console.alone, name=name, refused=error.code, **kept)
        return console.renderer.answer(request, "sign_in.html", page, status=error.status)
    response = _gone_on(console, request, form, token) or RedirectResponse(
        console.renderer.urls(request).below(onward), status_code=303
    )
    keep_cookie(request, response, SESSION, token, LASTS)
    response.delete_cookie(VISIT, path=request.scope.get("root_path") or "/")
    return response


def go_out(console: Context, request: Request, _form: Mapping[str, str]) -> Response:
    """End the session."""
    console.doors.sign_out(request, request.state.visitor.name)
    response = RedirectResponse(console.renderer.urls(request).sign_in(), status_code=303)
    response.delete_cookie(SESSION, path=request.scope.get("root_path") or "/")
    return response


def session_over(console: Context, request: Request, customer_id: str, note: str) -> Response:
    """The form to sign in on, for somebody whose session ended while they wrote about a customer; it keeps what they wrote."""
    onward = Urls("").customer(customer_id)
    page = sign_in_page(onward, alone=console.alone, refused="over", customer_id=customer_id, note=note)
    return console.renderer.answer(request, "sign_in.html", page, status=HTTPStatus.FORBIDDEN)


def _gone_on(console: Context, request: Request, form: Mapping[str, str], token: str) -> Response | None:
    """The customer's page with the note that was written before the session began; None where none was."""
    customer_id, note = form.get("id", ""), form.get("note", "")
    visitor = console.doors.holder(token)
    if not note or visitor is None:
        return None
    request.state.visitor, request.state.form_token = visitor, form_token(token)
    return customer_answer(console, request, customer_id, refused=t("work.again"), note=note, status=HTTPStatus.OK)


def _onward(wanted: str) -> str:
    r"""Where to go next: a path of the console, never another site.

    >>> _onward("/customers?q=a"), _onward("//evil.example"), _onward("https://evil.example"), _onward("/\\evil.example")
    ('/customers?q=a', '/', '/', '/')
    """
    is_ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if is_ours else "/"

"""A view becomes an endpoint: somebody must have come in, with the right that the page asks for, by a form of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keepwell.errors import RequestError
from serving.console.doors import SESSION, VISIT, form_token, from_our_page, is_own_form, keep_cookie, require_own_form, secret_of
from serving.console.roles import Right
from serving.console.views.context import Context

View = Callable[[Context, Request], Response]
Form = Mapping[str, str]
Action = Callable[[Context, Request, Form], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

MOST_FORM_BYTES, MOST_FORM_FIELDS = 2**20, 200


@dataclass(frozen=True)
class Page:
    """What answers a path: `view` shows, `act` does what a form asks; each with the right that it takes.

    `open` is a page that anybody may see; a `quiet` one is asked for by an open page, which is no sign that somebody is there.
    `again` shows a form of this browser that came too late with what was written in it, after its session or under another one.
    """

    view: View | None = None
    right: Right = Right.READ
    act: Action | None = None
    act_right: Right = Right.ACT
    open: bool = False
    quiet: bool = False
    again: Action | None = None

    @property
    def methods(self) -> list[str]:
        """The HTTP methods that the page answers."""
        return [*(["GET"] if self.view else []), *(["POST"] if self.act else [])]


def endpoint(console: Context, page: Page) -> Endpoint:
    """What Starlette calls for a page."""

    async def answer(request: Request) -> Response:
        acts = request.method == "POST"
        secret = secret_of(request)
        request.state.form_token = form_token(secret)
        request.state.visitor = await run_in_threadpool(console.doors.visitor, request, quiet=page.quiet)
        if not page.open:
            if request.state.visitor is None and not (acts and page.again and from_our_page(request)):
                return RedirectResponse(console.renderer.urls(request).sign_in(_here(request, page)), status_code=303)
            if request.state.visitor is not None and not request.state.visitor.may(page.act_right if acts else page.right):
                raise HTTPException(403)
        response = await (_acted(console, page, request) if acts else _shown(console, page, request))
        if not (request.cookies.get(SESSION) or request.cookies.get(VISIT)):
            keep_cookie(request, response, VISIT, secret)
        return response

    return answer


async def _shown(console: Context, page: Page, request: Request) -> Response:
    assert page.view is not None, "the route lets only methods through that the page has"
    return await run_in_threadpool(page.view, console, request)


async def _acted(console: Context, page: Page, request: Request) -> Response:
    assert page.act is not None, "the route lets only methods through that the page has"
    form = await _form(request)
    token, is_late = form.get("form_token", ""), request.state.visitor is None and not page.open
    if page.again and from_our_page(request) and (is_late or not is_own_form(request, token)):
        return await run_in_threadpool(page.again, console, request, form)
    require_own_form(request, token)
    return await run_in_threadpool(page.act, console, request, form)


async def _form(request: Request) -> Form:
    """The fields of a form, the last of each name. RequestError for a body that is too large or no form."""
    body = await request.body()
    if len(body) > MOST_FORM_BYTES:
        raise RequestError("the form is too long", hint="shorten the note, go back and send it again", status=413)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FORM_FIELDS, errors="strict"))
    except ValueError:
        raise RequestError("the form cannot be read", hint="go back and send it again") from None


def _here(request: Request, page: Page) -> str:
    """The path and query that were asked for, below the console, to come back to after signing in."""
    if page.view is None:
        return "/"
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return f"{path}?{request.url.query}" if request.url.query else path

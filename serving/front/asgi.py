"""The plain layers around the service: one error shape, known paths only, a time limit; and one route for each path."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.endpoints.answers import error_answer, fault_answer

log = logging.getLogger("keepwell.serving")

LONGEST_ANSWER_S = 30.0


class OneErrorShape:
    """Turns every answer of 400 and above that is not yet in the error shape into it; an exception becomes a 500.

    Pages below `pages` speak to people and keep their own.
    """

    def __init__(self, app: ASGIApp, pages: str) -> None:
        self.app, self.pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["path"].startswith(self.pages):
            await self.app(scope, receive, send)
            return
        shaping = _Shaping(send)
        try:
            await self.app(scope, receive, shaping.send)
        except Exception:
            if shaping.started:
                raise
            log.exception("a request failed")
            await fault_answer()(scope, receive, send)
            return
        await shaping.finish(scope, receive)


class _Shaping:
    """Passes good answers on as they come, and holds the others back until they are complete."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        self._body = b""
        self.started = False

    async def send(self, message: Message) -> None:
        """What the service within sends to."""
        if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
            self._held = message
        elif self._held is not None:
            self._body += message.get("body", b"")
        else:
            self.started = True
            await self._send(message)

    async def finish(self, scope: Scope, receive: Receive) -> None:
        """Send what was held back: as it is where it has the shape, else in it, with the headers that do not tell of the body."""
        if self._held is None:
            return
        status, headers = self._held["status"], Headers(raw=self._held["headers"])
        shaped = _has_the_shape(self._body)
        answer = Response(self._body, status) if shaped else error_answer(status, _phrase(status))
        kept = {name: value for name, value in headers.items() if name not in {"content-length", "content-type"}}
        answer.headers.update({**kept, "content-type": "application/json"})
        await answer(scope, receive, self._send)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a number that HTTP has no name for
        return f"status {status}"


def _has_the_shape(body: bytes) -> bool:
    try:
        return {"code", "message", "field", "hint"} == set(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return False


class KnownPaths:
    """Lets through the paths that there are, so that junk paths never reach the metrics; mounts apps; redirects.

    `mounts` gives whole prefixes ("/console") to other apps, `redirects` sends one path to another.
    """

    def __init__(
        self, app: ASGIApp, paths: Collection[str], *, mounts: Mapping[str, ASGIApp], redirects: Mapping[str, str]
    ) -> None:
        self.app, self.paths, self.mounts, self.redirects = app, frozenset(paths), dict(mounts), dict(redirects)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        app = self.app if scope["type"] != "http" else self._app_for(scope)
        await app(scope, receive, send)

    def _app_for(self, scope: Scope) -> ASGIApp:
        path: str = scope["path"]
        if path in self.paths:
            return self.app
        if path in self.redirects:
            return RedirectResponse(scope.get("root_path", "") + self.redirects[path])
        for prefix, mounted in self.mounts.items():
            if path.startswith(f"{prefix}/"):
                scope["root_path"] = scope.get("root_path", "") + prefix
                return mounted
        return error_answer(404, f"there is no {path[:100]}")


class Later:
    """An app that is made when it is first asked for: one that takes long to import, and that most requests never reach."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self.make, self._making = make, asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        await (await self._made())(scope, receive, send)

    async def _made(self) -> ASGIApp:
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(self.make)
            return self._app


class TimeLimit:
    """Answers 504 when nothing has been answered after `seconds`; the timer ends with the request and keeps nothing alive."""

    def __init__(self, app: ASGIApp, seconds: float = LONGEST_ANSWER_S) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                timer.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self.seconds) as timer:
                await self.app(scope, receive, noting)
        except TimeoutError:
            if started or not timer.expired():
                raise
            await error_answer(504, f"there was no answer within {self.seconds:g} seconds")(scope, receive, send)


def joined(routes: Sequence[Route]) -> list[BaseRoute]:
    """The routes with those of one path made one: asked for by another method, it then tells of all that it allows."""
    by_path: dict[str, list[Route]] = {}
    for route in routes:
        by_path.setdefault(route.path, []).append(route)
    return [same[0] if len(same) == 1 else _one_of(same) for same in by_path.values()]


def _one_of(routes: Sequence[Route]) -> Route:
    endpoints = {method: route.endpoint for route in routes for method in route.methods or ()}

    async def endpoint(request: Request) -> Response:
        answer: Response = await endpoints[request.method](request)
        return answer

    return Route(routes[0].path, endpoint, methods=list(endpoints))

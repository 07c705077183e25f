"""The outermost layer: every request has an id, a line in the log, and a place in the metrics.

Nothing personal is written: no query, no body, no path that we do not know; of the caller, the id of the key.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Collection
from http import HTTPStatus
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.front.context import CALLER, LOCAL, REQUEST_ID
from serving.front.logs import FACTS

log = logging.getLogger("keepwell.requests")

ELSEWHERE = "(no such path)"

_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,100}")


class Counts(Protocol):
    """What counts requests: by route, method and status, with how long each took."""

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one."""


class RequestLog:
    """Gives each request an id, the one in `X-Request-ID` where it is sane, and tells of it when it is over.

    `paths` are the routes that there are; below each of `prefixes` all is one route. `quiet` ones are told of only when they
    fail: probes come every few seconds.
    """

    def __init__(
        self, app: ASGIApp, counts: Counts, paths: Collection[str], prefixes: Collection[str], quiet: Collection[str] = ()
    ) -> None:
        self.app, self.counts = app, counts
        self.paths, self.prefixes, self.quiet = frozenset(paths), tuple(prefixes), frozenset(quiet)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given_id(scope) or secrets.token_hex(8)
        REQUEST_ID.set(request_id)
        CALLER.set(LOCAL)
        answer = _Answer(send, request_id.encode())
        began = time.perf_counter()
        try:
            await self.app(scope, receive, answer.send)
        finally:
            self._tell(scope, answer, time.perf_counter() - began)

    def _tell(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route, method = self._route(scope["path"], answer.status), scope["method"]
        if route in self.quiet and answer.status < HTTPStatus.BAD_REQUEST:
            return
        if route not in {ELSEWHERE, *self.quiet}:
            self.counts.request(route, method, answer.status, seconds)
        facts = {
            "request_id": REQUEST_ID.get(),
            "method": method,
            "route": route,
            "status": answer.status,
            "ms": round(seconds * 1000, 2),
            "key": CALLER.get().id or None,
            "bytes": answer.bytes,
        }
        log.info(_LINE, *(told if told is not None else "-" for told in facts.values()), extra={FACTS: facts})

    def _route(self, path: str, status: int) -> str:
        if path in self.paths:
            return path
        below = (f"{prefix}/" for prefix in self.prefixes if path.startswith(f"{prefix}/"))
        return next(below, ELSEWHERE) if status != HTTPStatus.NOT_FOUND else ELSEWHERE


_LINE = "request %s: %s %s %s in %s ms, key %s, %s bytes"


class _Answer:
    """Passes an answer on under the request's id, and notes its status and size. 499: the client went before it began."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send, self._id = send, request_id
        self.status, self.bytes = 499, 0

    async def send(self, message: Message) -> None:
        """What the service within sends to."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", self._id)]}
        else:
            self.bytes += len(message.get("body", b""))
        await self._send(message)


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode("ascii") if _SANE_ID.fullmatch(value) else None
    return None

"""The layers that ask who calls: the hosts that a browser may mean, and the key that a path needs."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepwell.errors import RequestError
from serving.endpoints.answers import answer_to, error_answer
from serving.front.access import KeyRing, refused
from serving.front.context import CALLER, LOCAL, Caller
from serving.front.limits import RateLimits
from serving.front.scopes import OPEN, needed_for

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_PROXY_HEADERS = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})


class Access:
    """Lets a request through whose key may do what its path needs, and says in `CALLER` whose it is.

    Where `keys_required` is false, nobody needs a key (see `LocalOnly`); one that is sent is checked all the same.
    """

    def __init__(self, app: ASGIApp, ring: KeyRing, limits: RateLimits, *, keys_required: bool) -> None:
        self.app, self.ring, self.limits, self.keys_required = app, ring, limits, keys_required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan" and self.keys_required:
            await self._live(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            caller = await self._caller(Headers(scope=scope), scope)
        except RequestError as error:
            await _refuse(answer_to(error), scope, receive, send)
            return
        CALLER.set(caller)
        if wait_s := self._wait_s(caller):
            told = f"the key may make {caller.requests_per_minute} requests a minute"
            await _refuse(error_answer(429, told, wait_s=wait_s), scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application live, and know the keys before the first caller comes."""
        reading: list[asyncio.Task[None]] = []

        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":  # the store has its tables now, and nobody is let in yet
                reading.append(await self.ring.begin())
            await send(message)

        try:
            await self.app(scope, receive, told)
        finally:
            for task in reading:
                task.cancel()

    def _wait_s(self, caller: Caller) -> int:
        return 0 if caller.requests_per_minute is None else self.limits.wait_s(caller.id, caller.requests_per_minute)

    async def _caller(self, headers: Headers, scope: Scope) -> Caller:
        needed = needed_for(scope["path"])
        if needed == OPEN:
            return LOCAL
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            caller = await self.ring.caller(key.strip())
        elif scheme or self.keys_required:
            raise refused("a key is needed", "no_key")
        else:
            caller = LOCAL
        require_scope(caller, needed)
        return caller


class Hosts:
    """Refuses requests to host names that are not ours, and those that a page of another site makes.

    Both guard a service that asks for no keys from web pages open in a browser on its machine. `allowed` are host names
    without port; None allows all.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] | None) -> None:
        self.app, self.allowed = app, None if allowed is None else frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and self.allowed is not None:
            try:
                _require_ours(Headers(scope=scope), self.allowed)
            except RequestError as error:
                await _refuse(answer_to(error), scope, receive, send)
                return
        await self.app(scope, receive, send)


class LocalOnly:
    """Refuses whoever is not on this machine, and whoever came through a proxy on it, which makes all the world look local."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            try:
                _require_local(scope)
            except RequestError as error:
                await _refuse(answer_to(error), scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, and end a connection on which a body may come that nobody reads."""
    if scope["method"] not in {"GET", "HEAD"}:
        answer.headers["Connection"] = "close"
    await answer(scope, receive, send)


def host_name(host: str) -> str:
    """The name in a Host header, in small letters; empty where there is none.

    >>> host_name("LocalHost:3000"), host_name("[::1]:3000"), host_name("::1")
    ('localhost', '::1', '')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_local(scope: Scope) -> bool:
    """Whether the other end of the connection is on this machine."""
    peer = scope.get("client")
    try:
        return peer is not None and ipaddress.ip_address(peer[0]).is_loopback
    except ValueError:
        return False


def _require_ours(headers: Headers, allowed: frozenset[str]) -> None:
    host, origin = headers.get("host", ""), headers.get("origin")
    if host_name(host) not in allowed:
        hint = "name it in KEEPWELL_ALLOWED_HOSTS"
        raise RequestError(f"the host {host[:100]!r} is not served here", hint=hint, status=403, code="wrong_host")
    if origin is not None and host_name(origin.partition("//")[2]) not in allowed:
        hint = "call from a program, or from our console"
        raise RequestError("a page of another site may not call", hint=hint, status=403, code="wrong_origin")


def _require_local(scope: Scope) -> None:
    if is_local(scope) and not any(name in _PROXY_HEADERS for name, _ in scope["headers"]):
        return
    raise RequestError(
        "the service asks for no keys, and answers only to programs on its own machine",
        hint="start it with KEEPWELL_REQUIRE_KEYS=true, and send a key",
        status=403,
        code="not_local",
    )


def require_scope(caller: Caller, needed: str) -> None:
    """Raise RequestError where the caller's scopes do not allow what asks for `needed`."""
    if not caller.may(needed):
        has = ", ".join(sorted(caller.scopes)) or "none"
        raise RequestError(
            f"the key lacks the scope {needed}; it has {has}",
            hint=f"make one that has it: keepwell keys create NAME --scope {needed}",
            status=403,
            code="missing_scope",
        )

"""Which language a page speaks: what its address asks for, else what the browser was told before, else what it prefers."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "简体中文"}
"""Code -> the language's own name; the first is spoken to whoever prefers none of them."""

PARAMETER = "lang"
COOKIE = "keepwell_language"
_A_YEAR_S = 365 * 24 * 3600

_spoken: ContextVar[str] = ContextVar("language", default="en")


def spoken() -> str:
    """The language of the page that is being made.

    >>> spoken()
    'en'
    """
    return _spoken.get()


def speak(language: str) -> None:
    """Make the pages of this request, and of no other, in a language; KeyError for one that there is not."""
    _spoken.set(language if language in LANGUAGES else LANGUAGES[language])


def preferred(accepted: str) -> str:
    """The first of our languages in an `Accept-Language` header, by its weights.

    >>> preferred("fr, zh-CN;q=0.8, en;q=0.5"), preferred("en-GB,zh;q=0.1"), preferred("zh;q=0, *"), preferred(";;q=x")
    ('zh', 'en', 'en', 'en')
    """
    ours = [(weight, code) for code, weight in map(_weighed, accepted.split(",")) if code in LANGUAGES and weight > 0]
    return max(ours, key=lambda one: one[0])[1] if ours else next(iter(LANGUAGES))


def _weighed(part: str) -> tuple[str, float]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return name.partition("-")[0].lower(), float(weight or 1)
    except ValueError:
        return "", 0.0


class ChooseLanguage:
    """Sets the language of each request; a choice made in an address is kept in a cookie, which says nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = _asked_for(scope)
        speak(asked or _remembered(scope) or preferred(Headers(scope=scope).get("accept-language", "")))

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Accept-Language, Cookie")
                headers["Content-Language"] = spoken()
                if asked:
                    path = scope.get("root_path") or "/"
                    headers.append("Set-Cookie", f"{COOKIE}={asked}; Path={path}; Max-Age={_A_YEAR_S}; SameSite=Lax; HttpOnly")
            await send(message)

        await self.app(scope, receive, remembering)


def _asked_for(scope: Scope) -> str:
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get(PARAMETER, [""])[-1]
    return wanted if wanted in LANGUAGES else ""


def _remembered(scope: Scope) -> str:
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None and found.value in LANGUAGES else ""

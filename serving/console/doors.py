"""Who comes in: sessions by cookie, forms that only our own pages can send, and sign-in that cannot be tried for ever."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from keepwell.errors import RequestError
from serving.console.passwords import LONGEST, matches, nobodys
from serving.console.roles import ALONE, Role, Visitor
from serving.store.people import People, User

SESSION, VISIT = "keepwell_session", "keepwell_visit"
"""The cookies of who has signed in and of who has not; both hold 256 random bits."""

LASTS, IDLE = timedelta(hours=12), timedelta(hours=2)
"""A session ends so long after it began, and so long after it was last used."""

_NOTED_EVERY = timedelta(minutes=1)
LOOKS_BACK, MOST_FROM_HERE, MOST_IN_ALL = timedelta(minutes=15), 5, 25
"""After so many refusals of a name, from one place or from all, nobody signs in by it until the oldest are so long ago."""


@dataclass(frozen=True)
class Doors:
    """`people` hands out the users of the store, `now` the instant; `alone` lets anybody in until somebody is set up."""

    people: Callable[[], People]
    now: Callable[[], datetime]
    alone: bool = True

    def visitor(self, request: Request, *, quiet: bool = False) -> Visitor | None:
        """Who sends the request; None for somebody who must sign in first. A `quiet` one does not keep the session awake."""
        token = request.cookies.get(SESSION)
        found = self.holder(token, quiet=quiet) if token else None
        return found or (ALONE if self.alone and not self.people().any() else None)

    def holder(self, token: str, *, quiet: bool = False) -> Visitor | None:
        """Whose session a token is of; None for one that has ended."""
        people, at, token_hash = self.people(), self.now(), _hash(token)
        found = people.session(token_hash, at=at, idle=IDLE)
        if found is None:
            return None
        user, seen_at = found
        if at - seen_at > _NOTED_EVERY and not quiet:
            people.seen(token_hash, at=at)
        return Visitor(user.name, Role(user.role))

    def sign_in(self, request: Request, name: str, password: str) -> str:
        """Begin a session and give its token. RequestError when the name and password do not fit, or were tried too often."""
        people, at, origin = self.people(), self.now(), _origin(request)
        _refuse_many(people, name, origin, at)
        user = _fitting(people.find(name), password)
        if user is None:
            people.refused(name[:LONGEST], origin, at=at)
            raise RequestError("name or password is wrong", hint="try again", status=403, code="sign_in")
        token = secrets.token_urlsafe(32)
        people.begin_session(user, _hash(token), at=at, lasts=LASTS, origin=origin)
        return token

    def sign_out(self, request: Request, who: str) -> None:
        """End the session of a request."""
        if token := request.cookies.get(SESSION):
            self.people().end_session(_hash(token), at=self.now(), who=who)


def secret_of(request: Request) -> str:
    """What ties forms to this browser: the token of its session, or of its visit, made now where there is none yet."""
    return request.cookies.get(SESSION) or request.cookies.get(VISIT) or secrets.token_urlsafe(32)


def form_token(secret: str) -> str:
    """What a form of ours carries; only who knows the cookie, which no other site's page does, can make it."""
    return hmac.new(secret.encode(), b"keepwell form", hashlib.sha256).hexdigest()


def is_own_form(request: Request, given: str) -> bool:
    """Whether a form was sent from a page that we gave to this session or visit."""
    known = request.cookies.get(SESSION) or request.cookies.get(VISIT) or ""
    from_elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
    return not from_elsewhere and bool(known) and hmac.compare_digest(form_token(known).encode(), given.encode())


def require_own_form(request: Request, given: str) -> None:
    """Raise RequestError unless a form was sent from a page of ours."""
    if not is_own_form(request, given):
        raise RequestError("the form is too old, or not one of ours", hint="reload the page and send it again", status=403)


def from_our_page(request: Request) -> bool:
    """Whether the browser says that a page of ours sent the form, be it one of a session that is over."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def keep_cookie(request: Request, response: Response, name: str, token: str, lasts: timedelta | None = None) -> None:
    """Give the browser a token to keep: unseen by scripts, not sent along from other sites, and over TLS where there is TLS."""
    age_s = None if lasts is None else int(lasts.total_seconds())
    path, secure = request.scope.get("root_path") or "/", request.url.scheme == "https"
    response.set_cookie(name, token, max_age=age_s, path=path, httponly=True, samesite="lax", secure=secure)


def _fitting(user: User | None, password: str) -> User | None:
    """The user whose password it is. An unknown name and a disabled user take as long as a wrong password."""
    fits = matches(password, user.password_hash if user else nobodys())
    return user if user is not None and fits and user.disabled_at is None else None


def _refuse_many(people: People, name: str, origin: str, at: datetime) -> None:
    from_here, in_all = people.refusals(name[:LONGEST], origin, since=at - LOOKS_BACK)
    if from_here >= MOST_FROM_HERE or in_all >= MOST_IN_ALL:
        minutes = int(LOOKS_BACK.total_seconds() // 60)
        raise RequestError("too many attempts", hint=f"wait {minutes} minutes", status=429, code="too_many_attempts")


def _origin(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

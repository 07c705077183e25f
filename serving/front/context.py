"""What is known of the request that is at work: who makes it, and the name by which logs know it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from serving.front.scopes import ANY_KEY, OPEN, SCOPES


@dataclass(frozen=True)
class Caller:
    """Who calls: the id and name of a key; both empty for whoever calls from this machine where no key is asked for.

    `requests_per_minute` is None where there is no limit.
    """

    id: str = ""
    name: str = ""
    requests_per_minute: int | None = None
    scopes: frozenset[str] = frozenset(SCOPES)

    def may(self, needed: str) -> bool:
        """Whether the scopes allow what asks for `needed`."""
        return needed in self.scopes or needed in (OPEN, ANY_KEY) or "admin" in self.scopes

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.id else "local"


LOCAL = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=LOCAL)
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

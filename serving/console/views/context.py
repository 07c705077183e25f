"""What every view works with: the store, the day, the scores that this console shows, and the renderer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from serving.console.customers import FeatureRows
from serving.console.message import empty_page
from serving.console.render import Renderer
from serving.store.reading import Reader
from serving.store.records import Load, ScoreRow


class LoadFacts:
    """What takes a pass over all customers, worked out once per load: a load never changes."""

    def __init__(self) -> None:
        self.summary = lru_cache(maxsize=8)(Reader.summary)
        self.choices = lru_cache(maxsize=8)(Reader.choices)


@dataclass(frozen=True)
class Context:
    """The console as its views see it; see `console_app` for the first four fields."""

    store: Callable[[], Reader]
    clock: Callable[[], date]
    company: str | None
    horizon_days: int | None
    renderer: Renderer = field(default_factory=Renderer)
    facts: LoadFacts = field(default_factory=LoadFacts)

    def open(self) -> tuple[Reader, Load | None]:
        """The store and the load that a request shows from top to bottom."""
        store = self.store()
        return store, store.current_load(self.company, self.horizon_days)

    def empty(self, request: Request, *, here: str, status: int = 200) -> Response:
        """The page that says how to get scores, while there are none."""
        return self.renderer.answer(request, "message.html", empty_page(), here=here, status=status)


def features_of(store: Reader, load: Load, rows: Sequence[ScoreRow]) -> FeatureRows:
    """The features of the customers of `rows`, by id."""
    return store.features_by_id(load, [row.customer_id for row in rows])

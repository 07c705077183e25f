"""What every view works with: the store, the day, the scores that this console shows, and the renderer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from decisions.labels import Tier
from decisions.migration import Flow, migration
from decisions.policy import Policy
from serving.console.background import Background
from serving.console.current import Current
from serving.console.customers import FeatureRows
from serving.console.doors import Doors
from serving.console.masking import Masked
from serving.console.message import empty_page
from serving.console.peers import tier_sample
from serving.console.render import Renderer
from serving.console.roles import Right, Visitor
from serving.console.what_if import Foresee
from serving.model_desk import ModelDesk
from serving.plans.evidence import EvidenceShelf, Expected
from serving.plans.policy import read_policy
from serving.review.shelf import ReviewShelf
from serving.store import Store
from serving.store.listing import WORDS
from serving.store.reading import Reader
from serving.store.records import CustomerFilter, Load, ScoreRow


def tier_flows(store: Store, load: Load) -> tuple[tuple[Flow, ...], date | None]:
    """How customers moved between tiers since the scoring of the date before, and that date; None where none is kept."""
    before = store.past.load_before(load)
    if before is None:
        return (), None
    columns = ("customer_id", "value_tier", "expected_value")
    was, now = (
        store.listing(each).frame.select(columns).with_columns(pl.col("value_tier").cast(pl.String)) for each in (before, load)
    )
    both = was.join(now, on="customer_id", how="full", suffix="_now")
    words = (both[name].to_numpy() for name in ("value_tier", "value_tier_now"))
    values = (both[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in ("expected_value", "expected_value_now"))
    return migration(tuple(Tier), *words, *values), before.as_of


def overdue(store: Store, load: Load, patience: Patience) -> tuple[str, ...] | None:
    """Who has a complaint open for longer than their tier is allowed, as `Day.overdue` tells it."""
    return store.day.overdue(load, patience.days)


@dataclass(frozen=True)
class Patience:
    """How many days a complaint may stay open: by tier, and where the policy sets none for the tier."""

    by_tier: tuple[tuple[str, float], ...]
    otherwise: float = 2.0

    def days(self, tier: str | None) -> float:
        """The days of one tier."""
        return dict(self.by_tier).get(tier or "", self.otherwise)


class LoadFacts:
    """What takes a pass over all customers, worked out once per load: a load never changes."""

    def __init__(self) -> None:
        self.summary = lru_cache(maxsize=8)(Reader.summary)
        self.choices = lru_cache(maxsize=8)(Reader.choices)
        self.tier_sample = lru_cache(maxsize=64)(tier_sample)
        self.flows = lru_cache(maxsize=8)(tier_flows)
        self.overdue = lru_cache(maxsize=8)(overdue)


@dataclass(frozen=True)
class Context:
    """The console as its views see it; see `console_app` for all but the last three fields."""

    store: Callable[[], Store]
    now: Callable[[], datetime]
    company: str | None
    horizon_days: int | None
    alone: bool
    reviews: ReviewShelf | None = None
    models: ModelDesk | None = None
    foresee: Foresee | None = None
    rules: Policy | None = None
    evidence: EvidenceShelf | None = None
    renderer: Renderer = field(default_factory=Renderer)
    facts: LoadFacts = field(default_factory=LoadFacts)
    background: Background = field(default_factory=Background)

    @cached_property
    def current(self) -> Current:
        """Which scores are shown."""
        return Current(self._read)

    @cached_property
    def policy(self) -> Policy:
        """The rules by which plans are made: what may be recorded follows from them."""
        return self.rules or read_policy()

    @cached_property
    def patience(self) -> Patience:
        """How long complaints may stay open: the hours to resolve one that the policy sets for each tier."""
        hours = {str(tier): targets.resolve_hours for tier, targets in self.policy.targets.items()}
        return Patience(tuple((tier, each / 24) for tier, each in hours.items() if each is not None))

    def expected(self, load: Load) -> Expected:
        """The effects that plans of a load expect of actions: by the newest evidence known on its day."""
        if self.evidence is None:
            return Expected({}, ())
        return self.evidence.expected(load.company, load.horizon_days, load.as_of, self.policy)

    def overdue(self, load: Load) -> tuple[str, ...] | None:
        """Whose complaints are past their time, by id; None where that is not known."""
        return self.facts.overdue(self.store(), load, self.patience)

    @cached_property
    def doors(self) -> Doors:
        """Who comes in."""
        return Doors(lambda: self.store().people, self.now, self.alone)

    def today(self) -> date:
        """The day by which scores count as stale."""
        return self.now().date()

    def open(self, request: Request) -> tuple[Reader, Load | None]:
        """What the visitor may read of the store, and the load that this request shows from top to bottom."""
        store = self.store()
        reader = store if visitor_of(request).may(Right.SEE_PEOPLE) else Masked(store)
        return reader, self.load()

    def load(self) -> Load | None:
        """The load that pages show now; None while there is none."""
        store = self.store()
        return self.current.load(store, store.current_load(self.company, self.horizon_days), self.now())

    def _read(self, store: Store, load: Load) -> None:
        """Work out all that the pages of a load ask for first."""
        store.customer_ids(load, CustomerFilter())
        self.facts.summary(store, load)
        self.facts.choices(store, load, *WORDS)
        self.facts.flows(store, load)
        self.overdue(load)

    def empty(self, request: Request, *, here: str, status: int = 200) -> Response:
        """The page that says how to get scores, while there are none."""
        return self.renderer.answer(request, "message.html", empty_page(), here=here, status=status)


def features_of(store: Reader, load: Load, rows: Sequence[ScoreRow]) -> FeatureRows:
    """The features of the customers of `rows`, by id."""
    return store.features_by_id(load, [row.customer_id for row in rows])


def visitor_of(request: Request) -> Visitor:
    """Who sends the request; the pages have seen to it that there is somebody."""
    visitor: Visitor = request.state.visitor
    return visitor

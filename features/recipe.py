"""What asked features take: which aggregates of which views, with only the columns that these need. Both executors follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from features.catalog import FEATURES
from features.definitions import Aggregate, Feature, Shared, View
from features.tables import TABLES, Kind
from features.views import PURCHASE_DAYS, VIEWS
from keepwell.errors import ConfigError

BASE = Aggregate(PURCHASE_DAYS.name, "count")
"""Who has one of these at a date has a row there."""


@dataclass(frozen=True)
class Recipe:
    """Features in the order asked for, the steps they share, their aggregates by view, and the views cut to what is needed.

    The view of `BASE` comes first.
    """

    features: tuple[Feature, ...]
    aggregates: Mapping[str, tuple[Aggregate, ...]]
    views: Mapping[str, View]
    shared: tuple[Shared, ...]


def recipe(names: Sequence[str]) -> Recipe:
    """The recipe of these features; ConfigError for a name that the catalog lacks.

    >>> sorted(recipe(["recency_days", "complaints_30d"]).views)
    ['complaints', 'purchase_days']
    """
    return _recipe(tuple(names))


@lru_cache(maxsize=64)
def _recipe(names: tuple[str, ...]) -> Recipe:
    unknown = sorted(set(names) - set(FEATURES))
    if unknown:
        raise ConfigError(f"unknown feature {unknown[0]!r}", hint="docs/features.md lists every feature")
    features = tuple(FEATURES[name] for name in names)
    wanted = {BASE, *(one for feature in features for one in feature.aggregates)}
    ordered = sorted(wanted, key=lambda one: (one.view != BASE.view, one.name))
    aggregates = {view: tuple(members) for view, members in groupby(ordered, key=lambda one: one.view)}
    views = {
        view: VIEWS[view].needed({name for one in members for name in (one.column, one.where)})
        for view, members in aggregates.items()
    }
    shared = {given.name: given for feature in features for given in feature.inputs if isinstance(given, Shared)}
    return Recipe(features, aggregates, views, tuple(shared.values()))


def event_day(table: str) -> str | None:
    """The column with the day on which rows of a table happen; None for a table without events."""
    event_time = TABLES[table].event_time
    return f"{event_time.removesuffix('_at')}_day" if event_time else None


def is_text(table: str, column: str) -> bool:
    """Whether a column of a table holds text or ids, and so no numbers."""
    return any(known.name == column and known.kind in (Kind.TEXT, Kind.ID) for known in TABLES[table].columns)

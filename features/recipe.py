"""What asked features take: which aggregates of which views, with only the columns that these need. Both executors follow it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from typing import NamedTuple

from features.builders.attributes import attributes_view
from features.catalog import find
from features.definitions import Aggregate, Feature, Formula, View
from features.own import view_of
from features.tables import TABLES, Kind
from features.views import ATTRIBUTES, PURCHASE_DAYS

BASE = Aggregate(PURCHASE_DAYS.name, "count")
"""Who has one of these at a date has a row there."""


class Step(NamedTuple):
    """How a feature is made, and the names of the aggregates that no later feature needs."""

    name: str
    formula: Formula
    inputs: tuple[Aggregate, ...]
    done_with: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Recipe:
    """Features in the order asked for, their aggregates by view, and the views cut to what is needed.

    The view of `BASE` comes first.
    """

    features: tuple[Feature, ...]
    aggregates: Mapping[str, tuple[Aggregate, ...]]
    views: Mapping[str, View]

    @cached_property
    def tables(self) -> Mapping[str, tuple[View, ...]]:
        """The views by the table that they are of."""
        tables = dict.fromkeys(view.table for view in self.views.values())
        return {table: tuple(view for view in self.views.values() if view.table == table) for table in tables}

    @cached_property
    def ages(self) -> Mapping[str, frozenset[int | None]]:
        """View -> the bounds of the windows of its aggregates; None stands for all time."""
        return {
            view: frozenset(age for one in aggregates for age in (one.window.newest, one.window.oldest))
            for view, aggregates in self.aggregates.items()
        }

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """How the features are made, in order."""
        last = {one.name: place for place, feature in enumerate(self.features) for one in feature.inputs}
        done_with: dict[int, list[str]] = {}
        for name, place in last.items():
            done_with.setdefault(place, []).append(name)
        features = enumerate(self.features)
        return tuple(Step(made.name, made.formula, made.inputs, tuple(done_with.get(place, ()))) for place, made in features)

    @cached_property
    def reads(self) -> Mapping[str, Mapping[str, bool]]:
        """Table -> column that its views read -> whether it holds texts."""
        return {
            table: {name: is_text(table, name, views) for name in sorted({name for view in views for name in view.sources()})}
            for table, views in self.tables.items()
        }


def recipe(names: Sequence[str]) -> Recipe:
    """The recipe of these features; ConfigError for a name that the catalog lacks.

    >>> sorted(recipe(["recency_days", "complaints_30d"]).views)
    ['complaints', 'purchase_days']
    """
    return _recipe(tuple(names))


@lru_cache(maxsize=64)
def _recipe(names: tuple[str, ...]) -> Recipe:
    features = tuple(map(find, names))
    wanted = {BASE, *(one for feature in features for one in feature.aggregates)}
    ordered = sorted(wanted, key=lambda one: (one.view != BASE.view, one.name))
    aggregates = {view: tuple(members) for view, members in groupby(ordered, key=lambda one: one.view)}
    views = {
        view: _view(view, {name for one in members for name in (one.column, one.where)}) for view, members in aggregates.items()
    }
    return Recipe(features, aggregates, views)


def forget_recipes() -> None:
    """Let go of all recipes: a feature that was looked up is no longer what it was."""
    _recipe.cache_clear()


def _view(name: str, wanted: Collection[str]) -> View:
    """A view with the columns and conditions that are wanted; that of attributes has what the names of its columns say."""
    view = attributes_view(wanted) if name == ATTRIBUTES.name else view_of(name)
    return view.needed(wanted)


def event_day(table: str) -> str | None:
    """The column with the day on which rows of a table happen; None for a table without events."""
    event_time = TABLES[table].event_time
    return f"{event_time.removesuffix('_at')}_day" if event_time else None


def is_text(table: str, column: str, views: Iterable[View] = ()) -> bool:
    """Whether a column of a table holds text or ids, and so no numbers; of attributes, the `views` of the table say so."""
    declared = (known.name for known in TABLES[table].columns if known.kind in (Kind.TEXT, Kind.ID))
    return column in declared or any(column in view.texts for view in views)

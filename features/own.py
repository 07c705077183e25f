"""Features of one's own: which are known in this process, and where their builders are found.

A builder is what ours are: a module (or any object) with `FEATURES`, and `VIEWS` where it counts what no view of ours does. It
is taken in from the entry points of `keepwell.features`, for all companies; from `features:` in a company.yaml, for this company;
or by `take_in`. Before its first use it is tried against the laws of features (`features.trial`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from features.builders.attributes import parsed
from features.definitions import Feature, View
from features.tables import TABLES
from features.views import ATTRIBUTES, VIEWS
from keepwell.errors import ConfigError
from keepwell.extensions import PREFIX, checked_name, loaded, offered

GROUP = "keepwell.features"


@dataclass(frozen=True)
class Builder:
    """Features of one's own, and the views that they need beside ours."""

    features: tuple[Feature, ...]
    views: tuple[View, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its features."""
        return tuple(feature.name for feature in self.features)


_FEATURES: dict[str, Feature] = {}
_VIEWS: dict[str, View] = {}
_MODULES: dict[str, str] = {}


def own_feature(name: str) -> Feature | None:
    """The feature of one's own with this name; None where none is known."""
    if not name.startswith(PREFIX):
        return None
    if name not in _FEATURES:
        installed_names()
    return _FEATURES.get(name)


def view_of(name: str) -> View:
    """The view of this name, ours or one's own; KeyError where there is none."""
    return VIEWS[name] if name in VIEWS else _VIEWS[name]


@lru_cache(maxsize=1)
def installed_names() -> tuple[str, ...]:
    """The features that installed packages offer, taken in. ConfigError for one that breaks a rule or a law."""
    return tuple(name for point in offered(GROUP).values() for name in take_in(loaded(point)))


@lru_cache(maxsize=64)
def module_names(module: str) -> tuple[str, ...]:
    """The features of an importable module, taken in. ConfigError where it does not import, or breaks a rule or a law."""
    try:
        builder = import_module(module)
    except Exception as error:  # whatever a stranger's module raises, its user wants words
        told = f"the features {module!r} of company.yaml do not import ({type(error).__name__}: {error})"
        raise ConfigError(told, hint="name a module that is installed, or whose folder is on PYTHONPATH") from error
    names = take_in(builder)
    _MODULES.update(dict.fromkeys(names, module))
    return names


def modules_of(names: Iterable[str]) -> tuple[str, ...]:
    """The modules that features of one's own among `names` were taken in from, for another process to take them in as well."""
    return tuple(dict.fromkeys(_MODULES[name] for name in names if name in _MODULES))


def take_in(builder: object) -> tuple[str, ...]:
    """Make the features of a builder known in this process, once they have kept the laws; their names.

    ConfigError says which rule or law is broken; then nothing of the builder is known. A builder that is known already is fine,
    another definition under a known name is not.
    """
    made = _builder(builder)
    fresh = [feature for feature in made.features if _FEATURES.get(feature.name) != feature]
    for name in (*(one.name for one in fresh if one.name in _FEATURES), *_other_views(made.views)):
        raise ConfigError(f"{name} is defined twice", hint="rename one of the two; after a change, start Python anew")
    if fresh:
        _admit(Builder(tuple(fresh), made.views))
    return made.names


def _admit(builder: Builder) -> None:
    """Let the builder be known while it is tried, and after that only if it has passed."""
    from features.recipe import forget_recipes  # noqa: PLC0415  # a recipe looks up features here
    from features.trial import try_features  # noqa: PLC0415  # so does a panel, which the trial makes

    before = set(_VIEWS)
    _FEATURES.update({feature.name: feature for feature in builder.features})
    _VIEWS.update({view.name: view for view in builder.views})
    try:
        try_features(builder.features)
    except BaseException:
        for name in builder.names:
            _FEATURES.pop(name)
        for name in set(_VIEWS) - before:
            _VIEWS.pop(name)
        forget_recipes()
        raise


def _builder(found: object) -> Builder:
    """What was found, if it is a builder, its names are fit, and all that it reads is there."""
    if not isinstance(found, Builder):
        if not hasattr(found, "FEATURES"):
            what = getattr(found, "__name__", type(found).__name__)
            raise ConfigError(f"{what} has no FEATURES", hint="a builder is a module with FEATURES = (feature(...), ...)")
        found = Builder(tuple(found.FEATURES), tuple(getattr(found, "VIEWS", ())))
    _refuse_strangers(found.features, Feature, "FEATURES")
    _refuse_strangers(found.views, View, "VIEWS")
    for view in found.views:
        _refuse_unreadable(checked_name(view.name, "view"), view.table)
    views = {**VIEWS, **_VIEWS, **{view.name: view for view in found.views}}
    for feature in found.features:
        _refuse_unreadable(checked_name(feature.name, "feature"), feature.entry.table)
        _refuse_unknown_aggregates(feature, views)
    return found


def _refuse_strangers(found: Iterable[object], kind: type, where: str) -> None:
    for one in found:
        if not isinstance(one, kind):
            hint = f"make it with features.definitions.{kind.__name__.lower() if kind is Feature else kind.__name__}(...)"
            raise ConfigError(f"{where} holds {one!r}, which is no {kind.__name__}", hint=hint)


def _refuse_unreadable(name: str, table: str) -> None:
    """ConfigError for a table that there is not, and for labels: they tell what came after."""
    known = [table for table in TABLES if table != "labels"]
    if table not in known:
        raise ConfigError(f"{name} is of the table {table!r}", hint=f"features may read {', '.join(known)}")


def _refuse_unknown_aggregates(feature: Feature, views: Mapping[str, View]) -> None:
    for one in feature.inputs:
        if one.view not in views:
            hint = f"put it into VIEWS, or take one of {', '.join(views)}"
            raise ConfigError(f"{feature.name} reads the view {one.view!r}, which there is not", hint=hint)
        view = views[one.view]
        if view.name == ATTRIBUTES.name and parsed(one.column):
            continue  # its columns are made from their names
        columns = {"age", "day", *view.keys, *(view.totals if view.keys else view.columns)}
        columns |= {*view.previous, *view.following, *view.running, *view.later}
        if one.how != "count" and one.column not in columns:
            hint = f"the view has {', '.join(sorted(columns))}"
            raise ConfigError(f"{feature.name} reads {one.view}.{one.column}, which there is not", hint=hint)
        if one.where and one.where not in view.conditions:
            hint = f"the view has {', '.join(view.conditions) or 'none'}"
            raise ConfigError(f"{feature.name} asks for the condition {one.where!r} of {one.view}", hint=hint)


def _other_views(views: Iterable[View]) -> list[str]:
    return [view.name for view in views if _VIEWS.get(view.name, view) != view]

"""The catalog: every feature there is, with what a reader must know of it. Docs, models and the console read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType

from features.builders import attributes, basket, complaints, contacts, payments, rfm, subscriptions, surveys, tenure
from features.builders.attributes import attribute_feature, parsed
from features.company import Company
from features.definitions import Entry, Feature
from features.own import installed_names, module_names, own_feature, view_of
from features.views import ATTRIBUTES
from features.vocabulary import attribute_names, has, is_column_timely
from keepwell.errors import ConfigError
from keepwell.extensions import PREFIX as OWN

FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        feature.name: feature
        for builder in (rfm, tenure, complaints, basket, payments, subscriptions, surveys, contacts, attributes)
        for feature in builder.FEATURES
    }
)
"""Name -> definition, in catalog order."""

CATALOG: Mapping[str, Entry] = MappingProxyType({name: feature.entry for name, feature in FEATURES.items()})
"""Name -> entry, in catalog order."""


def find(name: str) -> Feature:
    """The feature of this name: of the catalog, one's own (`own_...`), of an attribute (`attr_...`). ConfigError without one."""
    found = _found(name)
    if found is None and name.startswith(OWN):
        hint = "install the package that offers it as keepwell.features, or name its module under features: in company.yaml"
        raise ConfigError(f"{name} is a feature of one's own, and it is not here", hint=hint)
    if found is None:
        near = [f"is it {other}? " for other in get_close_matches(name, FEATURES, n=1)]
        raise ConfigError(f"unknown feature {name!r}", hint=f"{''.join(near)}`keepwell features --catalog` lists every feature")
    return found


def entry_of(name: str) -> Entry | None:
    """What a reader must know of a feature; None where this version does not have it."""
    found = _found(name)
    return found.entry if found else None


def _found(name: str) -> Feature | None:
    return FEATURES.get(name) or own_feature(name) or attribute_feature(name)


def own_names(company: Company) -> tuple[str, ...]:
    """The features of one's own that a company may have: of installed packages, and of the modules of its company.yaml."""
    return tuple(dict.fromkeys((*installed_names(), *(name for module in company.builders for name in module_names(module)))))


def panel_names(company: Company, dates: Sequence[date]) -> tuple[str, ...]:
    """What a panel of these dates holds: the features of the catalog that the company allows, then those of its attributes.

    Which texts of an attribute have a feature is told by what was known before the newest date. Where several dates meet, what
    is known of the day of the export alone is left out: at the dates before, it would tell what came after them.
    """
    timely = len(set(dates)) > 1
    of_catalog = (name for name in feature_names(company) if not timely or is_timely(company, name))
    return (*of_catalog, *attribute_names(company, max(dates), timely=timely))


def is_timely(company: Company, name: str) -> bool:
    """Whether a feature can be had at any date: nothing that it reads is known of the day of the export alone."""
    return all(is_column_timely(company, column) for column in _columns_of_customers(find(name)))


def allows(company: Company, name: str) -> bool:
    """Whether a company has what a feature is made of; of an attribute, a column of the same kind."""
    attribute = parsed(name)
    if attribute is not None:
        return has(company, attribute)
    found = _found(name)
    return found is not None and _builds_on(company.tables, found) and _columns(found) <= _present(company)


def feature_names(tables: Collection[str] | Company) -> tuple[str, ...]:
    """The features that these tables allow, in catalog order, those of one's own last.

    Table names alone allow all that builds on them; a company, only what its optional columns allow as well.

    >>> "recency_days" in feature_names({"transactions"}), "complaints_30d" in feature_names({"transactions"})
    (True, False)
    """
    if isinstance(tables, Company):
        present, known = _present(tables), (*feature_names(tables.tables.keys()), *own_names(tables))
        return tuple(
            name for name in dict.fromkeys(known) if _builds_on(tables.tables, find(name)) and _columns(find(name)) <= present
        )
    return tuple(name for name in (*FEATURES, *installed_names()) if _builds_on(tables, find(name)))


def _builds_on(tables: Collection[str], feature: Feature) -> bool:
    """Whether a feature is made of no other tables than these."""
    return all(view_of(one.view).table in tables for one in feature.aggregates)


def _present(company: Company) -> set[str]:
    """The columns of the normalised tables, as "transactions.amount"."""
    return {f"{table}.{column}" for table, frame in company.tables.items() for column in frame.columns}


def _columns_of_customers(feature: Feature) -> set[str]:
    """The columns of customers that a feature reads as attributes are read."""
    read = {parsed(one.column) for one in feature.aggregates if one.view == ATTRIBUTES.name}
    return {attribute.column for attribute in read if attribute}


def _columns(feature: Feature) -> set[str]:
    """The normalised columns that stand for what a feature needs: a time is kept as its day."""
    return {f"{column.removesuffix('_at')}_day" if column.endswith("_at") else column for column in feature.needs}

"""The catalog: every feature there is, with what a reader must know of it. Docs, models and the console read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from features import basket, complaints, contacts, payments, rfm, surveys, tenure
from features.company import Company
from features.definitions import Entry, Feature
from features.views import VIEWS

FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        feature.name: feature
        for builder in (rfm, tenure, complaints, basket, payments, surveys, contacts)
        for feature in builder.FEATURES
    }
)
"""Name -> definition, in catalog order."""

CATALOG: Mapping[str, Entry] = MappingProxyType({name: feature.entry for name, feature in FEATURES.items()})
"""Name -> entry, in catalog order."""


def feature_names(tables: Collection[str] | Company) -> tuple[str, ...]:
    """The features that these tables allow, in catalog order.

    Table names alone allow all that builds on them; a company, only what its optional columns allow as well.

    >>> "recency_days" in feature_names({"transactions"}), "complaints_30d" in feature_names({"transactions"})
    (True, False)
    """
    if isinstance(tables, Company):
        present = {f"{table}.{column}" for table, frame in tables.tables.items() for column in frame.columns}
        return tuple(name for name in feature_names(tables.tables.keys()) if _columns(FEATURES[name]) <= present)
    return tuple(
        name for name, feature in FEATURES.items() if {VIEWS[one.view].table for one in feature.aggregates} <= set(tables)
    )


def _columns(feature: Feature) -> set[str]:
    """The normalised columns that stand for what a feature needs: a time is kept as its day."""
    return {f"{column.removesuffix('_at')}_day" if column.endswith("_at") else column for column in feature.needs}

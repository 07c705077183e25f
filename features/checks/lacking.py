"""What a company lacks, and what it would bring: the features that each absent table or column would add, and other uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import polars as pl

from features.catalog import feature_names
from features.company import Company
from features.tables import TABLES, Column, Kind, Table

SERVES: Mapping[str, str] = MappingProxyType(
    {
        "customers": "attributes of your own",
        "complaints": "service to those who are waiting for an answer, in plans",
        "payments": "a credit grade",
        "contacts": "rest periods between contacts in plans",
        "surveys": "loyalty by what customers say",
        "transactions.category": "the next category",
        "transactions.cost": "values as margin instead of revenue",
        "transactions.list_amount": "telling deal seekers apart",
        "customers.consent": "plans that ask only whom they may",
        "customers.preferred_channel": "plans by the channel that each likes",
        "customers.birthday": "birthday cards in plans",
        "customers.wallet": "potential value and quadrants from what customers spend elsewhere",
        "customers.service_cost": "lifetime value less what serving each customer costs",
    }
)
"""What tables and columns are good for beside features."""


@dataclass(frozen=True)
class Lacking:
    """A table or column that is not there: what it holds, how many features take it, and what else it is good for."""

    place: str
    meaning: str
    features: int
    serves: str | None

    def __str__(self) -> str:
        taken = f"{self.features} feature{'s' if self.features > 1 else ''}" if self.features else None
        return f"{self.place}: {self.meaning.rstrip('.')}; for {' and '.join(filter(None, (taken, self.serves)))}"


def lacking(company: Company) -> tuple[Lacking, ...]:
    """The absent tables, then the absent columns of present ones, that would bring something; the most features first.

    Of a column, features are counted that take it where the table's other columns are there as well.
    """
    found = [*_absent_tables(company), *(one for name in company.tables for one in _absent_columns(company, TABLES[name]))]
    useful = [one for one in found if one.features or one.serves]
    return tuple(sorted(useful, key=lambda one: ("." in one.place, -one.features)))


def _absent_tables(company: Company) -> Iterator[Lacking]:
    now = len(feature_names(company))
    for name, table in TABLES.items():
        if name not in company.tables:
            more = len(feature_names(_with(company, table, table.columns))) - now
            yield Lacking(name, table.meaning, more, SERVES.get(name))


def _absent_columns(company: Company, table: Table) -> Iterator[Lacking]:
    present = company.tables[table.name].columns
    absent = [column for column in table.columns if _kept_as(column) not in present and column.name != "known_at"]
    whole = len(feature_names(_with(company, table, absent)))
    for column in absent:
        without = len(feature_names(_with(company, table, [other for other in absent if other is not column])))
        place = f"{table.name}.{column.name}"
        yield Lacking(place, column.meaning, whole - without, SERVES.get(place))


def _with(company: Company, table: Table, columns: Sequence[Column]) -> Company:
    """The same company with more columns in a table, and no rows: which features there are depends on columns alone."""
    frames = {name: frame.head(0) for name, frame in company.tables.items()}
    made = {_kept_as(column): pl.Series([], dtype=pl.Null) for column in columns}
    return replace(company, tables={**frames, table.name: frames.get(table.name, pl.DataFrame()).with_columns(**made)})


def _kept_as(column: Column) -> str:
    """The column of a normalised table: a time is kept as its day."""
    return f"{column.name.removesuffix('_at')}_day" if column.kind is Kind.TIME else column.name

"""Flat companies: customers whose answers somebody wrote down, and no log of what they did. One date, one row a customer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import polars as pl

from features.asof import NEVER_DAY, day_date, day_number
from features.builders.attributes import parsed
from features.company import Company
from features.tables import LOGS
from features.vocabulary import attributes_of

JOINED = "days_since_joined"
"""The feature of the catalog that a snapshot of customers allows."""


def is_flat(company: Company) -> bool:
    """Whether who left is only known where a label says so."""
    return not any(table in company.tables for table in LOGS)


def flat_day(company: Company) -> date | None:
    """The date of a flat table: the newest that its labels look ahead from. None without labels, and where there is a log."""
    if not is_flat(company) or "labels" not in company.tables or company.tables["labels"].is_empty():
        return None
    return day_date(int(company.tables["labels"]["as_of_day"].max()))  # type: ignore[arg-type]  # an int32 column that is not empty


def flat_names(company: Company, known_of: pl.Series, left_out: Collection[str] = ()) -> tuple[str, ...]:
    """The features of the attributes but those `left_out`; the values of texts are those common among customers `known_of`."""
    people = company.tables["customers"].filter(pl.col("customer_id").is_in(known_of.implode()))
    chosen = [column for column in company.attributes if column not in left_out]
    of_attributes = (attribute.name for column in chosen for attribute in attributes_of(people[column]))
    joined = (JOINED,) if "joined_day" in people.columns and "joined_at" not in left_out else ()
    return (*joined, *of_attributes)


def flat_panel(company: Company, as_of: date, names: Sequence[str]) -> pl.DataFrame:
    """customer_id, as_of and the features `names` (Float64, missing null) of all customers known before `as_of`, sorted by id."""
    people = company.known_rows("customers", day_number(as_of)).sort("customer_id")
    columns = [_value(company, name, day_number(as_of)).cast(pl.Float64).alias(name) for name in names]
    return people.select("customer_id", pl.lit(as_of).alias("as_of"), *columns)


def source_column(name: str) -> str:
    """The column of customers that a feature of a flat table is made of.

    >>> source_column("attr_plan_is_gold"), source_column("days_since_joined")
    ('plan', 'joined_at')
    """
    attribute = parsed(name)
    return attribute.column if attribute else "joined_at"


def _value(company: Company, name: str, day: int) -> pl.Expr:
    """A feature as `features.builders.attributes` and `features.builders.tenure` define it, for rows of customers alone."""
    attribute = parsed(name)
    if attribute is None:
        joined = pl.col("joined_day")
        return pl.when((joined < day) & (joined != NEVER_DAY)).then(day - joined)
    column = pl.col(attribute.column)
    if attribute.how == "text":
        return column == pl.lit(attribute.value)
    if attribute.how == "days":
        return pl.lit(day) - column
    return column / pl.lit(10 ** company.scales.get(f"customers.{attribute.column}", 0))

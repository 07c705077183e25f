"""Which features the attributes of a company give at a date, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from features.asof import day_number
from features.attributes import Attribute
from features.company import Company, Note, NoteKind

MOST_VALUES = 20
"""How many values of one text have a feature, the most common ones."""

LEAST_SHARE, LEAST_CUSTOMERS, ENOUGH_SHARE = 0.01, 20, 0.05
"""A value has a feature when so large a share of the customers hold it, and so many do, or a share that is enough of few."""

LONGEST_VALUE = 40
"""Characters, all of them printable."""


def attribute_names(company: Company, as_of: date, *, snapshots: bool) -> tuple[str, ...]:
    """The features of a company's attributes, as they were known before `as_of`; without `snapshots`, of those of any date alone.

    Of texts, the values that have a column are those common among the customers with a purchase known before `as_of`.
    """
    if not company.attributes:
        return ()
    people = _known_buyers(company, as_of)
    chosen = [column for column in company.attributes if snapshots or tells_of_any_date(company, column)]
    return tuple(attribute.name for column in chosen for attribute in _attributes_of(people[column]))


def tells_of_any_date(company: Company, column: str) -> bool:
    """Whether a column of customers may be read at any date: it never changes, or its rows say since when they are known."""
    return company.attributes.get(column) == "static" or "known_day" in company.tables["customers"].columns


def attribute_notes(company: Company, as_of: date, *, snapshots: bool) -> tuple[Note, ...]:
    """What `attribute_names` leaves out, and how to bring it in."""
    if not company.attributes:
        return ()
    return (*_snapshot_notes(company, snapshots=snapshots), *_value_notes(company, as_of, snapshots=snapshots))


def _snapshot_notes(company: Company, *, snapshots: bool) -> Iterator[Note]:
    columns = [column for column in company.attributes if not tells_of_any_date(company, column)]
    if columns and not snapshots:
        yield Note(NoteKind.REPORTED, "customers", None, snapshot_message(columns))


def snapshot_message(columns: Iterable[str]) -> str:
    """Why snapshots do not enter training, and how they would."""
    return (
        f"{', '.join(columns)}: as of the day of the export, so left out where several dates meet, as in training; "
        "give the table a known_at, or name what never changes under static: in company.yaml"
    )


def _value_notes(company: Company, as_of: date, *, snapshots: bool) -> Iterator[Note]:
    people = _known_buyers(company, as_of)
    for column in company.attributes:
        if people[column].dtype == pl.String and (snapshots or tells_of_any_date(company, column)):
            different = people[column].drop_nulls().n_unique()
            with_column = len(_common_values(people[column]))
            if with_column < different:
                told = f"{with_column} of its {different:,} values have a feature; the others are too rare or too long"
                yield Note(NoteKind.REPORTED, "customers", column, told)


def _known_buyers(company: Company, as_of: date) -> pl.DataFrame:
    """The rows of customers, known before `as_of`, of those who bought before it."""
    day = day_number(as_of)
    buyers = company.known_rows("transactions", day).filter(pl.col("amount") > 0).select(pl.col("customer_id").unique())
    return company.known_rows("customers", day).join(buyers, on="customer_id", how="semi")


def _attributes_of(values: pl.Series) -> list[Attribute]:
    """The features of one attribute, by the type that `columns.read_attribute` gave it."""
    if values.dtype == pl.String:
        return [Attribute(values.name, "text", value) for value in _common_values(values)]
    return [Attribute(values.name, "days" if values.dtype == pl.Int32 else "number")]


def _common_values(texts: pl.Series) -> list[str]:
    """The values with a feature, the most common first; one of those that differ by case alone, which some engines ignore."""
    few = min(LEAST_CUSTOMERS, math.ceil(ENOUGH_SHARE * len(texts)))
    least = max(math.ceil(LEAST_SHARE * len(texts)), few)
    counted = pl.DataFrame({"text": texts}).drop_nulls().group_by("text").len().filter(pl.col("len") >= least)
    ordered = counted.sort(["len", "text"], descending=[True, False])["text"].to_list()
    readable = [text for text in ordered if text.isprintable() and len(text) <= LONGEST_VALUE]
    different = {text.casefold(): text for text in reversed(readable)}
    return [text for text in readable if different[text.casefold()] == text][:MOST_VALUES]

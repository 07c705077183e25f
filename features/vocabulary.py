"""Which features the attributes of a company give at a date, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import polars as pl

from features.asof import day_number
from features.builders.attributes import WALLET, Attribute, How
from features.company import Company, Note, NoteKind

MOST_VALUES = 20
"""How many values of one text have a feature, the most common ones."""

LEAST_SHARE, LEAST_CUSTOMERS, ENOUGH_SHARE = 0.01, 20, 0.05
"""A value has a feature when so large a share of the customers hold it, and so many do, or a share that is enough of few."""

LONGEST_VALUE = 40
"""Characters, all of them printable."""


def attribute_names(company: Company, as_of: date, *, timely: bool) -> tuple[str, ...]:
    """The features of a company's attributes at `as_of`; only those of `timely` columns, if so asked.

    Of texts, the values that have a feature are those common among the customers with a purchase known before `as_of`.
    """
    chosen = _chosen(company, timely=timely)
    people = _known_buyers(company, as_of) if chosen else pl.DataFrame()
    return tuple(attribute.name for column in chosen for attribute in attributes_of(people[column]))


def is_column_timely(company: Company, column: str) -> bool:
    """Whether a column of customers tells of any date: it never changes, or its rows say since when they are known."""
    return company.attributes.get(column) == "static" or "known_day" in company.tables["customers"].columns


def has(company: Company, attribute: Attribute) -> bool:
    """Whether a company has this attribute, of this kind."""
    return attribute.column in company.attributes and _how(company.tables["customers"][attribute.column]) == attribute.how


def left_out(company: Company, as_of: date, *, timely: bool) -> tuple[Note, ...]:
    """What `attribute_names` leaves out, and why."""
    chosen = _chosen(company, timely=timely)
    people = _known_buyers(company, as_of) if chosen else pl.DataFrame()
    rare = (note for column in chosen for note in _rare_notes(people[column]))
    return (*(snapshot_notes(company) if timely else ()), *rare)


def snapshot_notes(company: Company) -> tuple[Note, ...]:
    """Which columns of customers that features read are known only as of the day of the export, and how they may teach."""
    if not {"customers", "transactions"} <= set(company.tables):
        return ()
    present = company.tables["customers"].columns
    read = dict.fromkeys((*company.attributes, WALLET))
    snapshots = [name for name in read if name in present and not is_column_timely(company, name)]
    message = (
        f"{', '.join(snapshots)}: known only as of the day of the export, so left out where several dates meet, as in training; "
        "give the table a known_at, or name what never changes under static: in company.yaml"
    )
    return (Note(NoteKind.REPORTED, "customers", None, message),) if snapshots else ()


def _rare_notes(values: pl.Series) -> Iterator[Note]:
    different, told = values.drop_nulls().n_unique(), len(attributes_of(values))
    if _how(values) == "text" and told < different:
        message = f"{told} of its {different:,} values have a feature; the others are too rare or too long"
        yield Note(NoteKind.REPORTED, "customers", values.name, message)


def _chosen(company: Company, *, timely: bool) -> list[str]:
    return [column for column in company.attributes if not timely or is_column_timely(company, column)]


def _known_buyers(company: Company, as_of: date) -> pl.DataFrame:
    """The rows of customers, known before `as_of`, of those who bought before it."""
    day = day_number(as_of)
    purchases = company.known_rows("transactions", day, "customer_id", "amount").filter(pl.col("amount") > 0)
    buyers = purchases.select(pl.col("customer_id").unique())
    return company.known_rows("customers", day).join(buyers, on="customer_id", how="semi")


def attributes_of(values: pl.Series) -> list[Attribute]:
    """The features of one attribute."""
    how = _how(values)
    return [Attribute(values.name, how, value) for value in (common_values(values) if how == "text" else [""])]


def _how(values: pl.Series) -> How:
    """How an attribute is taken, by the type that `columns.read_attribute` gave it."""
    return "text" if values.dtype == pl.String else "days" if values.dtype == pl.Int32 else "number"


def common_values(texts: pl.Series) -> list[str]:
    """The values with a feature, the most common first; one of those that differ by case alone, which some engines ignore."""
    few = min(LEAST_CUSTOMERS, math.ceil(ENOUGH_SHARE * len(texts)))
    least = max(math.ceil(LEAST_SHARE * len(texts)), few)
    counted = pl.DataFrame({"text": texts}).drop_nulls().group_by("text").len().filter(pl.col("len") >= least)
    ordered = counted.sort(["len", "text"], descending=[True, False])["text"].to_list()
    readable = [text for text in ordered if text.isprintable() and len(text) <= LONGEST_VALUE]
    different = {text.casefold(): text for text in reversed(readable)}
    return [text for text in readable if different[text.casefold()] == text][:MOST_VALUES]

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from features.catalog import feature_names
from features.checks.lacking import SERVES, lacking
from features.company import Company
from features.reading.assemble import assemble
from features.tables import TABLES

DAY = datetime(2024, 1, 1)
TRANSACTIONS = pl.DataFrame({"customer_id": ["a"], "ordered_at": [DAY], "amount": [5.0]})


def shop(**more: pl.DataFrame) -> Company:
    return assemble({"transactions": TRANSACTIONS, **more}, key="shop")


def whole(name: str) -> pl.DataFrame:
    """One row of a table with all its columns."""
    values = {"time": DAY, "date": DAY.date(), "money": 1.0, "number": 1.0, "flag": 1.0, "id": "a", "text": "x"}
    return pl.DataFrame({one.name: [one.choices[0] if one.choices else values[one.kind]] for one in TABLES[name].columns})


@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("transactions", "labels")])
def test_an_absent_table_brings_the_features_that_it_says(name: str) -> None:
    told = {one.place: one.features for one in lacking(shop())}
    more = len(feature_names(shop(**{name: whole(name)}))) - len(feature_names(shop()))
    assert told.get(name, 0) == more


def test_an_absent_column_is_needed_by_the_features_that_it_says() -> None:
    full = whole("transactions")
    with_all = len(feature_names(shop(transactions=full)))
    for one in lacking(shop()):
        column = one.place.removeprefix("transactions.")
        if column in full.columns:
            assert one.features == with_all - len(feature_names(shop(transactions=full.drop(column)))), one.place


def test_a_company_that_has_all_lacks_nothing() -> None:
    tables = {name: whole(name) for name in TABLES}
    assert lacking(assemble(tables, key="shop")) == ()


def test_tables_come_first_and_the_most_useful_before_others() -> None:
    found = lacking(shop())
    assert [("." in one.place, -one.features) for one in found] == sorted(("." in one.place, -one.features) for one in found)
    assert "transactions.quantity" in [one.place for one in found]


def test_what_brings_nothing_yet_is_not_asked_for() -> None:
    assert all(one.features or one.serves for one in lacking(shop()))


@pytest.mark.parametrize("place", SERVES)
def test_every_use_belongs_to_a_table_or_column_that_there_is(place: str) -> None:
    table, _, column = place.partition(".")
    assert not column or TABLES[table].column(column)

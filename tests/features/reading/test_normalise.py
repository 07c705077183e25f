from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.asof import NEVER_DAY, NEVER_US, day_number
from features.company import NoteKind
from features.reading.normalise import Reading, normalise
from features.tables import TABLES
from keepwell.errors import DataError

TRANSACTIONS = TABLES["transactions"]
CUSTOMERS = TABLES["customers"]
GOOD = pl.DataFrame(
    {"customer_id": ["00001", "2"], "ordered_at": [datetime(2020, 1, 1, 10), datetime(2020, 1, 2)], "amount": [9.99, -5.0]}
)


def test_a_normalised_table_has_the_columns_of_the_contract() -> None:
    normalised = normalise(TRANSACTIONS, GOOD, Reading())
    assert normalised.frame.schema == {
        "customer_id": pl.String,
        "ordered_day": pl.Int32,
        "ordered_us": pl.Int64,
        "amount": pl.Int64,
        "known_day": pl.Int32,
        "superseded_day": pl.Int32,
    }
    first = normalised.frame.row(0, named=True)
    assert (first["customer_id"], first["ordered_day"], first["amount"]) == ("00001", day_number(date(2020, 1, 1)), 999)
    assert normalised.decimals == {"amount": 2}


@given(st.permutations(["customer_id", "ordered_at", "amount"]))
def test_the_order_of_columns_does_not_matter_and_the_input_is_not_changed(names) -> None:
    raw = GOOD.select(names)
    before = raw.clone()
    assert normalise(TRANSACTIONS, raw, Reading()).frame.equals(normalise(TRANSACTIONS, GOOD, Reading()).frame)
    assert raw.equals(before)


def test_missing_times_are_never() -> None:
    raw = GOOD.with_columns(delivered_at=pl.Series([None, datetime(2020, 1, 5)], dtype=pl.Datetime("us")))
    frame = normalise(TRANSACTIONS, raw, Reading()).frame
    assert frame["delivered_day"].to_list() == [NEVER_DAY, day_number(date(2020, 1, 5))]
    assert frame["delivered_us"][0] == NEVER_US


def test_a_row_is_known_when_both_it_happened_and_was_told() -> None:
    raw = GOOD.with_columns(known_at=pl.Series([datetime(2020, 3, 1), datetime(2019, 1, 1)]))
    normalised = normalise(TRANSACTIONS, raw, Reading())
    assert normalised.frame["known_day"].to_list() == [day_number(date(2020, 3, 1)), day_number(date(2020, 1, 2))]
    assert ("known on a later day than it happened", 1) in {(note.message, note.rows) for note in normalised.notes}


def test_the_decimals_of_a_model_can_be_kept() -> None:
    assert normalise(TRANSACTIONS, GOOD, Reading(decimals={"amount": 3})).frame["amount"].to_list() == [9990, -5000]


def test_identical_rows_are_kept_and_reported() -> None:
    normalised = normalise(TRANSACTIONS, pl.concat([GOOD, GOOD]), Reading())
    assert normalised.frame.height == 4
    assert [(note.kind, note.rows) for note in normalised.notes] == [(NoteKind.REPORTED, 2)]


@pytest.mark.parametrize("name", ["customer_id", "ordered_at", "amount"])
def test_an_empty_required_cell_is_refused_by_its_row(name) -> None:
    raw = GOOD.with_columns(pl.Series(name, [GOOD[name][0], None], dtype=GOOD[name].dtype))
    with pytest.raises(DataError, match=rf"transactions\.{name}: must not be empty \(1 row, for example 'row 2'\)"):
        normalise(TRANSACTIONS, raw, Reading())


def test_a_missing_required_column_is_refused() -> None:
    with pytest.raises(DataError, match=r"transactions\.amount: is required, and missing"):
        normalise(TRANSACTIONS, GOOD.drop("amount"), Reading())


def test_a_second_row_of_a_customer_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"customers\.customer_id: must have one row for each customer_id \(2 rows, for example 'a'\)"
    ):
        normalise(CUSTOMERS, pl.DataFrame({"customer_id": ["a", "b", "a"]}), Reading())


def test_two_labels_of_a_customer_need_two_dates() -> None:
    labels = pl.DataFrame({"customer_id": ["a", "a"], "as_of": [date(2020, 1, 1), date(2020, 2, 1)], "churned": [0, 1]})
    assert normalise(TABLES["labels"], labels, Reading()).frame["as_of_day"].n_unique() == 2
    with pytest.raises(DataError, match="one row for each customer_id and as_of"):
        normalise(TABLES["labels"], labels.with_columns(as_of=date(2020, 1, 1)), Reading())


def test_a_column_with_a_name_that_keepwell_makes_is_refused() -> None:
    raw = pl.DataFrame({"customer_id": ["a"], "joined_at": [date(2020, 1, 1)], "joined_day": [3]})
    with pytest.raises(DataError, match=r"customers\.joined_day: has the name of a column that Keepwell makes itself"):
        normalise(CUSTOMERS, raw, Reading())


def test_an_empty_table_keeps_its_columns() -> None:
    raw = pl.DataFrame(
        {"customer_id": [], "opened_at": [], "complaint_id": []},
        schema=dict.fromkeys(["customer_id", "opened_at", "complaint_id"], pl.String),
    )
    frame = normalise(TABLES["complaints"], raw, Reading()).frame
    assert frame.height == 0
    assert {"opened_day", "known_day", "superseded_day"} <= set(frame.columns)


def test_a_wrong_type_names_the_column() -> None:
    with pytest.raises(DataError, match=r"transactions\.ordered_at: must hold dates or times, not Boolean"):
        normalise(TRANSACTIONS, GOOD.with_columns(ordered_at=pl.lit(value=True)), Reading())

import pytest

from features.company import NoteKind
from features.reading.matching import is_personal, match_columns
from features.tables import TABLES
from keepwell.errors import DataError

TRANSACTIONS = TABLES["transactions"]


def test_our_own_names_need_no_note() -> None:
    match = match_columns(TRANSACTIONS, ["amount", "customer_id", "ordered_at"], {})
    assert match.ours == {name: name for name in ("customer_id", "ordered_at", "amount")}
    assert match.notes == ()


def test_other_names_are_guessed_and_every_guess_is_told() -> None:
    present = ["Customer ID", "InvoiceDate", "Revenue", "StockCode", "Colour"]
    match = match_columns(TRANSACTIONS, present, {})
    assert match.ours == dict(zip(["customer_id", "ordered_at", "amount", "product_id"], present, strict=False))
    assert match.extra == ("Colour",)
    assert {(note.kind, note.column) for note in match.notes} == {(NoteKind.GUESSED, name) for name in match.ours}


def test_a_mapping_goes_before_the_same_name() -> None:
    match = match_columns(TRANSACTIONS, ["customer_id", "ordered_at", "amount", "Net"], {"amount": "Net"})
    assert match.ours["amount"] == "Net"
    assert match.extra == ("amount",)
    assert [(note.kind, note.column) for note in match.notes] == [(NoteKind.MAPPED, "amount")]


def test_two_candidates_are_no_guess() -> None:
    with pytest.raises(DataError, match=r"transactions\.amount: is missing, and could be 'Revenue', 'Total'") as refused:
        match_columns(TRANSACTIONS, ["customer_id", "ordered_at", "Revenue", "Total"], {})
    assert "tables: {transactions: {columns: {amount: Revenue}}}" in refused.value.hint


def test_one_column_that_could_be_two_of_ours_is_no_guess() -> None:
    match = match_columns(TABLES["subscriptions"], ["customer_id", "started_at", "EndDate"], {})
    assert match.ours["ended_at"] == "EndDate"
    with pytest.raises(DataError, match="opened_at"):
        match_columns(TABLES["complaints"], ["customer_id", "Day"], {})


def test_a_missing_required_column_says_what_is_there() -> None:
    with pytest.raises(DataError, match=r"transactions\.amount: is required, and missing among 'customer_id', 'ordered_at'"):
        match_columns(TRANSACTIONS, ["customer_id", "ordered_at"], {})


def test_the_way_out_names_all_that_is_missing() -> None:
    with pytest.raises(DataError, match=r"transactions\.customer_id: is required") as refused:
        match_columns(TRANSACTIONS, ["Kunde", "Betrag", "Datum"], {})
    assert "columns: {customer_id: YOURS, ordered_at: YOURS, amount: YOURS}" in refused.value.hint


def test_columns_without_a_name_are_told_and_left_out() -> None:
    match = match_columns(TRANSACTIONS, ["customer_id", "ordered_at", "amount", "", " "], {})
    assert match.extra == ()
    assert [note.message for note in match.notes] == ["a column without a name"] * 2


def test_a_line_of_text_is_no_header() -> None:
    with pytest.raises(DataError, match=r"is a column name of 500 letters") as refused:
        match_columns(TRANSACTIONS, ["x" * 500], {})
    assert "first line" in refused.value.hint


def test_a_mapped_column_must_be_there() -> None:
    with pytest.raises(DataError, match=r"transactions\.Net: is not there, but company.yaml maps amount to it"):
        match_columns(TRANSACTIONS, ["customer_id", "ordered_at", "amount"], {"amount": "Net"})


@pytest.mark.parametrize("name", ["E-Mail", "Phone Number", "last_name", "IBAN"])
def test_personal_names_are_known_in_any_spelling(name) -> None:
    assert is_personal(name)
    assert not is_personal("NumberOfAddress")

"""What a company wants left out is as if it had never been in the files: columns of any table, and customers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.company import Company, NoteKind
from features.panel import build_panel, panel_names
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from features.reading.matching import PERSONAL_NAMES
from features.reading.sources import read_company, table_places
from keepwell.errors import ConfigError, DataError

DAYS = (date(2025, 3, 1), date(2025, 6, 1))
IDS = ["a", "b", "c", "d"]
CUSTOMERS = pl.DataFrame({"customer_id": IDS, "city": ["x", "y", "x", "y"], "referred_by": [None, "a", "b", "a"]})
TRANSACTIONS = pl.DataFrame(
    {
        "customer_id": IDS * 3,
        "ordered_at": [date(2025, month, day) for month in (1, 2, 4) for day in (3, 9, 17, 28)],
        "amount": [5.0, 7.25, 1.5, 30.0] * 3,
    }
)
COMPLAINTS = pl.DataFrame({"customer_id": ["a", "c"], "opened_at": [date(2025, 2, 2), date(2025, 2, 5)]})


def company(
    customers: pl.DataFrame = CUSTOMERS, complaints: pl.DataFrame = COMPLAINTS, *, without: tuple[str, ...] = (), **said: Any
) -> Company:
    config = CompanyConfig.model_validate({"static": ["city"], **said})
    frames = {"transactions": TRANSACTIONS, "customers": customers, "complaints": complaints}
    return assemble(frames, key="shop", config=config, left_out_customers=without)


def same(one: Company, other: Company) -> bool:
    """Whether two companies hold the same: tables, attributes, minor units, and so features and models."""
    tables = all(frame.equals(other.tables[name]) for name, frame in one.tables.items())
    told = one.fingerprint() == other.fingerprint() and (one.attributes, one.scales) == (other.attributes, other.scales)
    return tables and told and list(one.tables) == list(other.tables)


texts = st.lists(st.none() | st.text(max_size=5), min_size=4, max_size=4).map(lambda values: pl.Series(values, dtype=pl.String))
numbers = st.lists(st.none() | st.floats(allow_nan=True), min_size=4, max_size=4).map(
    lambda values: pl.Series(values, dtype=pl.Float64)
)


@settings(max_examples=12)
@given(texts | numbers, texts | numbers, st.sampled_from(["gender", "age", "wallet", "kind", "name", "birthday", "consent"]))
def test_whatever_a_column_holds_that_is_left_out_features_are_the_same(first: pl.Series, then: pl.Series, name: str) -> None:
    never = company()
    for values in (first, then):
        held = company(CUSTOMERS.with_columns(values.alias(name)), leave_out=[name])
        assert same(held, never)
        assert panel_names(held, DAYS) == panel_names(never, DAYS)
        assert build_panel(held, DAYS).equals(build_panel(never, DAYS))


def test_a_column_of_another_table_is_left_out_by_its_table_and_name() -> None:
    held = company(complaints=COMPLAINTS.with_columns(severity=pl.Series([9.0, -3.0])), leave_out=["complaints.severity"])
    assert same(held, company())


def test_a_column_under_a_name_of_yours_is_left_out_by_either_name() -> None:
    table = {"customers": {"columns": {"kind": "Segment"}}}
    for name in ("kind", "Segment"):
        held = company(CUSTOMERS.with_columns(Segment=pl.lit("trader")), leave_out=[name], tables=table)
        assert "kind" not in held.tables["customers"].columns
        assert "Segment" not in held.tables["customers"].columns


def test_what_is_left_out_is_told() -> None:
    told = [str(note) for note in company(CUSTOMERS.with_columns(gender=pl.lit("f")), leave_out=["gender"]).notes]
    assert "ignored  customers.gender: left out, as leave_out: in company.yaml says" in told


def test_a_flat_company_leaves_out_as_well() -> None:
    people = pl.DataFrame({"customer_id": IDS, "visits": [1, 2, 3, 4], "gender": ["f", "m", "f", "m"]})
    labels = pl.DataFrame({"customer_id": IDS, "as_of": [DAYS[0]] * 4, "churned": [True, False, True, False]})
    config = CompanyConfig(leave_out=("gender",))
    held = assemble({"customers": people, "labels": labels}, key="flat", config=config)
    assert same(held, assemble({"customers": people.drop("gender"), "labels": labels}, key="flat"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gendre", r"customers\.gendre: is to be left out, but there is no such column"),
        ("complaints.mood", r"complaints\.mood: is to be left out, but there is no such column"),
        ("payments.paid_at", r"payments\.paid_at: is to be left out, but there is no such table"),
        ("customer_id", r"customers\.customer_id: cannot be left out"),
        ("transactions.amount", r"transactions\.amount: cannot be left out"),
    ],
)
def test_what_is_not_there_or_cannot_be_spared_is_refused(name: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        company(leave_out=[name])


def test_when_something_was_known_cannot_be_left_out() -> None:
    with pytest.raises(DataError, match=r"complaints\.known_at: cannot be left out"):
        company(complaints=COMPLAINTS.with_columns(known_at=pl.lit(date(2025, 3, 1))), leave_out=["complaints.known_at"])


def test_a_column_is_used_or_left_out() -> None:
    with pytest.raises(ValueError, match="'city' is under static and under leave_out"):
        CompanyConfig.model_validate({"static": ["city"], "leave_out": ["city"]})


@given(st.sets(st.sampled_from(IDS), max_size=3))
def test_customers_who_are_left_out_were_never_there(who: set[str]) -> None:
    kept = ~pl.col("customer_id").is_in(list(who))
    brought = pl.when(~pl.col("referred_by").is_in(list(who))).then("referred_by")
    never = assemble(
        {
            "transactions": TRANSACTIONS.filter(kept),
            "customers": CUSTOMERS.filter(kept).with_columns(brought.alias("referred_by")),
            "complaints": COMPLAINTS.filter(kept),
        },
        key="shop",
        config=CompanyConfig(static=("city",)),
    )
    held = company(without=tuple(who))
    assert same(held, never)


def test_ids_that_are_numbers_are_left_out_by_their_digits() -> None:
    frames = {"transactions": TRANSACTIONS.with_columns(customer_id=pl.Series([1, 2, 3, 4] * 3))}
    assert assemble(frames, key="shop", left_out_customers=("1", "2")).tables["transactions"][
        "customer_id"
    ].unique().sort().to_list() == [3, 4]


def test_a_company_whose_customers_are_all_left_out_is_refused() -> None:
    with pytest.raises(DataError, match=r"transactions: has no rows"):
        company(without=tuple(IDS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    TRANSACTIONS.write_csv(tmp_path / "transactions.csv")
    CUSTOMERS.write_csv(tmp_path / "customers.csv")
    (tmp_path / "company.yaml").write_text("company: shop\nleave_out_customers: gone.csv\n")
    return tmp_path


def test_a_file_says_which_customers_are_left_out(folder: Path) -> None:
    (folder / "gone.csv").write_text("customer_id,since\na,2026-01-01\nnobody,2026-01-01\n")
    read = read_company(folder)
    assert set(read.tables["transactions"]["customer_id"]) == {"b", "c", "d"}
    told = [note.message for note in read.notes if note.kind is NoteKind.IGNORED]
    assert told == ["left out, as leave_out_customers: in company.yaml says"] * 2
    assert (folder / "gone.csv").resolve() in table_places(folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id\na\n", r"list of customers\.customer_id: is missing: gone\.csv has the columns id"),
        (None, "does not exist or is empty"),
    ],
)
def test_a_file_that_names_nobody_is_refused(folder: Path, text: str | None, told: str) -> None:
    if text is not None:
        (folder / "gone.csv").write_text(text)
    with pytest.raises(DataError, match=told) as refused:
        read_company(folder)
    assert "leave_out_customers: in company.yaml must name a CSV file" in refused.value.hint


def test_unknown_keys_are_refused_as_before(folder: Path) -> None:
    (folder / "company.yaml").write_text("leave_out_customer: gone.csv\n")
    with pytest.raises(ConfigError, match="unknown key 'leave_out_customer'"):
        read_company(folder)


@settings(max_examples=40)
@given(st.sampled_from(PERSONAL_NAMES.split()), st.sampled_from(["text", "number", "day"]), st.booleans())
def test_personal_columns_never_enter_features_unless_named(name: str, held: str, of_one_date: bool) -> None:
    values = {"text": ["p", "q", "p", "q"], "number": [13800000000, 5, 6, 7], "day": [date(1980, 1, day) for day in range(1, 5)]}
    customers = CUSTOMERS.with_columns(pl.Series(name.title(), values[held]))
    dates = DAYS[:1] if of_one_date else DAYS
    assert panel_names(company(customers), dates) == panel_names(company(), dates)
    named = company(customers, static=["city", name.title()])
    assert name.title() in named.attributes


def test_an_empty_name_of_the_file_of_customers_to_leave_out_is_refused_as_it_would_leave_out_nobody() -> None:
    with pytest.raises(ValueError, match="leave_out_customers"):
        CompanyConfig.model_validate({"leave_out_customers": ""})

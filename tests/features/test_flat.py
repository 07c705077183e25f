"""Flat tables: what is read of customers alone."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.checks.check import CheckReport, check_report
from features.company import Company
from features.flat import flat_day, flat_names, flat_panel, is_flat, source_column
from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.sources import read_company
from keepwell.errors import HistoryError
from training.flat.labels import flat_check, newest_labels

DAY = date(2026, 1, 1)
MOMENT = datetime(2026, 1, 1)
PEOPLE = pl.DataFrame(
    {
        "customer_id": ["a", "b", "c"],
        "joined_at": [datetime(2025, 12, 31), datetime(2026, 2, 1), None],
        "wallet": [12.5, None, 3.0],
        "kind": ["trader", "consumer", None],
        "visits": [3, None, 5],
        "renews": [date(2026, 1, 11), None, date(2025, 12, 22)],
        "e-mail": ["a@x", "b@x", "c@x"],
        "name": ["Ann", "Bo", "Cy"],
    }
)


def flat(people: pl.DataFrame = PEOPLE, **labels: list[object]) -> Company:
    given = {"customer_id": ["a", "b", "c"], "as_of": [MOMENT] * 3, "churned": [1, 0, 1]} | labels
    return assemble({"customers": people, "labels": pl.DataFrame(given)}, key="flat")


def checked(company: Company) -> CheckReport:
    return check_report(company, flat=flat_check(company))


def test_all_columns_of_customers_enter_but_what_is_personal() -> None:
    company = flat()
    assert is_flat(company)
    assert flat_day(company) == DAY
    names = flat_names(company, pl.Series(["a", "b", "c"]))
    assert {source_column(name) for name in names} == {"joined_at", "wallet", "kind", "visits", "renews"}
    assert "attr_wallet" not in flat_names(company, pl.Series(["a", "b", "c"]), left_out=["wallet"])


def test_values_are_taken_as_attributes_are_and_what_is_missing_stays_missing() -> None:
    names = ("days_since_joined", "attr_wallet", "attr_kind_is_trader", "attr_visits", "attr_renews_days_ago")
    rows = flat_panel(flat(), DAY, names).drop("as_of").rows()
    assert rows == [
        ("a", 1.0, 12.5, 1.0, 3.0, -10.0),
        ("b", None, None, 0.0, None, None),  # joined after the date: not known at it
        ("c", None, 3.0, None, 5.0, 10.0),
    ]


def test_a_category_that_was_never_seen_is_none_of_the_known_ones() -> None:
    people = PEOPLE.with_columns(kind=pl.lit("robot"))
    assert flat_panel(flat(people), DAY, ["attr_kind_is_trader"])["attr_kind_is_trader"].to_list() == [0.0] * 3


def test_features_are_those_of_a_company_with_a_log() -> None:
    orders = pl.DataFrame({"customer_id": ["a", "b", "c"], "ordered_at": [datetime(2025, 12, 1)] * 3, "amount": [1.0] * 3})
    names = ["attr_visits", "attr_renews_days_ago", "days_since_joined"]
    with_log = build_panel(assemble({"transactions": orders, "customers": PEOPLE}, key="log"), [DAY], names)
    assert flat_panel(flat(), DAY, names).equals(with_log)


def test_the_newest_label_of_a_customer_counts_and_only_of_dates_before() -> None:
    company = flat(customer_id=["a", "a", "b"], as_of=[MOMENT, datetime(2025, 1, 1), MOMENT], churned=[1, 0, None])
    assert newest_labels(company).select("customer_id", "churned").rows() == [("a", 1.0)]
    assert newest_labels(company, before=DAY).select("customer_id", "churned").rows() == [("a", 0.0)]
    with pytest.raises(HistoryError, match="no label says of a customer whether they left before 2024-01-01"):
        newest_labels(company, before=date(2024, 1, 1))


def test_customers_alone_are_read_and_cannot_be_trained_on(tmp_path: Path) -> None:
    PEOPLE.write_parquet(tmp_path / "customers.parquet")
    report = checked(read_company(tmp_path))
    assert not report.trainable
    assert report.answer == "No: no label says of a customer whether they left"


def test_the_check_says_how_many_are_labelled_and_that_no_date_is_needed() -> None:
    many = pl.DataFrame({"customer_id": [str(n) for n in range(100)], "visits": range(100)})
    company = flat(many, customer_id=[str(n) for n in range(60)], as_of=[MOMENT] * 60, churned=[n % 3 == 0 for n in range(60)])
    lines = checked(company).lines()
    assert lines[0] == "Can I train on this?  Yes, on labels: no horizon and no date is needed."
    assert any("60 of 100 customers have one; 20 left (33.3%)" in line for line in lines)
    assert not checked(flat()).trainable

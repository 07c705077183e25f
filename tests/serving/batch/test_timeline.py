from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from features.company import Company
from features.reading.normalise import Reading, normalise
from features.tables import TABLES
from serving.batch.timeline import EVENT_TYPES, timelines

AS_OF = date(2024, 3, 1)


def company(**tables: list[dict[str, Any]]) -> Company:
    read = {name: normalise(TABLES[name], pl.DataFrame(rows), Reading()) for name, rows in tables.items()}
    scales = {f"{name}.{column}": places for name, part in read.items() for column, places in part.decimals.items()}
    return Company("test", "UTC", {name: part.frame for name, part in read.items()}, scales, {}, ())


def timeline(**tables: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    found = timelines(company(**tables), pl.Series("customer_id", ["a"]), AS_OF)
    assert dict(found.schema) == EVENT_TYPES
    return [row[1:] for row in found.rows()]


def buy(day: str, amount: float, **more: Any) -> dict[str, Any]:
    return {"customer_id": "a", "ordered_at": day, "amount": amount, **more}


def test_a_day_of_one_kind_is_one_row_with_its_sum() -> None:
    rows = [buy("2024-02-01T09:00:00", 10.5), buy("2024-02-01T18:00:00", 4), buy("2024-02-01", -3), buy("2024-01-31", 1)]
    assert timeline(transactions=rows) == [
        (date(2024, 1, 31), "purchase", 1, 1.0, None),
        (date(2024, 2, 1), "purchase", 2, 14.5, None),
        (date(2024, 2, 1), "refund", 1, -3.0, None),
    ]


def test_events_at_as_of_or_later_and_other_customers_are_not_there() -> None:
    rows = [buy("2024-03-01", 1), buy("2024-02-29T23:59:59", 2), {**buy("2024-01-01", 3), "customer_id": "b"}]
    assert [row[0] for row in timeline(transactions=rows)] == [date(2024, 2, 29)]


def test_many_details_are_cut_and_counted() -> None:
    rows = [buy("2024-02-01", 1, category=f"c{number}") for number in (1, 2, 2, 3, 4, 5)]
    assert timeline(transactions=rows)[0][4] == "c1; c2; c3; and 2 more"


@pytest.mark.parametrize(
    ("closed_at", "detail"),
    [
        ("2024-02-03", "late, severity 4, closed after 2 days"),
        ("2024-02-02", "late, severity 4, closed after 1 day"),
        ("2024-03-01", "late, severity 4, still open"),
        (None, "late, severity 4, still open"),
        ("2024-02-01", "late, severity 4, closed after 0 days"),
        ("2024-01-29", "late, severity 4, closed"),
    ],
)
def test_a_complaint_tells_what_was_known_before_as_of(closed_at: str | None, detail: str) -> None:
    complaint = {"customer_id": "a", "opened_at": "2024-02-01", "closed_at": closed_at, "category": "late", "severity": 4}
    rows = [complaint, {**complaint, "kind": "enquiry", "closed_at": "2024-02-01"}]
    found = {kind: text for _, kind, _, _, text in timeline(transactions=[buy("2024-01-01", 1)], complaints=rows)}
    assert found["complaint"] == detail
    assert "enquiry" in found


@pytest.mark.parametrize(
    ("severity", "shown"), [(3.5, "severity 3.5, "), (4.0, "severity 4, "), (10 / 3, "severity 3.33, "), (None, "")]
)
def test_a_severity_is_shown_as_it_was_given(severity: float | None, shown: str) -> None:
    complaints = [{"customer_id": "a", "opened_at": "2024-02-01", "severity": given} for given in (severity, 5.0)]
    details = timeline(transactions=[buy("2024-01-01", 1)], complaints=complaints)[1][4]
    assert details == f"{shown}still open; severity 5, still open"


@pytest.mark.parametrize(
    ("paid_at", "detail"),
    [("2024-02-01", "paid in time"), ("2024-02-11", "paid 10 days late"), ("2024-03-05", "not paid"), (None, "not paid")],
)
def test_a_payment_tells_whether_it_came(paid_at: str | None, detail: str) -> None:
    payments = [{"customer_id": "a", "due_at": "2024-02-01", "amount": 99.9, "paid_at": paid_at}]
    assert timeline(transactions=[buy("2024-01-01", 1)], payments=payments)[1][1:] == ("payment", 1, 99.9, detail)


def test_who_was_held_out_was_not_contacted() -> None:
    contact = {"customer_id": "a", "contacted_at": "2024-02-01", "action": "call", "cost": 2.5}
    rows = [{**contact, "arm": "treated"}, {**contact, "arm": "control"}]
    assert timeline(transactions=[buy("2024-01-01", 1)], contacts=rows)[1][1:] == ("contact", 1, 2.5, "call")


def test_tables_with_only_their_required_columns_do() -> None:
    found = timeline(
        transactions=[buy("2024-01-01", 1)],
        complaints=[{"customer_id": "a", "opened_at": "2024-01-02"}],
        contacts=[{"customer_id": "a", "contacted_at": "2024-01-03"}],
        payments=[{"customer_id": "a", "due_at": "2024-01-04", "amount": 5}],
    )
    assert [row[1] for row in found] == ["purchase", "complaint", "contact", "payment"]


def test_a_company_without_events_of_these_customers_has_an_empty_timeline() -> None:
    assert timelines(company(transactions=[buy("2024-01-01", 1)]), pl.Series("customer_id", ["z"]), AS_OF).is_empty()

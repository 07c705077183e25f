"""Payments: from when an invoice counts, what is late, what is overdue."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import feature_names
from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig

AS_OF = date(2024, 3, 1)
PAYMENTS = [name for name in feature_names({"transactions", "payments"}) if "payment" in name]
DAYS = st.integers(-40, 400)
INVOICES = st.lists(st.tuples(DAYS, st.none() | st.integers(-30, 90), st.integers(-20, 90)), max_size=8)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def row(*invoices: tuple[int, float, int | None], as_of: date = AS_OF, names: list[str] = PAYMENTS) -> dict[str, float | None]:
    """The features of one customer whose invoices are (days since due, amount, days since paid)."""
    rows = [("a", ago(due), amount, None if paid is None else ago(paid)) for due, amount, paid in invoices]
    payments = pl.DataFrame(
        rows, {"customer_id": pl.String, "due_at": pl.Date, "amount": pl.Float64, "paid_at": pl.Date}, orient="row"
    )
    transactions = pl.DataFrame({"customer_id": ["a"], "ordered_at": [ago(900)], "amount": [1.0]})
    company = assemble({"transactions": transactions, "payments": payments}, key="shop")
    return build_panel(company, [as_of], names).row(0, named=True)


def test_an_invoice_counts_from_the_day_after_it_fell_due() -> None:
    today, yesterday, paid_early = row((0, 10, None)), row((1, 10, None)), row((0, 10, 5))
    assert today["payments_due_30d"] == today["payments_overdue"] == paid_early["payments_due_30d"] == 0
    assert yesterday["payments_due_30d"] == yesterday["payments_overdue"] == yesterday["late_payments_30d"] == 1


@pytest.mark.parametrize(("paid", "late", "days_late"), [(12, 0, 0), (10, 0, 0), (9, 1, 1), (1, 1, 9)])
def test_late_is_what_was_not_paid_by_the_end_of_the_due_day(paid: int, late: int, days_late: int) -> None:
    made = row((10, 25.5, paid))
    assert (made["late_payments_30d"], made["payment_days_late_mean"], made["payments_overdue"]) == (late, days_late, 0)
    assert (made["payment_amount_overdue"], made["oldest_overdue_payment_days"]) == (0, None)


def test_a_payment_of_today_or_later_is_not_yet_made() -> None:
    for paid in (0, -5, None):
        made = row((10, 25.5, paid))
        assert (made["payments_overdue"], made["payment_amount_overdue"], made["oldest_overdue_payment_days"]) == (1, 25.5, 10)
        assert made["payment_days_late_mean"] is made["payment_days_late_max"] is None


def test_days_late_are_of_paid_invoices_and_the_age_of_unpaid_ones_is_a_column_of_its_own() -> None:
    made = row((100, 1, 90), (50, 1, 50), (20, 7.25, None), (40, 2.5, None))
    assert (made["payment_days_late_mean"], made["payment_days_late_max"]) == (5, 10)
    assert (made["payments_overdue"], made["payment_amount_overdue"], made["oldest_overdue_payment_days"]) == (2, 9.75, 40)
    assert (made["late_payment_share_90d"], made["late_payment_share_all"]) == (2 / 3, 3 / 4)


def test_credit_notes_are_no_payments() -> None:
    made = row((10, -50, None), (10, 0, None))
    assert made["payments_due_all"] == made["payments_overdue"] == made["payment_amount_overdue"] == 0
    assert made["late_payment_share_all"] is None


@settings(max_examples=30, deadline=None)
@given(INVOICES)
def test_what_fell_due_is_paid_or_overdue_and_what_is_overdue_is_late(invoices: list[tuple[int, int | None, int]]) -> None:
    made = row(*((due, amount, None if paid is None else due - paid) for due, paid, amount in invoices))
    assert 0 <= made["payments_overdue"] <= made["late_payments_all"] <= made["payments_due_all"]
    assert (made["oldest_overdue_payment_days"] is None) == (made["payments_overdue"] == 0)
    assert (made["payment_days_late_mean"] is None) == (made["payments_overdue"] == made["payments_due_all"])
    assert (made["payment_amount_overdue"] > 0) == (made["payments_overdue"] > 0)


@settings(max_examples=30, deadline=None)
@given(INVOICES, st.integers(1, 60))
def test_lateness_once_known_stays(invoices: list[tuple[int, int | None, int]], later: int) -> None:
    given_ = [(due, amount, None if paid is None else due - paid) for due, paid, amount in invoices]
    now, then = row(*given_), row(*given_, as_of=AS_OF + timedelta(days=later))
    assert now["late_payments_all"] <= then["late_payments_all"]
    assert now["payments_due_all"] - now["late_payments_all"] <= then["payments_due_all"] - then["late_payments_all"]


@pytest.mark.parametrize(("zone", "late"), [("America/New_York", 0), ("Europe/Berlin", 1)])
def test_the_due_day_ends_at_midnight_of_the_company(zone: str, late: int) -> None:
    transactions = pl.DataFrame({"customer_id": ["a"], "ordered_at": [ago(900)], "amount": [1.0]})
    payments = {"customer_id": ["a"], "due_at": ["2024-02-01T12:00:00Z"], "amount": [5], "paid_at": ["2024-02-02T01:00:00Z"]}
    config = CompanyConfig(zone=zone)
    company = assemble({"transactions": transactions, "payments": pl.DataFrame(payments)}, key="shop", config=config)
    assert build_panel(company, [AS_OF], ["late_payments_30d"])["late_payments_30d"].item() == late


def test_without_paid_at_only_what_fell_due_is_known() -> None:
    tables = {
        "transactions": pl.DataFrame({"customer_id": ["a"], "ordered_at": [ago(9)], "amount": [1.0]}),
        "payments": pl.DataFrame({"customer_id": ["a"], "due_at": [ago(9)], "amount": [1.0]}),
    }
    names = feature_names(assemble(tables, key="shop"))
    assert {name for name in names if "payment" in name} == {
        f"payments_due_{label}" for label in ("30d", "90d", "180d", "365d", "all")
    }


def test_a_company_without_payments_has_them_missing_when_asked() -> None:
    transactions = pl.DataFrame({"customer_id": ["a"], "ordered_at": [ago(9)], "amount": [1.0]})
    made = build_panel(assemble({"transactions": transactions}, key="shop"), [AS_OF], PAYMENTS)
    assert set(made.row(0)[2:]) == {None}

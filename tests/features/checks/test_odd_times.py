from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.checks.odd_times import odd_times
from features.company import Company
from features.reading.assemble import assemble

START = datetime(2024, 1, 1)


def shop(days: list[int], **more: pl.DataFrame) -> Company:
    """One purchase on each of the days after START, by changing customers."""
    ordered = [START + timedelta(days=int(day)) for day in days]
    ids = [f"c{n % 50}" for n in range(len(days))]
    return assemble(
        {"transactions": pl.DataFrame({"customer_id": ids, "ordered_at": ordered, "amount": 5.0}), **more}, key="shop"
    )


YEAR = list(np.random.default_rng(0).integers(0, 365, 5_000))


def test_a_year_of_purchases_is_not_odd() -> None:
    assert odd_times(shop(YEAR)) == ()


@pytest.mark.parametrize("ahead", [31, 400, 20_000])
def test_a_few_rows_long_after_all_others_are_told(ahead: int) -> None:
    end = max(YEAR)
    [odd] = odd_times(shop([*YEAR, end + ahead, end + ahead + 3]))
    last = START.date() + timedelta(days=int(end))
    assert odd.message == f"2 rows {ahead:,} days and more after all others, which end on {last}"
    assert odd.place == "transactions.ordered_at"


def test_a_short_pause_or_a_real_second_season_is_not_odd() -> None:
    end = max(YEAR)
    assert odd_times(shop([*YEAR, end + 30])) == ()
    assert odd_times(shop([*YEAR, *(end + 60 + np.arange(200))])) == ()


def test_invoices_may_fall_due_in_a_far_future() -> None:
    due = [START + timedelta(days=day) for day in [*range(100), 4_000]]
    payments = pl.DataFrame({"customer_id": "c1", "due_at": due, "amount": 5.0})
    assert odd_times(shop(YEAR, payments=payments)) == ()


def test_a_day_that_holds_far_more_rows_than_any_other_is_told_as_an_import() -> None:
    [odd] = odd_times(shop([*YEAR, *[100] * 2_000]))
    assert odd.message.endswith(f"of 7,000 rows are dated {date(2024, 4, 10)}: rather the day of an import")
    assert "known_at" in odd.way_out
    assert odd.lines()[1].startswith("    -> ")


def test_the_joining_days_of_customers_are_looked_at_too() -> None:
    joined = [START + timedelta(days=int(day)) for day in [*range(100), *[40] * 300]]
    customers = pl.DataFrame({"customer_id": [f"c{n}" for n in range(400)], "joined_at": joined})
    assert [odd.place for odd in odd_times(shop(YEAR, customers=customers))] == ["customers.joined_at"]


def test_a_campaign_may_reach_everybody_on_one_day() -> None:
    contacted = [START + timedelta(days=day) for day in [*range(100), *[40] * 500]]
    assert odd_times(shop(YEAR, contacts=pl.DataFrame({"customer_id": "c1", "contacted_at": contacted}))) == ()


def test_a_busy_day_is_no_import() -> None:
    assert odd_times(shop([*YEAR, *[100] * 60])) == ()


def test_a_company_of_one_day_is_asked_nothing() -> None:
    assert odd_times(shop([0] * 500)) == ()

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.company import Company, company_key
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from keepwell.errors import HistoryError

TRANSACTIONS = pl.DataFrame(
    {
        "customer_id": ["a", "a", "b"],
        "ordered_at": [datetime(2020, 1, 1), datetime(2020, 1, 5, 9), datetime(2020, 2, 1)],
        "amount": [9.99, None, -1.5],
        "category": ["x", None, "é"],
    }
).with_columns(amount=pl.Series([9.99, 1.0, -1.5]))
COMPLAINTS = pl.DataFrame({"customer_id": ["b"], "opened_at": [datetime(2020, 1, 10)], "known_at": [datetime(2020, 3, 1)]})


def company(transactions: pl.DataFrame = TRANSACTIONS, **tables: pl.DataFrame) -> Company:
    return assemble({"transactions": transactions, **tables}, key="shop")


@given(st.permutations([0, 1, 2]))
def test_the_fingerprint_does_not_know_the_order_of_rows(order) -> None:
    assert company(TRANSACTIONS[list(order)]).fingerprint() == company().fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        pl.col("amount") + 0.01,
        pl.col("amount") * 10,  # the same minor units with other decimals
        pl.col("category").fill_null(""),
        pl.col("category").replace("é", "e"),
        pl.col("customer_id").replace("b", "c"),
        pl.col("ordered_at").dt.offset_by("1us"),
    ],
)
def test_the_fingerprint_knows_every_value(change) -> None:
    changed = company(TRANSACTIONS.with_columns(change))
    same_content = changed.tables["transactions"].equals(company().tables["transactions"]) and changed.scales == company().scales
    assert (changed.fingerprint() == company().fingerprint()) == same_content


def test_moving_a_value_to_the_next_row_changes_the_fingerprint() -> None:
    texts = [pl.DataFrame(TRANSACTIONS).with_columns(category=pl.Series(values)) for values in (["ab", "c", ""], ["a", "bc", ""])]
    assert company(texts[0]).fingerprint() != company(texts[1]).fingerprint()


def test_the_fingerprint_knows_the_zone() -> None:
    zoned = assemble({"transactions": TRANSACTIONS}, key="shop", config=CompanyConfig(zone="Asia/Tokyo"))
    assert zoned.fingerprint() != company().fingerprint()


def test_the_fingerprint_knows_when_outcomes_are_known() -> None:
    contacts = pl.DataFrame({"customer_id": ["a"], "contacted_at": [datetime(2020, 1, 9)], "accepted": [True]})
    tables = {"transactions": TRANSACTIONS, "contacts": contacts}
    early, late = (assemble(tables, key="shop", config=CompanyConfig(attribution_days=days)) for days in (7, 30))
    assert (early.attribution_days, late.attribution_days) == (7, 30)
    assert early.fingerprint() != late.fingerprint()


def test_data_reach_until_the_last_event_known_before_as_of() -> None:
    shop = company(complaints=COMPLAINTS)
    assert shop.data_until(date(2020, 2, 2)) == date(2020, 2, 1)
    assert shop.data_until(date(2020, 2, 1)) == date(2020, 1, 5)  # an event at as_of is not known, nor is the late complaint
    with pytest.raises(HistoryError, match="nothing is known before 2020-01-01"):
        shop.data_until(date(2020, 1, 1))


def test_an_invoice_that_falls_due_later_says_nothing_of_how_far_the_data_reach() -> None:
    invoices = pl.DataFrame({"customer_id": ["b"], "due_at": [datetime(2020, 3, 1)], "amount": [5.0]})
    assert company(payments=invoices).data_until(date(2020, 4, 1)) == date(2020, 2, 1)


def test_events_at_and_after_as_of_are_counted() -> None:
    shop = company(complaints=COMPLAINTS)
    assert shop.events_after(date(2020, 1, 5)) == {"transactions": 2, "complaints": 1}
    assert shop.events_after(date(2020, 3, 2)) == {"transactions": 0, "complaints": 0}


def test_a_key_is_readable_and_different_for_different_folders() -> None:
    assert company_key(Path("/data/shop")).startswith("data-shop-")
    assert company_key(Path("/data/shop")) != company_key(Path("/data/Shop"))
    assert company_key(Path("/")).startswith("company-")
    assert company_key(Path("/数据")).startswith("company-")

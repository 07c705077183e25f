"""Contacts: who was held out was not contacted, and an outcome counts from the day on which it is known."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import CATALOG
from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig

AS_OF = date(2024, 3, 1)
MIDNIGHT = datetime(2024, 3, 1)
CONTACTS = [name for name, entry in CATALOG.items() if entry.builder == "contacts"]


def ago(days: int | None) -> datetime | None:
    return None if days is None else MIDNIGHT - timedelta(days=days)


def row(*contacts: dict[str, Any], attribution_days: int = 30) -> dict[str, float | None]:
    """The features of one customer; a contact is its age in days (`ago`), `known_ago`, `arm`, `accepted` and `converted`."""
    schema = {"contacted_at": pl.Datetime("us"), "known_at": pl.Datetime("us"), "arm": pl.String}
    schema |= {"accepted": pl.Boolean, "converted": pl.Boolean}
    columns = {"contacted_at": [ago(one["ago"]) for one in contacts], "known_at": [ago(one.get("known_ago")) for one in contacts]}
    columns |= {name: [one.get(name) for one in contacts] for name in ("arm", "accepted", "converted")}
    frame = pl.DataFrame({"customer_id": ["a"] * len(contacts)} | columns, schema_overrides=schema)
    transactions = pl.DataFrame({"customer_id": ["a"], "ordered_at": [date(2020, 1, 1)], "amount": [1.0]})
    config = CompanyConfig(attribution_days=attribution_days)
    company = assemble({"transactions": transactions, "contacts": frame}, key="shop", config=config)
    return build_panel(company, [AS_OF], CONTACTS).row(0, named=True)


def test_who_was_held_out_was_not_contacted() -> None:
    held_out = {"ago": 60, "arm": "control", "accepted": False, "converted": True}
    assert row(held_out) == row()
    treated = {"ago": 90, "arm": "treated", "accepted": True}
    assert row(treated, held_out) == row(treated) == row({**treated, "arm": None})
    assert row(treated)["contacts_all"] == 1


@pytest.mark.parametrize(("days", "known"), [(29, 0), (30, 0), (31, 1)])
def test_an_outcome_that_nobody_dated_is_known_after_the_attribution_days(days: int, known: int) -> None:
    made = row({"ago": days, "accepted": True, "converted": True})
    assert (made["contact_acceptances_all"], made["contact_conversions_all"], made["contacts_all"]) == (known, known, 1)
    assert made["contact_response_share_all"] == (1 if known else None)
    assert made["days_since_contact_accepted"] == (days - 30 if known else None)


def test_the_attribution_days_are_the_companys() -> None:
    made = row({"ago": 8, "accepted": True}, attribution_days=7)
    assert (made["contact_acceptances_30d"], made["days_since_contact_accepted"]) == (1, 1)


@pytest.mark.parametrize(("known_ago", "known"), [(0, 0), (1, 1), (50, 1)])
def test_an_outcome_with_known_at_is_known_from_then(known_ago: int, known: int) -> None:
    made = row({"ago": 3, "known_ago": known_ago, "accepted": True})
    assert made["contact_acceptances_all"] == known
    assert made["days_since_contact_accepted"] == (min(known_ago, 3) if known else None)


def test_what_is_not_told_is_neither_yes_nor_no() -> None:
    made = row({"ago": 60, "accepted": True}, {"ago": 70, "accepted": False}, {"ago": 80}, {"ago": 50, "converted": True})
    assert (made["contacts_all"], made["contact_acceptances_all"], made["contact_conversions_all"]) == (4, 1, 1)
    assert made["contact_response_share_all"] == 0.5


def test_windows_of_outcomes_look_at_the_day_on_which_they_are_known() -> None:
    made = row({"ago": 60, "accepted": True}, {"ago": 61, "accepted": True})
    assert (made["contacts_30d"], made["contact_acceptances_30d"], made["contact_acceptances_90d"]) == (0, 1, 2)


def test_contacts_declined_are_counted_since_the_last_acceptance() -> None:
    declined = [{"ago": days, "accepted": False} for days in (50, 60, 200, 300)]
    assert row(*declined)["contacts_declined_since_accepted"] == 4
    assert row(*declined, {"ago": 100, "accepted": True})["contacts_declined_since_accepted"] == 2
    assert row(*declined, {"ago": 50, "accepted": True})["contacts_declined_since_accepted"] == 0
    assert row(*declined, {"ago": 20, "accepted": True})["contacts_declined_since_accepted"] == 4


OUTCOMES = st.sampled_from((True, False, None))
CONTACT = st.fixed_dictionaries(
    {"ago": st.integers(-5, 120), "known_ago": st.none() | st.integers(-5, 120), "accepted": OUTCOMES, "converted": OUTCOMES}
)


@settings(max_examples=40, deadline=None)
@given(st.lists(CONTACT, max_size=8), st.integers(1, 90))
def test_outcomes_are_what_a_plain_loop_says(contacts: list[dict[str, Any]], attribution_days: int) -> None:
    made = row(*contacts, attribution_days=attribution_days)
    happened = [one for one in contacts if one["ago"] > 0 and (one["known_ago"] is None or one["known_ago"] > 0)]
    told = [
        one for one in happened if one["known_ago"] is not None or one["ago"] > attribution_days
    ]  # with known_at all is known that happened
    assert made["contacts_all"] == len(happened)
    assert made["contact_acceptances_all"] == sum(one["accepted"] is True for one in told)
    assert made["contact_conversions_all"] == sum(one["converted"] is True for one in told)
    replies = [one["accepted"] for one in told if one["accepted"] is not None]
    assert made["contact_response_share_all"] == (sum(replies) / len(replies) if replies else None)
    assert 0 <= made["contacts_declined_since_accepted"] <= len(replies) - sum(replies)

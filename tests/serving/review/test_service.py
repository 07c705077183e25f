"""Complaints, answers and loyalty by tier, as they are known at the end of the time."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from decisions.reviews.measures import Measured
from features.company import Company
from features.reading.sources import read_company
from serving.plans.policy import read_policy
from serving.review.service import service

SINCE, AS_OF = date(2025, 7, 1), date(2025, 10, 1)
THEN = pl.DataFrame({"customer_id": ["A", "B", "C"], "value_tier": ["VIP", "VIP", "small"]})


def company(folder: Path, **tables: list[dict[str, Any]]) -> Company:
    folder.mkdir()
    bought = {"customer_id": ["A", "B", "C"], "ordered_at": [date(2025, 1, 1)] * 3, "amount": [10.0] * 3}
    pl.DataFrame(bought).write_csv(folder / "transactions.csv")
    for name, rows in tables.items():
        pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / f"{name}.csv")
    return read_company(folder)


def complaint(customer: str, opened: datetime, **rest: Any) -> dict[str, Any]:
    columns = {"first_response_at": None, "closed_at": None, "kind": None, "satisfaction": None}
    return {"customer_id": customer, "opened_at": opened, **columns, **rest}


def look(made: Company, now: pl.DataFrame | None = None) -> dict[tuple[str, str | None], Measured]:
    found = service(made, THEN, now, since=SINCE, as_of=AS_OF, policy=read_policy())
    return {(each.measure, each.tier): each for each in found}


@pytest.fixture
def complaining(tmp_path: Path) -> Company:
    rows = [
        complaint(
            "A",
            datetime(2025, 7, 1, 10),
            first_response_at=datetime(2025, 7, 1, 12),
            closed_at=datetime(2025, 7, 2, 10),
            satisfaction=5,
        ),
        complaint("A", datetime(2025, 9, 30, 0)),  # waits at the end
        complaint(
            "C", datetime(2025, 8, 1), first_response_at=datetime(2025, 8, 2), closed_at=datetime(2025, 10, 1), satisfaction=1
        ),
        complaint("B", datetime(2025, 8, 1), kind="enquiry"),
        complaint("B", datetime(2025, 6, 30, 23)),
        complaint("B", datetime(2025, 10, 1)),
        complaint("stranger", datetime(2025, 8, 1), first_response_at=datetime(2025, 8, 1, 6)),
    ]
    return company(tmp_path / "c", complaints=rows)


def test_complaints_are_counted_per_customer_of_the_beginning_and_enquiries_are_none(complaining: Company) -> None:
    found = look(complaining)
    assert found["complaints_per_hundred", "VIP"].figure.value == 100  # two of A, none of B
    assert found["complaints_per_hundred", None].count == 3
    assert found["complaints_per_hundred", "small"].figure.value == 100


def test_who_waits_counts_with_the_time_that_they_have_waited(complaining: Company) -> None:
    found = look(complaining)
    assert found["first_response_hours", "VIP"].figure.value == (2 + 24) / 2
    assert found["resolve_hours", "VIP"].figure.value == (24 + 24) / 2
    assert found["first_response_hours", None].count == 4  # with that of a customer who was not scored


def test_who_closes_a_complaint_has_answered_it(tmp_path: Path) -> None:
    """As the feature complaints_unanswered has it; else what was closed within the hour would wait for ever."""
    closed = complaint("A", datetime(2025, 7, 1, 10), closed_at=datetime(2025, 7, 1, 11))
    answered = complaint("B", datetime(2025, 7, 1, 10), first_response_at=datetime(2025, 7, 1, 13))
    found = look(company(tmp_path / "c", complaints=[closed, answered]))
    assert found["first_response_hours", "VIP"].figure.value == (1 + 3) / 2


def test_what_was_closed_on_the_last_day_is_not_known_to_be_closed(complaining: Company) -> None:
    found = look(complaining)
    assert found["resolve_hours", "small"].figure.value == 24 * 61
    assert ("recovered_share", "small") not in found
    assert (found["recovered_share", "VIP"].figure.value, found["complaint_satisfaction", "VIP"].figure.value) == (1, 5)


def test_verdicts_are_by_the_targets_of_the_tier(complaining: Company) -> None:
    found = look(complaining)
    assert (found["complaint_satisfaction", "VIP"].target, found["complaint_satisfaction", "VIP"].verdict) == (4.5, "met")
    assert found["first_response_hours", "small"].verdict == "met"  # 24 hours are within its 48


def test_answers_of_the_time_alone_count_and_a_question_left_open_is_none(tmp_path: Path) -> None:
    answers = [
        {"customer_id": "A", "answered_at": date(2025, 7, 2), "satisfaction": 8, "recommend": None},
        {"customer_id": "B", "answered_at": date(2025, 9, 30), "satisfaction": 6, "recommend": 3},
        {"customer_id": "C", "answered_at": date(2025, 10, 1), "satisfaction": 1, "recommend": 1},
    ]
    found = look(company(tmp_path / "c", surveys=answers))
    assert found["satisfaction", "VIP"].figure.value == 7
    assert (found["recommend", "VIP"].count, found["recommend", "VIP"].figure.value) == (1, 3)
    assert ("satisfaction", "small") not in found
    assert ("loyalty", None) not in found  # nobody was asked


def test_loyal_and_attached_is_told_of_the_later_scoring(tmp_path: Path) -> None:
    now = pl.DataFrame({"value_tier": ["VIP", "VIP", "small"], "loyalty": ["premium", "inertia", "none"]})
    found = look(company(tmp_path / "c"), now)
    assert {key: each.figure.value for key, each in found.items()} == {
        ("premium_share", None): pytest.approx(1 / 3),
        ("premium_share", "VIP"): 0.5,
        ("premium_share", "small"): 0.0,
    }

"""One row for each customer and action: plans, outcomes and the table of contacts say what they know of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features.company import Company
from features.reading.sources import read_company
from serving.review.work import work
from serving.store.records import Assignment, RecordedOutcome

SINCE, AS_OF = date(2025, 7, 1), date(2025, 10, 1)


def company(folder: Path, contacts: list[dict[str, Any]] | None = None) -> Company:
    """A company of one purchase, with these contacts."""
    folder.mkdir()
    pl.DataFrame({"customer_id": ["C1"], "ordered_at": [date(2025, 1, 1)], "amount": [10.0]}).write_csv(
        folder / "transactions.csv"
    )
    if contacts is not None:
        pl.DataFrame(contacts, infer_schema_length=None).write_csv(folder / "contacts.csv")
    return read_company(folder)


def planned(customer: str, *, plan: int = 1, day: date = SINCE, arm: str | None = "treated") -> Assignment:
    return Assignment(plan, day, customer, "call", arm, 0.9, 8.0)


def told(customer: str, step: str, *, day: date = date(2025, 7, 3), **said: Any) -> RecordedOutcome:
    known = {"key": f"{customer} {step}", "customer_id": customer, "action": "call", "step": step, "happened_on": day}
    rest = dict.fromkeys(("recorded_by", "plan_id", "arm", "propensity", "cost", "reason", "note"))
    return RecordedOutcome(**{**rest, **known, "recorded_at": datetime(2025, 7, 4, tzinfo=UTC), **said})


def row(made: pl.DataFrame, customer: str) -> dict[str, Any]:
    return made.filter(pl.col("customer_id") == customer).row(0, named=True)


def test_a_plan_and_its_outcomes_are_one_row(tmp_path: Path) -> None:
    outcomes = [told("A", "contacted"), told("A", "declined", reason="price")]
    found = row(work(company(tmp_path / "c"), [planned("A")], outcomes, SINCE, AS_OF), "A")
    assert (found["planned"], found["done"], found["accepted"], found["declined"]) == (True, True, False, True)
    assert (found["experiment"], found["arm"], found["propensity"]) == ("plan 1", "treated", 0.9)
    assert (found["cost"], found["reason"]) == (8.0, "price")  # nobody said what it cost, so what the plan says


def test_what_was_planned_and_not_done_costs_nothing_and_stays_in_its_arm(tmp_path: Path) -> None:
    made = work(company(tmp_path / "c"), [planned("A"), planned("B", arm="control")], [], SINCE, AS_OF)
    assert [row(made, name)["done"] for name in "AB"] == [False, False]
    assert [row(made, name)["planned"] for name in "AB"] == [True, False]
    assert [row(made, name)["arm"] for name in "AB"] == ["treated", "control"]
    assert made["cost"].to_list() == [0.0, 0.0]
    assert made["accepted"].to_list() == [None, None]


def test_a_control_who_bought_was_not_contacted_and_took_no_offer(tmp_path: Path) -> None:
    """Whoever records purchases records those of controls, too: without them there would be nothing to compare with."""
    outcomes = [told("A", "converted", arm="treated"), told("B", "converted", arm="control")]
    made = work(company(tmp_path / "c"), [planned("A"), planned("B", arm="control")], outcomes, SINCE, AS_OF)
    assert [row(made, name)["done"] for name in "AB"] == [True, False]
    assert [row(made, name)["accepted"] for name in "AB"] == [True, None]
    called = told("B", "contacted", arm="control")  # by mistake: what was done is done
    assert row(work(company(tmp_path / "d"), [], [called], SINCE, AS_OF), "B")["done"]


def test_the_first_draw_of_the_time_counts(tmp_path: Path) -> None:
    both = [planned("A", plan=2, day=date(2025, 8, 1), arm="control"), planned("A", plan=1)]
    found = row(work(company(tmp_path / "c"), both, [], SINCE, AS_OF), "A")
    assert (found["experiment"], found["arm"]) == ("plan 1", "treated")


@pytest.mark.parametrize("day", [date(2025, 6, 30), AS_OF])
def test_plans_of_another_time_do_not_count(tmp_path: Path, day: date) -> None:
    assert work(company(tmp_path / "c"), [planned("A", day=day)], [], SINCE, AS_OF).is_empty()


def test_the_outcome_of_a_planned_contact_begins_with_the_day_of_the_plan(tmp_path: Path) -> None:
    made = work(company(tmp_path / "c"), [planned("A")], [told("A", "contacted", day=date(2025, 7, 20))], SINCE, AS_OF)
    assert row(made, "A")["contacted_day"] == (SINCE - date(1970, 1, 1)).days - 1


def test_a_contact_known_from_two_places_costs_once(tmp_path: Path) -> None:
    contacts = [{"customer_id": "A", "contacted_at": date(2025, 7, 3), "action": "call", "arm": "treated", "cost": 9.5}]
    found = row(work(company(tmp_path / "c", contacts), [planned("A")], [told("A", "contacted", cost=9.5)], SINCE, AS_OF), "A")
    assert (found["cost"], found["experiment"]) == (9.5, "plan 1")


def test_controls_of_the_table_were_not_reached_and_answers_count_once_they_are_known(tmp_path: Path) -> None:
    contacts = [
        {"customer_id": name, "contacted_at": day, "action": "call", "arm": arm, "cost": 2.0, "accepted": 1}
        for name, day, arm in (
            ("A", date(2025, 7, 3), "treated"),
            ("B", date(2025, 7, 3), "control"),
            ("C", date(2025, 9, 20), "treated"),
        )
    ]
    made = work(company(tmp_path / "c", contacts), [], [], SINCE, AS_OF)
    assert [row(made, name)["done"] for name in "ABC"] == [True, False, True]
    assert [row(made, name)["accepted"] for name in "ABC"] == [True, None, None]  # of C it is known after 30 days
    assert [row(made, name)["cost"] for name in "ABC"] == [2.0, 0.0, 2.0]
    assert set(made["experiment"]) == {"contacts"}


def test_contacts_outside_the_time_do_not_count(tmp_path: Path) -> None:
    contacts = [
        {"customer_id": "A", "contacted_at": day, "action": "call", "arm": "treated"} for day in (date(2025, 6, 30), AS_OF)
    ]
    assert work(company(tmp_path / "c", contacts), [], [], SINCE, AS_OF).is_empty()


def test_contacts_without_arms_drew_nobody(tmp_path: Path) -> None:
    contacts = [{"customer_id": "A", "contacted_at": date(2025, 7, 3), "action": "call"}]
    found = row(work(company(tmp_path / "c", contacts), [], [], SINCE, AS_OF), "A")
    assert (found["done"], found["arm"], found["experiment"]) == (True, None, None)


def test_steps_of_the_customer_as_a_whole_are_no_action(tmp_path: Path) -> None:
    assert work(company(tmp_path / "c"), [], [told("A", "do_not_contact", action=None)], SINCE, AS_OF).is_empty()

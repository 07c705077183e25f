from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import polars as pl
import pytest
from starlette.testclient import TestClient

from decisions.labels import Tier
from decisions.migration import Flow
from serving.console.app import console_app
from serving.console.morning import budget, changes, plan_notes, went
from serving.console.urls import Urls
from serving.console.views.context import tier_flows
from serving.plans.outcomes import record_outcomes
from serving.plans.policy import read_policy
from serving.store import Store
from serving.store.plan_work import Progress
from serving.store.records import Outcome, Plan
from serving.store.work import StepCount
from tests.serving.console.shop import AS_OF, BUSY_ID, NOW, customer_ids, fill, new_store, score_rows

URLS = Urls("/console")
BEFORE = AS_OF - timedelta(days=30)


def plan_of(budget_: float | None) -> Plan:
    return Plan(1, 1, AS_OF, NOW, budget_, {}, cost=80.0, expected_net_value=500.0, customers=40, notes=())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A shop scored a month ago, when everybody had the tier "small", and again now; one customer has joined since."""
    store = new_store(tmp_path_factory.mktemp("morning"))
    earlier = score_rows(30).slice(0, 29)
    earlier = earlier.with_columns(
        as_of=pl.lit(BEFORE), data_until=pl.lit(BEFORE), value_tier=pl.lit("small"), churn_probability=pl.lit(0.25)
    )
    store.load_scores(earlier, company="northwind-tea", loaded_at=datetime(2026, 3, 2, tzinfo=UTC))
    fill(store, 30)
    return store


@pytest.fixture
def client(store: Store) -> TestClient:
    return TestClient(console_app(lambda: store, now=lambda: NOW), follow_redirects=False)


def test_moves_between_tiers_are_counted_with_their_value(store: Store) -> None:
    flows, before = tier_flows(store, store.current_load())
    assert before == BEFORE
    assert sum(flow.customers for flow in flows) == 30
    assert [flow.customers for flow in flows if flow.was is None] == [1]
    told = changes(flows, before, URLS)
    moved = sum(flow.customers for flow in flows if flow.was == "small" and flow.now != "small")
    assert told.lead == f"Customers since 2 Mar 2026: moved up a tier {moved}, moved down 0, new 1."
    assert {line.way for line in told.lines} == {"up"}
    assert all("value_tier=" in line.link for line in told.lines)


def test_a_fall_is_told_as_a_fall() -> None:
    (line,) = changes([Flow("VIP", "small", 3, 900.0, 20.0)], BEFORE, URLS).lines
    assert (line.was.name, line.now.name, line.way, line.customers, line.value) == ("VIP", "Small", "down", "3", "20.00")


@pytest.mark.parametrize("was", Tier)
def test_who_stays_has_not_moved(was: Tier) -> None:
    assert changes([Flow(str(was), str(was), 3, 1.0, 2.0)], BEFORE, URLS).lines == ()


def test_without_an_earlier_scoring_nothing_is_said_of_changes(filled_store: Store) -> None:
    assert changes(*tier_flows(filled_store, filled_store.current_load()), URLS) is None


def test_how_actions_went_is_told_by_day_and_week() -> None:
    yesterday = [StepCount("win_back_call", "contacted", 3)]
    week = [
        StepCount("win_back_call", "contacted", 12),
        StepCount("win_back_call", "accepted", 4),
        StepCount(None, "contacted", 9),
    ]
    (line,) = went(yesterday, week)
    assert (line.action, line.yesterday, line.week) == ("Win-back call", "3 Done", "12 Done, 4 Accepted")


def test_spending_stands_against_the_budget() -> None:
    told = budget(plan_of(200.0), Progress(done=10, accepted=2, declined=1, cost=50.0), "EUR")
    assert told.words == "50.00 EUR of 200.00 EUR spent (25 %); 80.00 EUR is planned"
    assert told.bar.width == "25.00%"


@pytest.mark.parametrize("amount", [None, 0.0])
def test_spending_without_a_budget_is_no_error(amount: float | None) -> None:
    assert budget(plan_of(amount), Progress(0, 0, 0, 0.0), None).words


def test_what_a_plan_lacked_is_said_in_the_words_of_people() -> None:
    notes = plan_notes(["contract_renewal is left out: there is no column contracts_running", "no past contacts are known"])
    assert notes.sentences == ("No past contacts are known.",)
    ((lacking),) = notes.left_out
    assert "_" not in lacking.action + lacking.needs


def test_who_is_taken_on_is_in_my_hands_until_there_is_an_answer(store: Store, client: TestClient) -> None:
    load = store.current_load()
    plan = store.plan(load)
    store.work.take(plan, BUSY_ID, "local", company=load.company, at=NOW)
    assert [each.customer_id for each in store.day.taken(plan, load.company, "local")] == [BUSY_ID]
    assert store.day.taken(plan, load.company, "ann") == ()
    page = unescape(client.get("/").text)
    assert "In my hands" in page
    assert "taken on 1 Apr 2026" in page
    for step, left in (("contacted", [True]), ("accepted", [])):
        record = [Outcome(BUSY_ID, step, AS_OF, action="winback_call")]
        at = NOW + timedelta(hours=1)
        record_outcomes(store, load.company, record, policy=read_policy(), today=AS_OF, recorded_at=at, recorded_by="local")
        assert [each.reached for each in store.day.taken(plan, load.company, "local")] == left
    assert "Accepted" in unescape(client.get("/").text), "today is one of the last seven days"


def test_customers_who_complained_too_long_ago_are_counted_by_their_tier(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = new_store(tmp_path_factory.mktemp("waiting"))
    ids = customer_ids(30)
    features = pl.DataFrame(
        {
            "customer_id": ids,
            "as_of": [AS_OF] * 30,
            "recency_days": [1.0] * 30,
            "complaints_open": [1.0 if i < 6 else 0.0 for i in range(30)],
            "oldest_open_complaint_days": [float(i + 1) if i < 6 else None for i in range(30)],
        }
    )
    load = store.load_scores(score_rows(30), company="waiting", loaded_at=NOW, features=features)
    assert sorted(store.day.overdue(load, lambda _: 2.0)) == sorted(ids[2:6])
    assert store.day.overdue(load, lambda tier: 0.5 if tier == "VIP" else 99.0) == (ids[0],)
    client = TestClient(console_app(lambda: store, now=lambda: NOW))
    page = unescape(client.get("/").text)
    assert "Complaints past their time" in page
    assert "VIP 1 day" in page
    link, told = re.search(r"Complaints past their time</dt>\s*<dd class=\"big\"><a href=\"([^\"]+)\">(\d+)</a>", page).groups()
    rows = list(csv.DictReader(io.StringIO(client.get(link.replace("/customers", "/customers.csv")).content.decode("utf-8-sig"))))
    late = set(ids[3:6])  # a day is allowed for the first, two for the second, three for those of the next tier
    assert {row["customer_id"] for row in rows} == late
    assert int(told) == len(rows) == len(late)
    assert f"of {told}</p>" in client.get(link).text


def test_without_complaints_in_the_data_nobody_waits_too_long(filled_store: Store) -> None:
    assert filled_store.day.overdue(filled_store.current_load(), lambda _: 0.0) is None


def test_the_page_tells_the_current_load(console: TestClient, filled_store: Store) -> None:
    assert console.get("/load.json").json() == {"load": filled_store.current_load().id}
    assert f'data-load="{filled_store.current_load().id}"' in console.get("/").text


def test_without_scores_there_is_no_load(empty_store: Store, open_console: Callable[..., TestClient]) -> None:
    assert open_console(empty_store).get("/load.json").json() == {"load": None}

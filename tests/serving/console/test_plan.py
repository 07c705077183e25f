from __future__ import annotations

import csv
import io
import re
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from keepwell.errors import StoreError
from serving.console.app import console_app
from serving.console.passwords import hashed
from serving.console.roles import Role
from serving.plans.policy import read_policy
from serving.store import Store
from serving.store.plan_work import ItemFilter
from tests.serving.console.shop import BUSY_ID, NASTY_ID, NOW, QUIET_ID, fill, new_store
from tests.serving.console.test_doors import PASSWORD, sign_in, token_of

CALLS = [f"C000{place}" for place in range(10, 20)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a manager, two agents, a viewer and somebody disabled; its plan has calls, mails, and a control."""
    folder = tmp_path_factory.mktemp("plan")
    store = new_store(folder)
    load = fill(store)
    people = {"mia": Role.MANAGER, "ann": Role.AGENT, "ben": Role.AGENT, "vic": Role.VIEWER, "gone": Role.AGENT}
    for name, role in people.items():
        store.people.add(name, hashed(PASSWORD), role, at=NOW, by="test")
    store.people.change("gone", at=NOW, by="test", disabled_at=NOW)
    rows = [(each, "win_back_call", "call", "treated") for each in (*CALLS, NASTY_ID)]
    rows += [(BUSY_ID, "reminder_email", "email", "treated"), (QUIET_ID, "win_back_call", "call", "control")]
    items = pl.DataFrame(rows, schema=["customer_id", "action", "channel", "arm"], orient="row").with_columns(
        cost=pl.when(pl.col("arm") == "control").then(0.0).otherwise(2.0),
        expected_net_value=10.0,
        churn_probability=0.5,
        propensity=0.9,
    )
    store.save_plan(load, items, made_at=NOW, budget=100.0, capacities={"call": 20})
    store.close()
    return folder / "store.db"


@pytest.fixture
def store(shop: Path, tmp_path: Path) -> Store:
    """A copy of the shop, for one test to change."""
    shutil.copy(shop, tmp_path)
    return Store(f"sqlite:///{tmp_path / shop.name}")


@pytest.fixture
def as_(store: Store) -> Callable[[str], TestClient]:
    app = console_app(lambda: store, now=lambda: NOW)
    return lambda name: sign_in(TestClient(app, follow_redirects=False), name)


def page(client: TestClient, **query: str) -> str:
    answer = client.get("/plan", params=query)
    assert answer.status_code == 200
    return unescape(answer.text)


def send(client: TestClient, store: Store, do: str, **fields: str) -> int:
    plan = store.plan(store.current_load())
    form = {"form_token": token_of(client.get("/").text), "do": do, "plan": str(plan.id), **fields}
    client.last = client.post("/plan", data=form)
    return client.last.status_code


def until_answered(client: TestClient, address: str) -> Any:
    """What the page of a plan that is being made answers in the end."""
    deadline = time.monotonic() + 60
    while (answer := client.get(address)).headers.get("refresh") and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def follow(client: TestClient) -> str:
    """The page to which the plan leads whose making began last."""
    answer = until_answered(client, client.last.headers["location"])
    assert answer.status_code == 303
    return client.get(answer.headers["location"]).text


def assigned(store: Store) -> dict[str, str | None]:
    items = store.plan_work.items(store.plan(store.current_load()), ItemFilter())
    return {item.customer_id: item.assigned_to for item in items}


def test_controls_are_counted_and_never_listed_as_to_do(as_: Callable[[str], TestClient]) -> None:
    mia = as_("mia")
    assert "1 more are left alone" in page(mia)
    assert f"one?id={QUIET_ID}" not in page(mia)
    left_alone = page(mia, standing="controls")
    assert f"one?id={QUIET_ID}" in left_alone
    assert "do not contact" in left_alone
    assert f"pick.{QUIET_ID}" not in left_alone


def test_a_control_cannot_be_assigned(as_: Callable[[str], TestClient], store: Store) -> None:
    assert send(as_("mia"), store, "assign", who="ann", **{f"pick.{QUIET_ID}": "1"}) == 303
    controls = store.plan_work.items(store.plan(store.current_load()), ItemFilter(standing="controls"))
    assert [item.assigned_to for item in controls] == [None]


def test_chosen_customers_are_assigned_and_given_to_nobody_again(as_: Callable[[str], TestClient], store: Store) -> None:
    mia = as_("mia")
    picks = {f"pick.{each}": "1" for each in (CALLS[0], NASTY_ID)}
    assert send(mia, store, "assign", who="ann", **picks) == 303
    assert "2 customers assigned." in unescape(mia.get(mia.last.headers["location"]).text)
    assert {who for each, who in assigned(store).items() if each in (CALLS[0], NASTY_ID)} == {"ann"}
    assert "meant for ann" in page(mia, person="ann")
    send(mia, store, "assign", who="", **picks)
    assert set(assigned(store).values()) == {None}


def test_what_somebody_has_taken_on_stays_theirs(as_: Callable[[str], TestClient], store: Store) -> None:
    load = store.current_load()
    store.work.take(store.plan(load), CALLS[0], "ann", company=load.company, at=NOW)
    send(as_("mia"), store, "assign", who="ben", **{f"pick.{CALLS[0]}": "1"})
    assert assigned(store)[CALLS[0]] is None


def test_sharing_out_goes_in_turn_from_the_most_urgent(as_: Callable[[str], TestClient], store: Store) -> None:
    mia = as_("mia")
    send(mia, store, "assign", who="mia", **{f"pick.{CALLS[3]}": "1"})
    assert send(mia, store, "share", **{"with.ann": "1", "with.ben": "1", "list": "channel=call"}) == 303
    found = assigned(store)
    in_order = [found[each] for each in CALLS]
    assert in_order == ["ann", "ben", "ann", "mia", "ben", "ann", "ben", "ann", "ben", "ann"]
    assert found[BUSY_ID] is None, "a mail is no call"


@pytest.mark.parametrize("fields", [{"who": "nobody"}, {"who": "gone"}, {"who": "vic"}])
def test_work_goes_to_people_who_may_do_it(as_: Callable[[str], TestClient], store: Store, fields: dict[str, str]) -> None:
    mia = as_("mia")
    assert send(mia, store, "assign", **fields, **{f"pick.{CALLS[0]}": "1"}) == 303
    assert "cannot be given work" in mia.get(mia.last.headers["location"]).text
    assert set(assigned(store).values()) == {None}


def test_work_is_not_shared_out_among_nobody(as_: Callable[[str], TestClient], store: Store) -> None:
    mia = as_("mia")
    assert send(mia, store, "share", list="channel=call") == 303
    assert mia.last.headers["location"].endswith("/plan?channel=call&refused=nobody")
    assert "Nobody was chosen" in mia.get(mia.last.headers["location"]).text


def test_a_plan_is_approved_once_and_that_is_on_record(as_: Callable[[str], TestClient], store: Store) -> None:
    mia = as_("mia")
    assert "Not approved yet" in page(mia)
    assert [send(mia, store, "approve") for _ in range(2)] == [303, 303]
    assert "Approved by mia on 1 Apr 2026" in page(mia)
    assert [deed.what for deed in store.audit.latest(10)].count("plan approved") == 1


def test_a_form_about_an_older_plan_is_refused(as_: Callable[[str], TestClient], store: Store) -> None:
    mia = as_("mia")
    assert send(mia, store, "approve", plan="999") == 303
    assert "A newer plan has come" in mia.get(mia.last.headers["location"]).text
    assert "Not approved yet" in page(mia)


@pytest.mark.parametrize("name", ["ann", "vic"])
def test_who_may_not_plan_reads_and_changes_nothing(as_: Callable[[str], TestClient], store: Store, name: str) -> None:
    visitor = as_(name)
    assert '<form class="limits"' not in page(visitor)
    assert send(visitor, store, "approve") == 403
    assert visitor.get("/plan", params={"budget": "10"}).status_code == 403


def test_a_viewer_sees_ids_and_no_names(as_: Callable[[str], TestClient]) -> None:
    assert "Jonas Weber" in page(as_("mia"))
    assert "Jonas Weber" not in page(as_("vic"))
    assert "Jonas Weber" not in as_("vic").get("/plan.csv").text


def test_the_file_holds_what_is_to_do_as_it_is_filtered(as_: Callable[[str], TestClient]) -> None:
    mia = as_("mia")
    lines = list(csv.DictReader(io.StringIO(mia.get("/plan.csv").content.decode("utf-8-sig"))))
    assert {line["customer_id"] for line in lines} == {*CALLS, NASTY_ID, BUSY_ID}
    mails = list(csv.DictReader(io.StringIO(mia.get("/plan.csv?channel=email").content.decode("utf-8-sig"))))
    assert [line["customer_id"] for line in mails] == [BUSY_ID]
    assert mia.get("/plan.csv?standing=controls").status_code == 400


def test_progress_counts_what_was_done_and_what_it_cost(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    token = token_of(ann.get("/").text)
    for customer_id, step in ((CALLS[0], "contacted"), (CALLS[1], "accepted"), (CALLS[2], "declined")):
        ann.post("/customers/work", data={"form_token": token, "id": customer_id, "step": step})
    load = store.current_load()
    progress = store.plan_work.progress(store.plan(load), load.company)
    assert (progress.done, progress.accepted, progress.declined, progress.cost) == (3, 1, 1, 6.0)
    assert "6.00 EUR" in page(as_("mia"))


def test_whoever_asks_for_no_contact_leaves_the_list(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    ann.post("/customers/work", data={"form_token": token_of(ann.get("/").text), "id": CALLS[0], "step": "do_not_contact"})
    assert CALLS[0] not in assigned(store)
    assert CALLS[0] not in ann.get("/plan.csv").text


def test_a_budget_is_tried_and_changes_nothing(as_: Callable[[str], TestClient], store: Store) -> None:
    before = store.plan(store.current_load())
    tried = page(as_("mia"), budget="60", most_call="3")
    assert "Expected gain by budget" in tried
    assert "one more contact would bring" in tried or "contacts are used" in tried
    assert store.plan(store.current_load()) == before


@pytest.mark.parametrize("query", [{"budget": "-1"}, {"budget": "much"}, {"budget": "1", "most_call": "nan"}, {"page": "0"}])
def test_limits_that_make_no_sense_are_refused(as_: Callable[[str], TestClient], query: dict[str, str]) -> None:
    assert as_("mia").get("/plan", params=query).status_code == 400


def test_what_was_written_stays_beside_what_is_wrong_with_it(as_: Callable[[str], TestClient]) -> None:
    answer = as_("mia").get("/plan", params={"budget": "70", "most_call": "many<"})
    assert 'name="budget" value="70"' in answer.text
    assert re.search(r'name="most_call" value="many&lt;"[^>]* aria-invalid="true"', answer.text)
    assert answer.text.count("Write a number of 0 or more") == 1


def test_hours_of_agents_limit_a_plan_and_stay_with_it(as_: Callable[[str], TestClient], store: Store) -> None:
    mia = as_("mia")
    tried = page(mia, budget="", hours_call="1.5")
    assert "Call: agents' hours at most" in tried
    assert "one more hour would bring" in tried or "hours are used" in tried
    send(mia, store, "make", budget="", hours_call="1.5")
    follow(mia)
    made = store.plan(store.current_load())
    assert made.capacities == {"call hours": 1.5}
    hours = {action.name: action.hours for action in read_policy().actions}
    assert 0 < sum(hours[item.action] for item in store.plan_items(made) if item.channel == "call") <= 1.5
    assert 'name="hours_call" value="1.5"' in page(mia), "the page begins with the limits of its plan"


def test_a_plan_is_made_anew_under_the_limits_of_the_form(as_: Callable[[str], TestClient], store: Store) -> None:
    mia, old = as_("mia"), store.plan(store.current_load())
    assert send(mia, store, "make", budget="60", most_call="3") == 303
    assert "The new plan is made." in follow(mia)
    made = store.plan(store.current_load())
    assert made.id > old.id
    assert made.budget == 60.0
    assert made.capacities == {"call": 3}
    assert made.cost <= 60.0
    assert "plan made" in [deed.what for deed in store.audit.latest(5)]


@pytest.fixture
def workers(store: Store) -> list[TestClient]:
    """Two workers of one service, each with a connection of its own to the one store, and mia at both."""
    first, second = (
        sign_in(TestClient(console_app(lambda each=each: each, now=lambda: NOW), follow_redirects=False), "mia")
        for each in (store, Store(str(store._engine.url)))
    )
    return [first, second]


def test_a_plan_that_one_worker_makes_is_followed_on_another(workers: list[TestClient], store: Store) -> None:
    first, second = workers
    send(first, store, "make", budget="60")
    second.last = first.last
    assert "The new plan is made." in follow(second)
    assert store.plan(store.current_load()).budget == 60.0


def test_a_draft_is_worked_out_by_whichever_worker_is_asked(workers: list[TestClient]) -> None:
    told = {re.findall(r"<dd>([^<]+)</dd>", page(worker, budget="60"))[0] for worker in workers}
    assert len(told) == 1


def test_why_a_plan_was_not_made_is_told_by_every_worker(
    workers: list[TestClient], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise StoreError("new scores came while the plan was made", hint="make it again, from these")

    monkeypatch.setattr("serving.console.views.plan_making.keep", refuse)
    first, second = workers
    send(first, store, "make", budget="61")
    answers = [until_answered(worker, first.last.headers["location"]) for worker in (second, first)]
    assert {answer.status_code for answer in answers} == {409, 503}
    assert all("ew scores came while the plan was made" in answer.text for answer in answers)


def test_a_worker_that_died_over_a_plan_is_waited_for_a_while(workers: list[TestClient], store: Store) -> None:
    newest = store.plan(store.current_load()).id
    for since, status in ((NOW - timedelta(minutes=5), 200), (NOW - timedelta(minutes=16), 409)):
        address = f"/plan?budget=62&making={newest}.{int(since.timestamp())}"
        assert workers[0].get(address).status_code == status


@pytest.mark.parametrize("text", ["x", "1", "1.", ".5", "1.2.3", "-1.5", "9" * 19 + ".1", "1." + "9" * 12, "１.２"])
def test_an_address_of_no_plan_is_refused(as_: Callable[[str], TestClient], text: str) -> None:
    assert as_("mia").get("/plan", params={"budget": "1", "making": text}).status_code == 400


def test_the_page_reads_in_chinese(as_: Callable[[str], TestClient]) -> None:
    mia = as_("mia")
    mia.get("/?lang=zh")
    assert re.search(r"<h1>计划</h1>", page(mia))

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape

import polars as pl
import pytest
from starlette.testclient import TestClient

from serving.console.app import console_app
from serving.console.passwords import hashed
from serving.console.roles import Role
from serving.console.work import LONGEST_NOTE
from serving.store import Store
from tests.serving.console.shop import BUSY_ID, NOW, QUIET_ID, fill, new_store
from tests.serving.console.test_doors import PASSWORD, sign_in, token_of

ONE = "/customers/one"


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A shop with two agents, a viewer, and a plan in which one customer is a control."""
    store = new_store(tmp_path_factory.mktemp("work"))
    fill(store)
    for name, role in (("ann", Role.AGENT), ("ben", Role.AGENT), ("vic", Role.VIEWER)):
        store.people.add(name, hashed(PASSWORD), role, at=NOW, by="test")
    rows = [
        (BUSY_ID, "win_back_call", "treated"),
        (QUIET_ID, "win_back_call", "control"),
        ("C00004", "loyalty_reward", "treated"),
    ]
    items = pl.DataFrame(rows, schema=["customer_id", "action", "arm"], orient="row").with_columns(
        cost=2.0, expected_net_value=10.0, churn_probability=0.5, propensity=0.9, channel=pl.lit("call")
    )
    store.save_plan(store.current_load(), items, made_at=NOW, budget=100.0, capacities={})
    return store


@pytest.fixture
def as_(store: Store) -> Callable[[str], TestClient]:
    app = console_app(lambda: store, now=lambda: NOW)
    return lambda name: sign_in(TestClient(app, follow_redirects=False), name)


def page(client: TestClient, customer_id: str = BUSY_ID) -> str:
    answer = client.get(ONE, params={"id": customer_id})
    assert answer.status_code == 200
    return unescape(answer.text)


def buttons(client: TestClient, customer_id: str = BUSY_ID) -> list[str]:
    return re.findall(r'<button name="step" value="(\w+)"', page(client, customer_id))


def send(client: TestClient, step: str, customer_id: str = BUSY_ID, **fields: str) -> int:
    form = {"form_token": token_of(client.get("/").text), "id": customer_id, "step": step, **fields}
    client.last = client.post("/customers/work", data=form)
    return client.last.status_code


def test_who_takes_a_customer_on_may_record_what_came_of_it(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    assert buttons(ann) == ["take", "do_not_contact"]
    assert send(ann, "take") == 303
    assert "done=take" in ann.last.headers["location"]
    assert buttons(ann) == ["contacted", "accepted", "declined", "not_now", "do_not_contact", "give_back"]
    assert send(ann, "declined", reason="price", note="Too dear,\nshe says <b>") == 303
    told = page(ann)
    assert "Declined: Win-back call (price)" in told
    assert "1 Apr 2026, ann" in told
    (kept,) = store.outcomes.recorded(store.current_load().company)
    assert (kept.customer_id, kept.step, kept.reason, kept.recorded_by, kept.arm) == (
        BUSY_ID,
        "declined",
        "price",
        "ann",
        "treated",
    )


def test_of_two_agents_one_wins_and_the_other_is_told(as_: Callable[[str], TestClient]) -> None:
    ann, ben = as_("ann"), as_("ben")
    assert buttons(ben) == ["take", "do_not_contact"]
    assert send(ann, "take") == 303
    assert send(ben, "take") == 409
    assert "Somebody else was first" in ben.last.text
    assert "ann has taken this on" in unescape(ben.last.text)
    assert buttons(ben) == ["do_not_contact"]
    assert send(ben, "accepted") == 409
    assert send(ann, "give_back") == 303
    assert send(ben, "take") == 303


def test_of_many_who_take_at_once_one_has_the_customer(store: Store) -> None:
    load = store.current_load()
    plan, found = store.plan(load), []

    def take(who: str) -> None:
        found.append((who, store.work.take(plan, BUSY_ID, who, company=load.company, at=NOW)))

    threads = [threading.Thread(target=take, args=(f"agent {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({has for _, has in found}) == 1
    assert sum(who == has for who, has in found) == 1


def test_a_control_cannot_be_contacted_from_the_page(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    assert "comparison group" in page(ann, QUIET_ID)
    assert buttons(ann, QUIET_ID) == ["do_not_contact"]
    for step in ("take", "contacted", "accepted"):
        assert send(ann, step, QUIET_ID) == 409
    assert store.outcomes.recorded(store.current_load().company) == ()


def test_who_wants_to_be_left_alone_is_until_they_may_be_contacted_again(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    assert send(ann, "do_not_contact", note="asked by phone") == 303
    assert "Wants to be left alone" in page(ann)
    assert buttons(ann) == ["contact_again"]
    assert BUSY_ID in store.outcomes.left_alone(store.current_load().company)
    assert send(ann, "contact_again") == 303
    assert BUSY_ID not in store.outcomes.left_alone(store.current_load().company)


def test_the_same_outcome_sent_twice_counts_once(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    assert [send(ann, "accepted") for _ in range(2)] == [303, 303]
    assert len(store.outcomes.recorded(store.current_load().company)) == 1


def test_a_step_that_is_sent_again_with_more_to_say_keeps_what_is_said(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    send(ann, "declined", note="Too dear")
    send(ann, "declined", reason="price", note="Will ask again in spring")
    send(ann, "declined")
    (kept,) = store.work.history(store.current_load().company, BUSY_ID)
    assert (kept.reason, kept.note) == ("price", "Too dear\nWill ask again in spring")


def test_a_note_that_is_sent_twice_is_kept_once(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    for _ in range(2):
        send(ann, "contacted", note="rang at nine")
    (kept,) = store.work.history(store.current_load().company, BUSY_ID)
    assert kept.note == "rang at nine"


def test_a_customer_may_be_left_alone_and_contacted_again_in_turns_on_one_day(
    as_: Callable[[str], TestClient], store: Store
) -> None:
    ann, company = as_("ann"), store.current_load().company
    for _ in range(3):
        assert send(ann, "do_not_contact") == send(ann, "do_not_contact") == 303
        assert BUSY_ID in store.outcomes.left_alone(company)
        assert send(ann, "contact_again") == 303
        assert BUSY_ID not in store.outcomes.left_alone(company)
    assert len(store.outcomes.recorded(company)) == 6


def test_whoever_hears_that_a_customer_wants_no_contact_writes_it_down(as_: Callable[[str], TestClient], store: Store) -> None:
    ann, ben = as_("ann"), as_("ben")
    send(ann, "take")
    assert send(ben, "do_not_contact", note="told me on the phone") == 303
    assert BUSY_ID in store.outcomes.left_alone(store.current_load().company)


def test_who_comes_too_late_keeps_the_note(as_: Callable[[str], TestClient]) -> None:
    ann, ben = as_("ann"), as_("ben")
    send(ann, "take")
    assert send(ben, "accepted", note="she was glad") == 409
    assert re.search(r"<textarea[^>]*>she was glad</textarea>", ben.last.text)


def test_a_customer_is_taken_on_once_and_stays_finished(store: Store) -> None:
    """What is recorded later moves neither the day of taking on nor brings back what is done."""
    clock = {"now": NOW}
    ann = sign_in(TestClient(console_app(lambda: store, now=lambda: clock["now"]), follow_redirects=False), "ann")
    load = store.current_load()
    for step in ("take", "declined", "declined", "contacted"):
        send(ann, step)
        clock["now"] += timedelta(minutes=5)
    plan = store.plan(load)
    assert store.plan_item(plan, BUSY_ID).taken_at == NOW
    assert store.day.taken(plan, load.company, "ann") == ()
    assert [deed.what for deed in store.audit.latest(20)].count("customer taken") == 1


SAME_SITE = {"sec-fetch-site": "same-origin"}


def field(page: str, name: str) -> str:
    found = re.search(rf'<(?:input type="hidden" name="{name}" value="|textarea name="{name}"[^>]*>\n?)([^"<]*)', page)
    return unescape(found[1])


@pytest.fixture
def late(store: Store) -> tuple[TestClient, dict[str, str]]:
    """A browser whose session ended while ann wrote about a customer, and what she sends then."""
    clock = {"now": NOW}
    browser = TestClient(console_app(lambda: store, now=lambda: clock["now"]), follow_redirects=False, headers=SAME_SITE)
    sign_in(browser, "ann")
    form = {"form_token": token_of(page(browser)), "id": BUSY_ID, "step": "accepted", "note": "glad of <it>"}
    clock["now"] += timedelta(hours=3)
    return browser, form


def test_a_note_outlives_the_session_in_which_it_was_written(late: tuple[TestClient, dict[str, str]], store: Store) -> None:
    browser, form = late
    asked = browser.post("/customers/work", data=form)
    assert (asked.status_code, field(asked.text, "note")) == (403, "glad of <it>")
    assert "Your session is over, and nothing was recorded" in asked.text
    again = {name: field(asked.text, name) for name in ("form_token", "next", "id", "note")}
    wrong = browser.post("/sign-in", data={**again, "name": "ann", "password": "wrong password"})
    assert (wrong.status_code, field(wrong.text, "note")) == (403, "glad of <it>")
    back = browser.post("/sign-in", data={**again, "name": "ann", "password": PASSWORD})
    assert (back.status_code, field(back.text, "note")) == (200, "glad of <it>")
    assert store.outcomes.recorded(store.current_load().company) == ()
    assert browser.post("/customers/work", data={**form, "form_token": field(back.text, "form_token")}).status_code == 303
    assert [each.note for each in store.work.history(store.current_load().company, BUSY_ID)] == ["glad of <it>"]


def test_a_page_from_before_signing_in_anew_keeps_its_note(late: tuple[TestClient, dict[str, str]], store: Store) -> None:
    browser, form = late
    sign_in(browser, "ann")
    told = browser.post("/customers/work", data=form)
    assert (told.status_code, field(told.text, "note")) == (403, "glad of <it>")
    assert "from an earlier session: nothing was recorded" in told.text
    assert store.outcomes.recorded(store.current_load().company) == ()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_from_elsewhere_is_not_shown_again(late: tuple[TestClient, dict[str, str]], site: str) -> None:
    """Nobody puts words into a form of ours."""
    browser, form = late
    assert browser.post("/customers/work", data=form, headers={"sec-fetch-site": site}).status_code == 303
    sign_in(browser, "ann")
    refused = browser.post("/customers/work", data=form, headers={"sec-fetch-site": site})
    assert (refused.status_code, "glad of" in refused.text) == (403, False)


def test_what_was_done_today_is_told_in_today(as_: Callable[[str], TestClient]) -> None:
    ann = as_("ann")
    assert "Nothing was recorded" in ann.get("/").text
    send(ann, "accepted")
    assert re.search(r"<td>Win-back call</td><td>–</td><td>1 Accepted</td>", ann.get("/").text)


def test_a_viewer_works_on_nobody(as_: Callable[[str], TestClient]) -> None:
    vic = as_("vic")
    assert buttons(vic) == []
    assert send(vic, "take") == 403


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"step": "nonsense"}, 400),
        ({"step": ""}, 400),
        ({"step": "accepted", "note": "n" * (LONGEST_NOTE + 1)}, 413),
        ({"step": "declined", "reason": "because"}, 400),
        ({"step": "take", "customer_id": "nobody"}, 404),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    as_: Callable[[str], TestClient], store: Store, fields: dict[str, str], status: int
) -> None:
    assert send(as_("ann"), **fields) == status
    assert store.outcomes.recorded(store.current_load().company) == ()


def test_who_saw_and_did_what_is_on_record(as_: Callable[[str], TestClient], store: Store) -> None:
    ann = as_("ann")
    page(ann)
    send(ann, "accepted")
    told = [(deed.actor, deed.what, deed.customer_id) for deed in reversed(store.audit.latest(3))]
    assert told == [("ann", "customer seen", BUSY_ID), ("ann", "customer taken", BUSY_ID), ("ann", "recorded accepted", BUSY_ID)]


def test_what_was_recorded_reads_in_chinese(as_: Callable[[str], TestClient]) -> None:
    ann = as_("ann")
    send(ann, "declined", reason="rival")
    ann.get("/?lang=zh")
    assert "已拒绝：客户挽回电话（竞争对手）" in page(ann)


def test_two_agents_who_go_down_the_plan_together_do_all_of_it_once(as_: Callable[[str], TestClient], store: Store) -> None:
    """Monday morning: both open the plan, begin at its top, and take on whoever is free."""
    load = store.current_load()
    plan = store.plan(load)
    to_do = [item.customer_id for item in store.plan_items(plan)]
    agents = {name: as_(name) for name in ("ann", "ben")}

    def work(name: str) -> list[str]:
        client, mine = agents[name], []
        token = token_of(client.get("/").text)
        for customer_id in to_do:
            form = {"form_token": token, "id": customer_id, "load": str(load.id)}
            if client.post("/customers/work", data={**form, "step": "take"}).status_code == 303:
                assert client.post("/customers/work", data={**form, "step": "contacted"}).status_code == 303
                mine.append(customer_id)
        return mine

    with ThreadPoolExecutor(2) as pool:
        done = dict(zip(agents, pool.map(work, agents), strict=True))
    assert sorted(done["ann"] + done["ben"]) == sorted(to_do)
    assert {item.customer_id: item.taken_by for item in store.plan_items(plan)} == {
        each: who for who, ids in done.items() for each in ids
    }
    assert store.plan_work.progress(plan, load.company).done == len(to_do)

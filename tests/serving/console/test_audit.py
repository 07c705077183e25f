from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from keepwell.errors import RequestError
from serving.console.app import PAGES
from serving.console.audit import PAGE_SIZE, AuditQuery
from serving.console.language import LANGUAGES
from serving.console.roles import Right
from serving.console.text import CATALOGUES
from serving.front.audit_trail import WRITES
from serving.store import Store
from serving.store.audit import Deed
from tests.serving.console.shop import NASTY_ID, NASTY_NAME, NOW, fill, new_store


@pytest.fixture(scope="module")
def noted_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = new_store(tmp_path_factory.mktemp("noted"))
    fill(store, 20)
    deeds = [
        Deed(NOW + timedelta(minutes=i), f"agent {i % 2}", "customer seen", "northwind-tea", f"C{i:05d}") for i in range(120)
    ]
    store.audit.add(
        [*deeds, Deed(NOW + timedelta(hours=9), NASTY_NAME, "recorded accepted", "northwind-tea", NASTY_ID, "<b>note</b>")]
    )
    return store


@pytest.fixture
def client(noted_store: Store, open_console: Callable[..., TestClient]) -> TestClient:
    return open_console(noted_store)


def test_the_newest_deed_comes_first_and_nothing_of_it_is_markup(client: TestClient) -> None:
    page = client.get("/audit").text
    assert page.index("18:00 UTC") < page.index("10:59 UTC")
    assert "Recorded: Accepted" in page
    assert "&lt;b&gt;note&lt;/b&gt;" in page
    assert "<script>" not in page


def test_pages_lead_from_the_newest_deed_to_the_oldest_and_hold_each_once(noted_store: Store) -> None:
    numbers: list[int] = []
    while page := noted_store.audit.page(before=numbers[-1] if numbers else None, limit=PAGE_SIZE):
        numbers += [number for number, _ in page]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == 121


def test_one_person_and_one_customer_can_be_asked_for(client: TestClient) -> None:
    page = client.get("/audit", params={"who": "agent 1", "customer": "C00007"}).text
    assert page.count("<tr>") == 2
    assert "agent 0" not in page


def test_older_deeds_are_linked_to_with_what_was_asked_for(client: TestClient) -> None:
    first = client.get("/audit", params={"who": "agent 1"}).text
    assert "who=agent+1&amp;before=" in first
    assert "Newest" not in first


@pytest.mark.parametrize("before", ["x", "-1", "0", "9" * 30, "٣"])
def test_a_number_that_no_deed_has_is_told_of(client: TestClient, before: str) -> None:
    with pytest.raises(RequestError, match="no deed"):
        AuditQuery.read({"before": before})
    assert client.get("/audit", params={"before": before}).status_code == 400


def test_the_record_shows_without_scores(open_console: Callable[..., TestClient], tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.audit.add([Deed(NOW, "ann", "signed in")])
    assert "Signed in" in open_console(store).get("/audit").text


def test_only_who_may_read_the_record_does() -> None:
    assert PAGES["/audit"].right is Right.AUDIT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_deed_of_a_key_has_its_words(language: str) -> None:
    assert {f"deed.{what}" for what in WRITES.values()} <= CATALOGUES[language].keys()

"""Views of the list of customers: each person's own, kept as the list's address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from keepwell.errors import StoreError
from serving.store import Store
from serving.store.views import MOST_VIEWS, SavedView
from tests.serving.console.shop import fill, new_store

AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
WANTED = "value_tier=small&churn_to=50&sort=lifetime_value&columns=churn_probability%2Clifetime_value"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = new_store(tmp_path_factory.mktemp("views"))
    fill(store, 30)
    return store


@pytest.fixture
def list_of(shop: Store, open_console: Callable[..., TestClient]) -> Iterator[TestClient]:
    with open_console(shop) as client:
        yield client


def send(client: TestClient, **fields: str) -> object:
    token = re.search(r'name="form_token" value="(\w+)"', client.get("/customers").text)[1]
    return client.post("/customers/views", data={"form_token": token, **fields}, follow_redirects=False)


def test_a_saved_view_leads_back_to_the_same_list(list_of: TestClient) -> None:
    answer = send(list_of, name=" Small <b> ", query=f"{WANTED}&page=2&other=1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/customers?{WANTED}")
    page = list_of.get(answer.headers["location"]).text
    link = re.search(r'<a href="([^"]+)" aria-current="true">Small &lt;b&gt;</a>', page)
    assert link[1].replace("&amp;", "&") == f"/customers?{WANTED}"
    assert send(list_of, name="Small <b>", do="forget", query="").status_code == 303
    assert "Small &lt;b&gt;" not in list_of.get("/customers").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "x", "query": "sort=age"}, 400),
        ({"name": "x", "query": "q=" + "x" * 5000}, 400),
    ],
)
def test_what_cannot_be_a_view_is_refused(list_of: TestClient, shop: Store, fields: dict[str, str], status: int) -> None:
    assert send(list_of, **fields).status_code == status
    assert shop.views.of("northwind-tea", "local") == ()


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_a_name_that_cannot_be_stays_in_its_field(list_of: TestClient, shop: Store, name: str) -> None:
    answer = send(list_of, name=name, query=WANTED)
    assert answer.status_code == 303
    page = list_of.get(answer.headers["location"]).text
    assert "A view needs a name" in page
    assert f'maxlength="100" value="{name}"' in page
    assert shop.views.of("northwind-tea", "local") == ()


def test_one_view_too_many_is_told(list_of: TestClient, shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.console.views.views.MOST_VIEWS", 0)
    page = list_of.get(send(list_of, name="more", query=WANTED).headers["location"]).text
    assert "delete one that you no longer need" in page
    assert 'value="more"' in page
    assert shop.views.of("northwind-tea", "local") == ()


def test_a_form_of_others_saves_nothing(list_of: TestClient, shop: Store) -> None:
    assert list_of.post("/customers/views", data={"name": "x", "query": "", "form_token": "guess"}).status_code == 403
    assert shop.views.of("northwind-tea", "local") == ()


def test_views_are_of_one_person_and_company_and_have_one_name_each(tmp_path: Path) -> None:
    views = new_store(tmp_path).views
    for owner, company, query in (
        ("ann", "acme", "q=a"),
        ("ann", "acme", "q=b"),
        ("ben", "acme", "q=c"),
        ("ann", "other", "q=d"),
    ):
        views.save(company, owner, SavedView("mine", query), at=AT)
    views.forget("acme", "ben", "yours")
    assert views.of("acme", "ann") == (SavedView("mine", "q=b"),)
    assert views.of("acme", "ben") == (SavedView("mine", "q=c"),)
    views.forget("acme", "ben", "mine")
    assert views.of("acme", "ben") == ()
    assert views.of("other", "ann") == (SavedView("mine", "q=d"),)


def test_there_is_an_end_to_views(tmp_path: Path) -> None:
    views = new_store(tmp_path).views
    for number in range(MOST_VIEWS):
        views.save("acme", "ann", SavedView(f"{number}", "q=a"), at=AT)
    with pytest.raises(StoreError, match="50 views are saved already"):
        views.save("acme", "ann", SavedView("one more", "q=a"), at=AT)
    views.save("acme", "ann", SavedView("7", "q=b"), at=AT)
    assert len(views.of("acme", "ann")) == MOST_VIEWS

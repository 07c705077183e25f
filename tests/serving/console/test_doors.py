from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from keepwell.errors import ConfigError
from serving.console.app import PAGES, console_app
from serving.console.doors import IDLE, LASTS, MOST_FROM_HERE, SESSION, VISIT
from serving.console.passwords import hashed, matches
from serving.console.roles import LEAST, Right, Role, Visitor
from serving.store import Store
from tests.serving.console.shop import NASTY_NAME, NOW, fill, new_store

PASSWORD = "four words make one"
HASH = hashed(PASSWORD)


class Clock:
    """An instant that tests move."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def staffed_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = new_store(tmp_path_factory.mktemp("staffed"))
    fill(store)
    for role in Role:
        store.people.add(str(role), HASH, role, at=NOW, by="test")
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(staffed_store: Store, clock: Clock) -> Callable[[], TestClient]:
    def client() -> TestClient:
        return TestClient(console_app(lambda: staffed_store, now=clock), follow_redirects=False)

    return client


def token_of(page: str) -> str:
    return re.search(r'name="form_token" value="([0-9a-f]{64})"', page)[1]


def sign_in(client: TestClient, name: str = "agent", password: str = PASSWORD, onward: str = "/") -> TestClient:
    form = {"name": name, "password": password, "next": onward, "form_token": token_of(client.get("/sign-in").text)}
    client.last = client.post("/sign-in", data=form)
    return client


def test_where_nobody_is_set_up_the_console_opens_as_a_marked_single_user(console: TestClient) -> None:
    page = console.get("/")
    assert page.status_code == 200
    assert "Single user" in page.text


def test_where_it_may_not_open_so_nobody_comes_in_before_people_are_set_up(filled_store: Store) -> None:
    client = TestClient(console_app(lambda: filled_store, now=lambda: NOW, alone=False), follow_redirects=False)
    assert client.get("/").headers["location"] == "/sign-in"
    assert "keepwell users add" in client.get("/sign-in").text


@pytest.mark.parametrize("path", [path for path, page in PAGES.items() if page.view and not page.open])
def test_every_page_asks_a_stranger_to_sign_in(opened: Callable[[], TestClient], path: str) -> None:
    answer = opened().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert "Weber" not in answer.text


@pytest.mark.parametrize("path", [path for path, page in PAGES.items() if page.act and not page.open])
def test_every_form_asks_a_stranger_to_sign_in(opened: Callable[[], TestClient], path: str) -> None:
    assert opened().post(path, data={"form_token": "x"}).headers["location"].startswith("/sign-in")


def test_signing_in_leads_to_the_page_that_was_asked_for(opened: Callable[[], TestClient]) -> None:
    client = opened()
    onward = client.get("/customers?q=web").headers["location"]
    assert onward == "/sign-in?next=%2Fcustomers%3Fq%3Dweb"
    sign_in(client, onward="/customers?q=web")
    assert (client.last.status_code, client.last.headers["location"]) == (303, "/customers?q=web")
    assert client.get("/customers?q=web").status_code == 200


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"])
def test_signing_in_never_leads_to_another_site(opened: Callable[[], TestClient], onward: str) -> None:
    assert sign_in(opened(), onward=onward).last.headers["location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("agent", "wrong password"), ("nobody", PASSWORD), ("", ""), ("agent", "")])
def test_a_wrong_name_or_password_is_refused_with_the_same_words(
    opened: Callable[[], TestClient], clock: Clock, name: str, password: str
) -> None:
    clock.at += timedelta(days=1)
    client = sign_in(opened(), name, password)
    assert client.last.status_code == 403
    assert "Name or password is wrong." in client.last.text
    assert SESSION not in client.cookies


def test_many_attempts_close_the_door_for_a_while_even_to_the_right_password(
    opened: Callable[[], TestClient], staffed_store: Store, clock: Clock
) -> None:
    staffed_store.people.add("victim", HASH, Role.VIEWER, at=NOW, by="test")
    client = opened()
    for _ in range(MOST_FROM_HERE):
        assert sign_in(client, "victim", "wrong password").last.status_code == 403
    assert sign_in(client, "victim").last.status_code == 429
    assert sign_in(opened(), "agent").last.status_code == 303
    clock.at += timedelta(minutes=16)
    assert sign_in(client, "victim").last.status_code == 303


def test_a_session_ends_when_idle_and_in_any_case_after_a_while(opened: Callable[[], TestClient], clock: Clock) -> None:
    client = sign_in(opened())
    begun = clock.at
    clock.at += IDLE - timedelta(minutes=1)
    assert client.get("/").status_code == 200
    clock.at += IDLE - timedelta(minutes=1)
    assert client.get("/").status_code == 200, "the last use counts, not the first"
    clock.at += IDLE + timedelta(minutes=2)
    assert client.get("/").status_code == 303
    sign_in(client)
    begun = clock.at
    while clock.at < begun + LASTS - timedelta(hours=1):
        clock.at += timedelta(hours=1)
        assert client.get("/").status_code == 200
    clock.at = begun + LASTS
    assert client.get("/").status_code == 303


def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(opened: Callable[[], TestClient]) -> None:
    client = sign_in(opened())
    token, form_token = client.cookies[SESSION], token_of(client.get("/").text)
    assert client.post("/sign-out", data={"form_token": form_token}).status_code == 303
    assert opened().get("/", headers={"cookie": f"{SESSION}={token}"}).status_code == 303


def test_a_changed_password_or_a_disabled_user_ends_their_sessions(
    opened: Callable[[], TestClient], staffed_store: Store
) -> None:
    staffed_store.people.add("leaver", HASH, Role.AGENT, at=NOW, by="test")
    client = sign_in(opened(), "leaver")
    staffed_store.people.change("leaver", at=NOW, by="test", password_hash=HASH)
    assert client.get("/").status_code == 303
    sign_in(client, "leaver")
    staffed_store.people.change("leaver", at=NOW, by="test", disabled_at=NOW)
    assert client.get("/").status_code == 303
    assert sign_in(opened(), "leaver").last.status_code == 403


@pytest.mark.parametrize("form_token", ["", "0" * 64, "é"])
def test_a_form_that_is_not_ours_does_nothing(opened: Callable[[], TestClient], form_token: str) -> None:
    client = sign_in(opened())
    assert client.post("/sign-out", data={"form_token": form_token}).status_code == 403
    assert client.get("/").status_code == 200


def test_a_form_sent_from_another_site_does_nothing(opened: Callable[[], TestClient]) -> None:
    client = sign_in(opened())
    form = {"form_token": token_of(client.get("/").text)}
    assert client.post("/sign-out", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_form_of_another_browser_does_nothing(opened: Callable[[], TestClient]) -> None:
    mine, theirs = sign_in(opened()), sign_in(opened())
    assert mine.post("/sign-out", data={"form_token": token_of(theirs.get("/").text)}).status_code == 403


def test_cookies_are_unseen_by_scripts_and_stay_with_this_site(opened: Callable[[], TestClient]) -> None:
    client = opened()
    assert VISIT in client.get("/sign-in").headers["set-cookie"]
    for cookie in sign_in(client).last.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie or "Max-Age=0" in cookie
        assert "samesite=lax" in cookie.lower()


def test_a_sign_in_gives_a_token_that_was_not_known_before(opened: Callable[[], TestClient]) -> None:
    client = opened()
    client.cookies.set(SESSION, "planted")
    client.get("/sign-in")
    sign_in(client)
    assert client.last.headers["set-cookie"].startswith(f"{SESSION}=")
    assert "planted" not in client.last.headers["set-cookie"]


def test_a_viewer_sees_ids_and_no_names_anywhere(opened: Callable[[], TestClient]) -> None:
    viewer, agent = sign_in(opened(), "viewer"), sign_in(opened(), "agent")
    for path in (
        "/",
        "/customers",
        "/customers?sort=name",
        "/customers.csv",
        "/customers?q=oliveira",
        "/customers/one?id=C00007",
    ):
        answer = viewer.get(path)
        assert answer.status_code == 200
        page = answer.text
        assert not re.search("Oliveira|王小明|script&gt;alert", page), path
    assert re.search("Oliveira|王小明", agent.get("/customers").text + agent.get("/").text)
    assert "No customers match" in viewer.get("/customers?q=oliveira").text
    assert NASTY_NAME not in viewer.get("/customers.csv").text


def test_what_happened_at_the_door_is_on_record(opened: Callable[[], TestClient], staffed_store: Store) -> None:
    client = sign_in(opened(), "manager")
    client.post("/sign-out", data={"form_token": token_of(client.get("/").text)})
    sign_in(opened(), "manager", "wrong password")
    told = [(deed.actor, deed.what) for deed in staffed_store.audit.latest(3)]
    assert told == [("manager", "sign-in refused"), ("manager", "signed out"), ("manager", "signed in")]


def test_no_secret_is_kept_as_it_is(opened: Callable[[], TestClient], staffed_store: Store) -> None:
    token = sign_in(opened()).cookies[SESSION]
    path = Path(staffed_store._engine.url.database)
    kept = path.read_bytes() + Path(f"{path}-wal").read_bytes()
    assert PASSWORD.encode() not in kept
    assert token.encode() not in kept


@pytest.mark.parametrize("password", ["short", "", "x" * 201])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(ConfigError, match="characters"):
        hashed(password)


def test_one_password_has_many_hashes_and_fits_all() -> None:
    assert hashed(PASSWORD) != HASH
    assert matches(PASSWORD, hashed(PASSWORD))
    assert not matches(PASSWORD + "r", HASH)


def test_each_role_may_do_all_that_the_one_before_may() -> None:
    allowed = [{right for right in Right if Visitor("x", role).may(right)} for role in Role]
    assert all(less <= more for less, more in pairwise(allowed))
    assert allowed[-1] == set(Right) == set(LEAST)


def test_a_form_that_is_too_long_says_so(opened: Callable[[], TestClient]) -> None:
    client = sign_in(opened())
    answer = client.post("/sign-out", data={"form_token": "x", "note": "n" * 5_000_000})
    assert answer.status_code == 413
    assert "too long" in answer.text

"""All layers together, around a service of a few lines, as callers meet them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from keepwell.settings import Settings
from serving.front.access import hash_of, new_key
from serving.front.context import CALLER
from serving.front.layers import layered
from serving.front.metrics import Metrics
from serving.front.scopes import NEEDS, OPEN, SCOPES
from serving.store import Store
from serving.store.keys import ApiKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "http://127.0.0.1:3000"


async def tell_caller(request: Request) -> JSONResponse:
    return JSONResponse({"name": CALLER.get().name, "size": len(await request.body())})


SERVICE = Starlette(routes=[Route(path, tell_caller, methods=["GET", "POST"]) for path in NEEDS])
CONSOLE = Starlette(routes=[Route("/", tell_caller)])


class Place:
    """A store, and clients of services on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = Store(f"sqlite:///{home / 'store.db'}")
        self.store.migrate()

    def client(self, peer: str = "127.0.0.1", host: str = HOST, **settings: str) -> TestClient:
        chosen = Settings(home=str(self.home), **settings)
        app = layered(
            SERVICE, set(NEEDS), console=CONSOLE, store=lambda: self.store, settings=chosen, metrics=Metrics(), clock=lambda: NOW
        )
        return TestClient(app, host, client=(peer, 50_000), raise_server_exceptions=False)

    def key(self, *scopes: str, **changes: Any) -> dict[str, str]:
        """The header of a new key."""
        id_, key = new_key()
        self.store.keys.add(ApiKey(id_, "till", hash_of(key), scopes, changes.pop("limit", None), NOW, **changes), by="test")
        return {"authorization": f"Bearer {key}"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.store.close()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_opens_its_paths_and_no_others(scope: str, place: Place) -> None:
    header = place.key(scope)
    with place.client(peer="203.0.113.9") as client:
        for path, needed in NEEDS.items():
            answer = client.post(path, headers=header, json={})
            if scope == "admin" or needed in (scope, OPEN, "any"):
                assert answer.json()["name"] == ("" if needed == OPEN else "till")
            else:
                assert code(answer) == (403, "missing_scope")
                assert f"lacks the scope {needed}; it has {scope}" in answer.json()["error"]["message"]


def test_without_a_key_only_probes_answer_where_keys_are_required(place: Place) -> None:
    with place.client(peer="203.0.113.9") as client:
        for path, needed in NEEDS.items():
            answer = client.post(path, json={})
            assert answer.status_code == (200 if needed == OPEN else 401), path
            if needed != OPEN:
                assert answer.json()["error"]["code"] == "no_key"
                assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "kw_0", "Bearer kw_0", "Bearer \xff", "bearer x y"]
)
@pytest.mark.parametrize("required", ["true", "false"])
def test_what_is_no_key_is_refused_also_where_none_is_needed(header: str, required: str, place: Place) -> None:
    with place.client(require_keys=required) as client:
        answer = client.get("/v1/model", headers={"authorization": header.encode("latin-1")})
        assert answer.status_code == 401


def test_the_scheme_may_be_written_in_any_letters(place: Place) -> None:
    header = place.key("read")
    with place.client() as client:
        answer = client.get("/v1/model", headers={"authorization": header["authorization"].replace("Bearer", "BEARER")})
        assert answer.status_code == 200


def test_settings_that_say_nothing_ask_for_keys(place: Place) -> None:
    with place.client() as client:
        assert code(client.get("/v1/model")) == (401, "no_key")


def test_an_open_service_answers_programs_on_its_machine_alone(place: Place) -> None:
    for peer, status in (
        ("127.0.0.1", 200),
        ("127.8.8.8", 200),
        ("::1", 200),
        ("203.0.113.9", 403),
        ("10.0.0.1", 403),
        ("", 403),
    ):
        with place.client(peer, require_keys="false") as client:
            assert client.get("/v1/model").status_code == status, peer
            assert client.get("/console/").status_code == status, peer


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])
def test_an_open_service_does_not_take_a_proxy_on_its_machine_for_a_local_program(header: str, place: Place) -> None:
    with place.client(require_keys="false") as client:
        answer = client.get("/v1/model", headers={header: "203.0.113.9"})
        assert code(answer) == (403, "not_local")
        assert "KEEPWELL_REQUIRE_KEYS=true" in answer.json()["error"]["hint"]
    with place.client(require_keys="true") as client:
        assert client.get("/v1/model", headers={header: "203.0.113.9", **place.key("read")}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:3000", 200), ("127.0.0.1", 200), ("[::1]:3000", 200), ("LOCALHOST", 200), ("keepwell.test", 200), ("", 403)]
    + [
        (host, 403)
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:3000", "localhost@evil.example", "[")
    ],
)
def test_an_open_service_answers_to_its_own_names_alone(host: str, status: int, place: Place) -> None:
    with place.client(require_keys="false", allowed_hosts="keepwell.test") as client:
        for path in ("/v1/model", "/console/"):
            assert client.get(path, headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost:3000", 200), ("http://127.0.0.1:8080", 200), ("https://evil.example", 403), ("null", 403), ("", 403)],
)
def test_a_page_of_another_site_cannot_call_an_open_service(origin: str, status: int, place: Place) -> None:
    with place.client(require_keys="false") as client:
        assert client.post("/v1/outcomes", headers={"origin": origin}, content=b"{}").status_code == status


def test_where_keys_are_required_names_are_checked_only_when_some_are_set(place: Place) -> None:
    header = place.key("read")
    with place.client(host="https://shop.example") as client:
        assert client.get("/v1/model", headers=header).status_code == 200
    with place.client(host="https://shop.example", allowed_hosts="api.shop.example, other") as client:
        assert code(client.get("/v1/model", headers=header)) == (403, "wrong_host")
        assert client.get("/v1/model", headers={**header, "host": "API.shop.example"}).status_code == 200


def test_a_key_may_call_as_often_as_it_may_over_all_workers(place: Place) -> None:
    header = place.key("read", limit=3)
    with place.client() as one, place.client() as two:
        assert [worker.get("/v1/model", headers=header).status_code for worker in (one, two, one)] == [200] * 3
        answer = two.get("/v1/model", headers=header)
        assert code(answer) == (429, "too_many_requests")
        assert 0 < int(answer.headers["retry-after"]) <= 20
        assert one.get("/v1/model", headers=place.key("read", limit=3)).status_code == 200


def test_a_body_is_not_read_before_its_sender_is_known(place: Place) -> None:
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b"x" * 65_536

    with place.client() as client:
        answer = client.post("/v1/predict", content=pieces(), headers={"content-type": "application/json"})
        assert code(answer) == (401, "no_key")
        assert answer.headers["connection"] == "close"


def test_every_answer_bears_the_id_of_its_request(place: Place) -> None:
    with place.client(require_keys="true") as client:
        for path in ("/livez", "/v1/model", "/junk"):
            assert client.get(path, headers={"x-request-id": "mine"}).headers["x-request-id"] == "mine"
            assert client.get(path).headers["x-request-id"]


def test_a_key_made_and_ended_while_the_service_runs(place: Place) -> None:
    with place.client() as client:
        header = place.key("read")
        assert client.get("/v1/model", headers=header).status_code == 200
        assert code(client.get("/v1/model", headers=place.key("read", revoked_at=NOW))) == (401, "revoked_key")
        assert code(client.get("/v1/model", headers=place.key("read", expires_at=NOW))) == (401, "expired_key")


def test_a_store_that_is_away_is_told_of(place: Place) -> None:
    place.store.close()
    place.store = Store(f"sqlite:///{place.home / 'no-folder' / 'x' / 'store.db'}")
    (place.home / "no-folder").touch()
    with place.client() as client:
        answer = client.get("/v1/model", headers={"authorization": f"Bearer {new_key()[1]}"})
        assert code(answer) == (503, "no_store")
        assert answer.headers["retry-after"]
        assert client.get("/livez").status_code == 200

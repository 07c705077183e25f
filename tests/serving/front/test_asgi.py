from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from serving.endpoints.answers import error_answer
from serving.front.asgi import KnownPaths, OneErrorShape, TimeLimit


def client(app: ASGIApp) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def shaped(answer: ASGIApp) -> TestClient:
    return client(OneErrorShape(answer, pages="/console/"))


@given(st.integers(400, 599), st.binary())
def test_every_answer_of_400_and_above_gets_the_shape(status: int, body: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})

    answer = shaped(app).get("/x")
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "field", "hint"}
    assert answer.headers["content-type"] == "application/json"


def test_an_answer_in_the_shape_stays_as_it_is() -> None:
    answer = shaped(error_answer(409, "no", code="mine", hint="do", field="a.b")).get("/")
    assert answer.json() == {"error": {"code": "mine", "message": "no", "field": "a.b", "hint": "do"}}


def test_headers_that_do_not_tell_of_the_body_stay() -> None:
    answer = shaped(PlainTextResponse("no", 405, {"Allow": "POST"})).get("/")
    assert answer.headers["allow"] == "POST"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_pages_speak_for_themselves() -> None:
    assert shaped(PlainTextResponse("no such page", 404)).get("/console/x").text == "no such page"


def test_good_answers_pass_in_pieces() -> None:
    assert shaped(StreamingResponse(iter(["a", "b"]))).get("/").text == "ab"


def test_an_exception_is_a_500_that_tells_nothing() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("the secret")

    answer = shaped(broken).get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["error"]["code"] == "internal_error"


async def tell_path(scope: Any, receive: Any, send: Any) -> None:
    await JSONResponse({"path": scope["path"], "root": scope.get("root_path", "")})(scope, receive, send)


GUARDED = KnownPaths(tell_path, {"/known"}, mounts={"/console": tell_path}, redirects={"/": "/console/"})


@pytest.mark.parametrize("path", ["/junk", "/known/", "/known/x", "/consolex", "/console", "/%00", "/" + "a" * 5000])
def test_an_unknown_path_is_not_found(path: str) -> None:
    answer = client(GUARDED).get(path)
    assert answer.status_code == 404
    assert len(answer.content) < 400


def test_known_paths_mounts_and_redirects() -> None:
    assert client(GUARDED).get("/known").json()["path"] == "/known"
    assert client(GUARDED).get("/console/a/b").json() == {"path": "/console/a/b", "root": "/console"}
    assert client(GUARDED).get("/").headers["location"] == "/console/"


def test_a_slow_answer_is_cut_off() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(5)

    answer = client(TimeLimit(slow, seconds=0.05)).get("/")
    assert answer.status_code == 504
    assert answer.json()["error"]["message"] == "there was no answer within 0.05 seconds"


def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async def pieces() -> Any:
        yield "a"
        await asyncio.sleep(0.2)
        yield "b"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(pieces())(scope, receive, send)

    assert client(TimeLimit(app, seconds=0.05)).get("/").text == "ab"


def test_a_timeout_of_the_service_itself_is_not_taken_for_ours() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("inner")

    assert shaped(TimeLimit(app, seconds=5)).get("/").status_code == 500

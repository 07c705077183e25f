from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from serving.front.context import CALLER, REQUEST_ID, Caller
from serving.front.logs import JsonLines
from serving.front.request_log import ELSEWHERE, RequestLog


class Counted:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int]] = []

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.seen.append((route, method, status))


async def answering(scope: Any, receive: Any, send: Any) -> None:
    CALLER.set(Caller("ab12", "the till"))
    status = {"/v1/jobs": 404, "/console/junk": 404, "/livez": 200, "/broken": 500}.get(scope["path"], 200)
    await PlainTextResponse(REQUEST_ID.get(), status)(scope, receive, send)


def logged() -> tuple[TestClient, Counted]:
    counts = Counted()
    paths = ("/v1/predict", "/v1/jobs", "/livez", "/broken")
    return TestClient(RequestLog(answering, counts, paths, ["/console"], quiet=["/livez", "/broken"])), counts


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "keepwell.requests")
    caplog.handler.setFormatter(JsonLines())
    return caplog


def told(lines: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.text.splitlines()]


def test_a_request_is_one_line_with_its_route_its_key_and_nothing_else_of_it(lines: pytest.LogCaptureFixture) -> None:
    client, _ = logged()
    headers = {"authorization": "Bearer kw_secret", "x-request-id": "mine-1"}
    client.post("/v1/predict?id=C0007", content=b'{"customer_id": "C0007"}', headers=headers)
    (line,) = told(lines)
    facts = {"request_id": "mine-1", "method": "POST", "route": "/v1/predict", "status": 200, "key": "ab12", "bytes": 6}
    assert facts.items() <= line.items()
    assert set(line) == {*facts, "time", "level", "logger", "message", "ms"}
    assert "C0007" not in lines.text
    assert "secret" not in lines.text


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=150))
def test_an_id_that_is_sent_is_taken_when_it_is_sane_else_one_is_made(sent: str) -> None:
    client, _ = logged()
    answer = client.get("/v1/predict", headers={"x-request-id": sent})
    used = answer.headers["x-request-id"]
    assert answer.text == used
    is_sane = 0 < len(sent) <= 100 and all(sign.isalnum() or sign in "._:/+=-" for sign in sent)
    assert (used == sent) == is_sane


def test_ids_that_are_made_differ() -> None:
    client, _ = logged()
    assert len({client.get("/v1/predict").headers["x-request-id"] for _ in range(50)}) == 50


def test_probes_are_told_of_only_when_they_fail(lines: pytest.LogCaptureFixture) -> None:
    client, counts = logged()
    client.get("/livez"), client.get("/broken")
    assert [line["route"] for line in told(lines)] == ["/broken"]
    assert counts.seen == []


def test_paths_that_do_not_exist_are_logged_without_their_name_and_not_counted(lines: pytest.LogCaptureFixture) -> None:
    client, counts = logged()
    for path in ("/junk/C0007", "/console/junk", "/console/customers", "/v1/jobs"):
        client.get(path)
    assert [line["route"] for line in told(lines)] == [ELSEWHERE, ELSEWHERE, "/console/", "/v1/jobs"]
    assert counts.seen == [("/console/", "GET", 200), ("/v1/jobs", "GET", 404)]


def test_an_error_that_is_logged_tells_of_which_request() -> None:
    REQUEST_ID.set("abc")
    try:
        raise ValueError("odd")
    except ValueError:
        record = logging.LogRecord("keepwell", logging.ERROR, "", 1, "failed: %s", ("x",), __import__("sys").exc_info())
    line = json.loads(JsonLines().format(record))
    assert (line["request_id"], line["message"], line["level"]) == ("abc", "failed: x", "error")
    assert "ValueError: odd" in line["traceback"]
    REQUEST_ID.set("")

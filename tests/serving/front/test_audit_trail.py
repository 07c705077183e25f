from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from keepwell.errors import StoreError
from serving.front import audit_trail
from serving.front.audit_trail import WRITES, AuditTrail
from serving.front.context import CALLER, REQUEST_ID, Caller
from serving.front.scopes import NEEDS
from serving.store import Store
from serving.store.audit import Deed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def answering(request: Request) -> PlainTextResponse:
    return PlainTextResponse("", int(request.query_params.get("status", "200")))


class Known:
    """Says who calls, as the layers around it do."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        CALLER.set(Caller("ab12", "the till"))
        REQUEST_ID.set("r-1")
        await self.app(scope, receive, send)


def audited(add: Any) -> TestClient:
    app = Starlette(routes=[Route(path, answering, methods=["GET", "POST"]) for path in NEEDS])
    return TestClient(Known(AuditTrail(app, add, lambda: NOW)))


def test_what_a_key_changes_is_in_the_audit_and_what_it_reads_or_fails_to_change_is_not(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    with audited(store.audit.add) as client:
        client.post("/v1/outcomes")
        client.post("/v1/outcomes?status=422")
        client.get("/v1/jobs")
        client.post("/v1/predict")
        client.post("/v1/jobs/cancel")
    expected = [Deed(NOW, "the till (ab12)", what, request_id="r-1") for what in ("job cancelled", "outcomes recorded")]
    assert list(store.audit.latest()) == expected
    store.close()


def test_a_store_that_is_busy_holds_up_no_answer() -> None:
    free, written = threading.Event(), []

    def add(deeds: Sequence[Deed]) -> None:
        free.wait(60)
        written.extend(deeds)

    with audited(add) as client:
        for _ in range(20):
            assert client.post("/v1/outcomes").status_code == 200
        assert written == []
        free.set()
    assert len(written) == 20


def test_deeds_that_cannot_be_kept_are_in_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "LONGEST_QUEUE", 1)

    def add(deeds: Sequence[Deed]) -> None:
        raise StoreError("the disk is full", hint="make room")

    with audited(add) as client:
        client.post("/v1/outcomes")
    assert "1 deeds are not in the audit (the disk is full" in caplog.text
    assert "the till (ab12)" in caplog.text


def test_every_path_that_changes_something_is_one_that_there_is() -> None:
    assert set(WRITES) <= set(NEEDS)

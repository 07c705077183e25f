"""The page about the service: every call of it is made, every path and every code of it is one that there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import polars as pl
import pytest
from starlette.testclient import TestClient

from serving.client import Client
from serving.endpoints.examples import CUSTOMER_ID
from serving.jobs.schemas import JobCancel, JobRequest
from tests.doc_blocks import PAGES, Block, blocks_of, curls, path_of, url_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text()
CALLED = [(block, words) for page in PAGES for block in blocks_of(page) for words in curls(block)]
CALLS = [(block, words) for block, words in CALLED if "/v1/jobs" not in url_of(words)]
JOBS = [(block, words) for block, words in CALLED if "/v1/jobs" in url_of(words)]
CLIENT_PAGES = ("docs/serving.md", "docs/start/app.md")


def name_of(call: tuple[Block, list[str]]) -> str:
    return f"{call[0]} {path_of(call[1])}"


def rows_file(loaded: TestClient) -> str:
    body = loaded.get("/docs.json").json()["paths"]["/v1/predict_rows"]["post"]["requestBody"]["content"]["application/json"]
    return json.dumps(body["examples"]["a feature row"]["value"])


@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_the_calls_of_the_docs_work(loaded: TestClient, scored: pl.DataFrame, call: tuple[Block, list[str]]) -> None:
    words = call[1]
    if "-d" not in words:
        assert loaded.get(path_of(words)).status_code == 200
        return
    content = words[words.index("-d") + 1]
    for shown in (CUSTOMER_ID, "C000017"):
        content = rows_file(loaded) if content == "@rows.json" else content.replace(shown, scored["customer_id"][2])
    answer = loaded.post(path_of(words), content=content, headers=dict([words[words.index("-H") + 1].split(": ")]))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("call", JOBS, ids=name_of)
def test_the_calls_about_jobs_have_the_form_that_jobs_want(call: tuple[Block, list[str]]) -> None:
    """What they answer is in tests/serving/jobs/test_desk.py: here no data are scored over HTTP."""
    words = call[1]
    if "-d" in words:
        {"/v1/jobs": JobRequest, "/v1/jobs/cancel": JobCancel}[path_of(words)].model_validate_json(words[words.index("-d") + 1])
    else:
        JobCancel.model_validate({"id": url_of(words).partition("?id=")[2]})


@pytest.mark.parametrize("page", CLIENT_PAGES)
def test_the_programs_of_the_docs_run(
    loaded: TestClient, scored: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], page: str
) -> None:
    """Their connections lead to the service of this test instead of the network."""

    def pass_on(request: httpx.Request) -> httpx.Response:
        answer = loaded.request(request.method, request.url.path, content=request.content, headers=dict(request.headers))
        return httpx.Response(answer.status_code, content=answer.content)

    plain, service = httpx.Client, {"transport": httpx.MockTransport(pass_on)}
    monkeypatch.setattr("serving.client.httpx.Client", lambda **options: plain(**options | service))
    for block in blocks_of(ROOT / page):
        if block.language == "python":
            program = block.text.replace("C000017", scored["customer_id"][2]).replace(CUSTOMER_ID, scored["customer_id"][2])
            exec(compile(program, str(block), "exec"), {})
            assert capsys.readouterr().out or "except" in program


def test_there_is_a_call_for_every_endpoint_but_jobs(loaded: TestClient) -> None:
    posts = {
        path for path, methods in loaded.get("/docs.json").json()["paths"].items() if "post" in methods and "/jobs" not in path
    }
    assert {path_of(words) for block, words in CALLS if block.page == "docs/serving.md"} == posts


def test_the_page_tells_every_path(loaded: TestClient) -> None:
    assert [path for path in loaded.get("/docs.json").json()["paths"] if path not in PAGE] == []


def test_the_page_tells_every_refusal_of_a_request() -> None:
    """What is raised with status 422 in the modules of the service."""
    raised = set()
    for path in (ROOT / "serving").glob("*.py"):
        raised |= set(re.findall(r'status=(?:422|503),\s*code="(\w+)"', path.read_text()))
    assert raised
    assert {code for code in raised if f"`{code}`" not in PAGE} <= {"unreachable"}  # the client's own


def test_the_page_calls_methods_that_the_client_has() -> None:
    called = set(re.findall(r"keepwell\.(\w+)\(", PAGE))
    assert called
    assert called <= set(dir(Client))

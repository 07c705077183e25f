"""The page about the service: every call of it is made, every path and every code of it is one that there is."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from serving.client import Client
from serving.examples import CUSTOMER_ID

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text()
BLOCKS = re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE)
CALLS = [block for block in BLOCKS if block.strip().startswith("curl")]


def rows_file(loaded: TestClient) -> str:
    body = loaded.get("/docs.json").json()["paths"]["/v1/predict_rows"]["post"]["requestBody"]["content"]["application/json"]
    return json.dumps(body["examples"]["a feature row"]["value"])


@pytest.mark.parametrize("block", CALLS, ids=lambda block: re.search(r"/v1/\w+", block)[0])  # type: ignore[index]
def test_the_calls_of_the_page_work(loaded: TestClient, scored: pl.DataFrame, block: str) -> None:
    words = shlex.split(block)
    url, content = next(word for word in words if word.startswith("http")), words[words.index("-d") + 1]
    content = rows_file(loaded) if content == "@rows.json" else content.replace(CUSTOMER_ID, scored["customer_id"][2])
    headers = dict([words[words.index("-H") + 1].split(": ")])
    answer = loaded.post(url.removeprefix("http://127.0.0.1:3000"), content=content, headers=headers)
    assert answer.status_code == 200, answer.text


def test_there_is_a_call_for_every_endpoint_but_jobs(loaded: TestClient) -> None:
    posts = {
        path for path, methods in loaded.get("/docs.json").json()["paths"].items() if "post" in methods and "/jobs" not in path
    }
    assert {re.search(r"/v1/\w+", block)[0] for block in CALLS} == posts  # type: ignore[index]


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

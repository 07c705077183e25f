from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from starlette.testclient import TestClient

from serving.store import Store
from tests.serving.console.portfolio_shop import fill_twice
from tests.serving.console.shop import new_store


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = new_store(tmp_path_factory.mktemp("twice"))
    fill_twice(store)
    return store


def test_the_page_tells_of_moves_equity_cohorts_and_owners(open_console: Callable[..., TestClient], twice: Store) -> None:
    text = unescape(open_console(twice).get("/portfolio").text)
    for words in (
        "Moves between tiers since 1 Jan 2026",
        "Customer equity",
        "Who stayed",
        "Lena",
        "Gini coefficient",
        "Won back",
    ):
        assert words in text
    assert "status=all_but_lost" in text


def test_the_first_scoring_says_that_moves_come_later(console: TestClient) -> None:
    text = console.get("/portfolio").text
    assert "first scores that are kept" in text
    assert "do not say when customers bought first" in text


def test_the_page_reads_in_chinese(open_console: Callable[..., TestClient], twice: Store) -> None:
    assert "层级迁移" in open_console(twice).get("/portfolio?lang=zh").text


def test_an_empty_store_says_how_to_fill_it(open_console: Callable[..., TestClient], empty_store: Store) -> None:
    for path in ("/portfolio", "/plan"):
        assert "There are no scores yet" in open_console(empty_store).get(path).text


def test_each_field_of_the_map_leads_to_its_own_customers(open_console: Callable[..., TestClient], twice: Store) -> None:
    client = open_console(twice)
    fields = re.findall(r'<td class="shade-\d"[^>]*><a href="([^"]+)">(\d+)</a>', client.get("/portfolio").text)
    assert len(fields) > 10
    for link, customers in fields:
        listed = client.get(unescape(link)).text
        assert f"of {customers}<" in listed, link

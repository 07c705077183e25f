from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from starlette.testclient import TestClient

from serving.console.app import console_app
from serving.store import Store
from tests.serving.console.shop import AS_OF, fill, new_store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return new_store(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = new_store(tmp_path_factory.mktemp("filled"))
    fill(store)
    return store


@pytest.fixture
def open_console() -> Callable[..., TestClient]:
    """A client of the console over a store, mounted at its own root."""

    def opened(store: Store, today: date = AS_OF, **options: object) -> TestClient:
        now = datetime(today.year, today.month, today.day, 9, tzinfo=UTC)
        return TestClient(console_app(lambda: store, now=lambda: now, **options), raise_server_exceptions=False)

    return opened


@pytest.fixture
def console(filled_store: Store, open_console: Callable[..., TestClient]) -> Iterator[TestClient]:
    with open_console(filled_store) as client:
        yield client

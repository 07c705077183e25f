"""New scores are shown once their list is read; until then those before stay, and nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from starlette.testclient import TestClient

from serving.console import current
from serving.console.app import console_app
from serving.console.current import PAUSE, Current
from serving.store import Load, Store
from tests.serving.console.shop import NOW, fill, new_store, score_rows

LATER = NOW + PAUSE / 2
"""Somebody is at work all the while."""


class Reading:
    """Reads a list when it is allowed to."""

    def __init__(self) -> None:
        self.may_end, self.read = Event(), []

    def __call__(self, _store: Store, load: Load) -> None:
        assert self.may_end.wait(60)
        self.read.append(load.id)


@pytest.fixture
def reading() -> Iterator[Reading]:
    made = Reading()
    yield made
    made.may_end.set()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(current, "AT_ONCE", 0)
    store = new_store(tmp_path)
    fill(store, 30)
    return store


def score_again(store: Store) -> Load:
    return store.load_scores(score_rows(30), company="northwind-tea", loaded_at=NOW)


def until(shows: Current, store: Store, load: Load) -> None:
    """Ask for the page until it shows this load; pytest ends a test that never does."""
    while shows.load(store, store.current_load(), LATER) != load:
        pass


def test_the_scores_before_stay_until_the_new_list_is_read(store: Store, reading: Reading) -> None:
    shows, before = Current(reading), store.current_load()
    assert shows.load(store, before, NOW) == before
    new = score_again(store)
    assert [shows.load(store, new, LATER) for _ in range(3)] == [before] * 3
    reading.may_end.set()
    until(shows, store, new)
    assert reading.read == [new.id], "once, whoever asks"


def test_whoever_comes_after_a_pause_waits_for_the_new_scores(store: Store, reading: Reading) -> None:
    shows, before = Current(reading), store.current_load()
    shows.load(store, before, NOW)
    new = score_again(store)
    reading.may_end.set()
    assert shows.load(store, new, NOW + PAUSE + timedelta(seconds=1)) == new


def test_scores_that_are_gone_are_not_shown(store: Store, reading: Reading) -> None:
    shows, before = Current(reading), store.current_load()
    shows.load(store, before, NOW)
    for _ in range(4):
        newest = score_again(store)
    assert before.id not in {load.id for load in store.loads()}
    assert shows.load(store, newest, LATER) == newest


def test_a_small_list_is_shown_at_once(store: Store, reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "AT_ONCE", 30)
    shows = Current(reading)
    shows.load(store, store.current_load(), NOW)
    new = score_again(store)
    assert shows.load(store, new, LATER) == new
    assert reading.read == []


def test_the_first_scores_and_none_at_all_are_shown_as_they_are(store: Store, reading: Reading) -> None:
    shows = Current(reading)
    assert shows.load(store, None, NOW) is None
    first = store.current_load()
    assert shows.load(store, first, NOW) == first
    assert shows.load(store, None, NOW) is None


def test_a_list_that_cannot_be_read_holds_nobody_up(store: Store) -> None:
    def fail(_store: Store, _load: Load) -> None:
        raise OSError("the disk is gone")

    shows = Current(fail)
    shows.load(store, store.current_load(), NOW)
    until(shows, store, score_again(store))


def test_open_pages_are_told_of_new_scores_once_these_can_be_shown(store: Store) -> None:
    """The same load is shown and told: whoever reloads then sees what they were told of."""
    client = TestClient(console_app(lambda: store, now=lambda: NOW))
    assert client.get("/customers").status_code == 200
    new = score_again(store)
    while client.get("/load.json").json()["load"] != new.id:
        pass
    assert f'data-load="{new.id}"' in client.get("/").text

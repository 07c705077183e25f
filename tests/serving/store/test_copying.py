"""A store moves into another database whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import select

from keepwell.errors import StoreError
from keepwell.progress import Silent
from serving.store import Store
from serving.store.engine import reading, writing
from serving.store.keys import ApiKey
from serving.store.records import Outcome
from serving.store.tables import metadata
from tests.serving.store.test_store import LOADED_AT, filled, scores


@pytest.fixture(params=["to the other database", "and back"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A store to copy, and the empty one to copy into: from SQLite to PostgreSQL, and the other way round."""
    both = f"sqlite:///{tmp_path / 'store.db'}", str(request.getfixturevalue("postgres_schema_url"))
    return both if request.param == "to the other database" else (both[1], both[0])


@pytest.fixture
def used(urls: tuple[str, str]) -> Iterator[Store]:
    """A store with rows of many kinds, some of them removed since."""
    with closing(Store(urls[0])) as store:
        store.migrate()
        days = {"day": [date(2024, 2, 1)], "kind": ["purchase"], "count": [2], "amount": [9.5], "detail": [None]}
        for version in ("1", "2", "3", "4", "5"):
            features = scores().select("customer_id", "as_of", recency_days=pl.lit(3.0), spend_90d=pl.lit(None, pl.Float64))
            filled(store, scores(version=version), features=features, events=pl.DataFrame({"customer_id": ["c0000"], **days}))
        load = store.current_load()
        item = {"customer_id": "c0001", "action": "call", "cost": 2.5, "expected_net_value": 8.0, "churn_probability": 0.5}
        store.save_plan(load, pl.DataFrame([item]), made_at=LOADED_AT, budget=100.0, capacities={"call": 3})
        store.keys.add(ApiKey("00000000000000aa", "till", "0" * 64, ("read", "plan"), 60, LOADED_AT, LOADED_AT), by="ann")
        told = Outcome("c0001", "contacted", date(2024, 3, 2), action="call", key="crm-1", note="寄往 😀")
        store.outcomes.add("acme", [{**vars_of(told), "recorded_at": LOADED_AT, "recorded_by": "ann"}])
        yield store


def vars_of(outcome: Outcome) -> dict[str, Any]:
    own = {name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}
    return {**own, "plan_id": None, "arm": None, "propensity": None}


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with closing(Store(url)) as store, reading(store._engine) as connection:
        every = {table.name: connection.execute(select(table)).all() for table in metadata.sorted_tables}
        return {name: sorted(map(tuple, rows), key=repr) for name, rows in every.items()}


def copied(urls: tuple[str, str]) -> dict[str, int]:
    with closing(Store(urls[0])) as old, closing(Store(urls[1])) as new:
        return new.copy_from(old, Silent())


def test_every_row_comes_along_and_the_source_stays_as_it_was(used: Store, urls: tuple[str, str]) -> None:
    before = rows_of(urls[0])
    counted = copied(urls)
    assert rows_of(urls[1]) == before == rows_of(urls[0])
    assert counted == {name: len(rows) for name, rows in before.items()}
    assert all(
        counted[name] for name in ("loads", "scores", "feature_rows", "events", "plans", "plan_items", "outcomes", "api_keys")
    )


def test_the_copy_is_gone_on_with_under_new_ids(used: Store, urls: tuple[str, str]) -> None:
    copied(urls)
    newest = used.current_load()
    with closing(Store(urls[1])) as copy:
        assert copy.current_load() == newest
        filled(copy, scores(version="6"))
        assert copy.current_load().id > newest.id
        later = LOADED_AT + timedelta(days=1)
        copy.keys.revoke("till", at=later, by="ann")
        assert [key.state(later) for key in copy.keys.all()] == ["revoked"]


def test_a_store_that_has_rows_is_not_copied_into(used: Store, urls: tuple[str, str]) -> None:
    with closing(Store(urls[1])) as copy:
        copy.migrate()
        filled(copy)
    before = rows_of(urls[1])
    with pytest.raises(StoreError, match="has rows already, in loads"):
        copied(urls)
    assert rows_of(urls[1]) == before


def test_a_copy_that_fails_leaves_nothing(used: Store, urls: tuple[str, str]) -> None:
    with closing(Store(urls[1])) as copy:
        copy.migrate()
        with writing(copy._engine) as connection:  # when it fails there, other tables have their rows
            connection.exec_driver_sql("ALTER TABLE plan_items DROP COLUMN title")
        with pytest.raises(StoreError, match="title"):
            copied(urls)
        assert copy.current_load() is None
        assert copy.keys.all() == ()

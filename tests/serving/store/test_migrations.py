"""What an old version of Keepwell wrote opens in this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from keepwell.errors import StoreError
from scripts.make_store_fixture import ROWS
from serving.store import Store
from serving.store.engine import reading, writing
from serving.store.migrate import _scripts, revision, upgrade_to
from serving.store.tables import metadata

FIXTURES = Path(__file__).parents[2] / "fixtures"
REVISIONS = sorted(step.revision for step in _scripts()[1].walk_revisions())


def require_whole(store: Store) -> None:
    """Raise AssertionError unless the store has this version's schema, and all that the old one wrote."""
    store.migrate()
    with reading(store._engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    load = store.current_load("acme", 90)
    assert (load.as_of, load.model_version, load.customers, load.currency) == (date(2026, 1, 1), "3", 2, "EUR")
    ann, other = (store.customer(load, customer_id) for customer_id in ("00001", "名😀"))
    assert (ann.name, ann.churn_probability, ann.expected_value, ann.action) == ("Ann", 0.25, 80.0, "call")
    assert (other.churn_probability, other.lifetime_value, other.rfm_cell, dict(other.further_churn)) == (0.75, None, None, {})
    assert [row.customer_id for row in store.customers(load).rows] == ["00001", "名😀"]
    assert store.features(load, "00001") == {"recency_days": 12.0, "spend_90d": None}
    assert [(event.day, event.count) for event in store.timeline(load, "00001")] == [(date(2025, 12, 30), 2)]
    plan = store.plan(load)
    assert (plan.budget, plan.notes, store.plan_items(plan)[0].reason) == (100.0, ("a note",), "most at risk")


def fill(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows as an old version did, which knew nothing of the columns of today."""
    mark = ":{}" if connection.dialect.name == "sqlite" else "%({})s"
    for row in rows:
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join(map(mark.format, row))
        connection.exec_driver_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', row)


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("store-*.sql")), ids=lambda file: file.stem)
def test_a_store_that_an_old_version_wrote_opens_with_all_that_it_holds(fixture: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.executescript(fixture.read_text(encoding="utf-8"))
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        require_whole(store)


@pytest.mark.parametrize("old", REVISIONS)
def test_from_every_revision_the_way_leads_here(old: str, store_url: str) -> None:
    with closing(Store(store_url)) as store:
        with writing(store._engine) as connection:
            upgrade_to(connection, old)
            for table, rows in ROWS.items():
                fill(connection, table, rows)
        require_whole(store)


def test_a_migration_that_fails_leaves_the_old_store_as_it_was(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from serving.store import migrate

    steps = migrate._steps_to

    def breaking_off(*words: Any) -> Iterator[Any]:
        yield from steps(*words)[:-1]
        raise OSError(28, "No space left on device")

    with closing(Store(store_url)) as store:
        with writing(store._engine) as connection:
            upgrade_to(connection, REVISIONS[0])
        monkeypatch.setattr(migrate, "_steps_to", breaking_off)
        with pytest.raises(StoreError, match="No space left"):
            store.migrate()
        with reading(store._engine) as connection:
            assert revision(connection) == REVISIONS[0]
        monkeypatch.undo()
        store.migrate()

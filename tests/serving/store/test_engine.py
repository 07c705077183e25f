from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from keepwell.errors import StoreError
from serving.store import Store
from serving.store.engine import _network_options, open_engine, writing
from tests.serving.store.test_store import filled, scores


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_writer_waits_for_as_long_as_is_said_and_then_says_why(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    first, second = open_engine(url), open_engine(url, writer_waits_s=0.3)
    with writing(first):
        began = time.monotonic()
        with pytest.raises(StoreError, match="lock") as refused, writing(second):
            pass
        assert 0.25 < time.monotonic() - began < 5
        assert "another program is writing" in refused.value.hint
    with writing(second):
        pass
    first.dispose(), second.dispose()


def test_a_lost_postgresql_server_is_given_up_soon_unless_the_url_says_when() -> None:
    options = _network_options(make_url("postgresql+psycopg://keepwell@db.example/keepwell?connect_timeout=2"))
    assert options["pool_pre_ping"], "a server that came again has closed the connections that were kept"
    assert options["connect_args"]["tcp_user_timeout"] == 10_000
    assert "connect_timeout" not in options["connect_args"]
    assert _network_options(make_url("sqlite://")) == {}


def test_nothing_is_written_to_a_file_that_was_removed(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(Store(f"sqlite:///{file}")) as store:
        store.migrate()
        filled(store)
        file.rename(tmp_path / "gone.db")
        with pytest.raises(StoreError, match="no such table") as refused:
            filled(store)
        assert "the store is empty" in refused.value.hint


def test_a_file_that_was_put_back_is_read_at_once(tmp_path: Path) -> None:
    file, backup = tmp_path / "store.db", tmp_path / "backup.db"
    with closing(Store(f"sqlite:///{file}")) as store:
        store.migrate()
        filled(store, scores(version="1"))
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)
        filled(store, scores(version="2"))
        assert store.current_load().model_version == "2"
        for name in ("store.db", "store.db-wal", "store.db-shm"):  # what is left of the log would be played onto the backup
            (tmp_path / name).unlink(missing_ok=True)
        backup.rename(file)
        assert store.current_load().model_version == "1"

"""A disk that is full, a store that is locked, a writer that is killed: said in words, and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from keepwell.errors import StoreError
from serving.store import Store
from serving.store import engine as engine_module
from tests.serving.store.test_store import filled, scores

ROOT = Path(__file__).parents[3]
LOADING = """
import resource
from serving.store import Store
from tests.serving.store.test_store import filled, scores
store, frame = Store("sqlite:///{file}"), scores({customers}, version="new")
{before}
print("ready", flush=True)
filled(store, frame)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with one load of three customers."""
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        store.migrate()
        filled(store)
    return tmp_path / "store.db"


@contextmanager
def loading(file: Path, customers: int, before: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that is about to load scores; it ends with the block."""
    words = [sys.executable, "-c", LOADING.format(file=file, customers=customers, before=before)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()


def require_the_old_load(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(Store(f"sqlite:///{file}")) as store:
        assert (store.current_load().model_version, store.current_load().customers) == ("1", 3)
        assert store.customers(store.current_load()).total == 3
        filled(store, scores(5, version="2"))
        assert store.current_load().customers == 5


@pytest.mark.parametrize("room", [1_000, 400_000])
def test_a_full_disk_is_said_and_the_old_load_stays(file: Path, room: int) -> None:
    limit = file.stat().st_size + room
    with loading(file, customers=20_000, before=f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))") as child:
        told = child.communicate(timeout=60)[1].decode()
    assert "free some disk space" in told
    assert "StoreError" in told
    require_the_old_load(file)


def test_a_writer_that_is_killed_leaves_the_old_load(file: Path) -> None:
    with loading(file, customers=100_000) as child:
        wal = file.with_name("store.db-wal")
        deadline = time.monotonic() + 60
        while not (wal.exists() and wal.stat().st_size > 200_000):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    require_the_old_load(file)


@pytest.fixture
def locked(file: Path) -> Iterator[Path]:
    """The store, while another program writes to it and does not end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield file
        other.execute("ROLLBACK")


def test_a_locked_store_is_read_on_and_writers_say_why_they_end(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "WRITER_WAITS_S", 0.2)
    with closing(Store(f"sqlite:///{locked}")) as store:
        assert store.current_load().customers == 3
        with pytest.raises(StoreError, match="locked") as told:
            filled(store)
        assert "try again" in told.value.hint


def test_a_writer_waits_for_the_one_before_it(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with loading(file, customers=4) as child:
        with pytest.raises(subprocess.TimeoutExpired, match="timed out"):
            child.wait(0.5)
        other.execute("ROLLBACK")
        other.close()
        assert child.wait(60) == 0
    with closing(Store(f"sqlite:///{file}")) as store:
        assert store.current_load().model_version == "new"

"""`keepwell score --engine spark`: the scores of the local path, in a folder and in the store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.reading.sources import read_key
from serving.store import Store
from tests.commands.conftest import UNTIL, Shop, run

HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_JAVA and "CI" not in os.environ, reason="no Java on this machine"),
]


@pytest.fixture(scope="module", autouse=True)
def _small_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The session that the command finds running."""
    from features.spark import local_session

    place = tmp_path_factory.mktemp("spark")
    folders = {"spark.local.dir": str(place / "scratch"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    session = local_session(**{"spark.master": "local[2]", "spark.driver.memory": "1g"}, **folders)
    yield
    session.stop()


@pytest.fixture
def home(shop: Shop, tmp_path: Path) -> Path:
    """A home with the shop's champion, and a store of its own."""
    shutil.copytree(shop.home, tmp_path / "home", ignore=shutil.ignore_patterns("store.db*"))
    return tmp_path / "home"


def test_spark_writes_and_loads_the_scores_of_the_local_path(shop: Shop, home: Path, tmp_path: Path) -> None:
    words = ("score", shop.data, "--as-of", UNTIL, "--allow-hindsight")
    out = tmp_path / "scores.parquet"
    done = run(home, *words, "--engine", "spark", "--out", out)
    assert done.exit_code == 0, done.output
    made, local = pl.read_parquet(out / "*.parquet").sort("customer_id"), pl.read_parquet(shop.scores).sort("customer_id")
    assert f"{local.height:,} customers as of {UNTIL}, scored by version 1" in done.output
    assert_frame_equal(made, local, check_exact=True)
    store = Store(f"sqlite:///{home / 'store.db'}")
    (load,) = store.loads()
    assert (load.as_of, load.customers) == (UNTIL, local.height)
    assert store.listing(load).frame["kind"].null_count() == 0


def test_files_of_days_and_of_times_are_refused_without_a_word_of_java(shop: Shop, home: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "scores.parquet"
    shutil.copytree(shop.data, data)
    (data / "company.yaml").write_text(f"company: {read_key(shop.data)}\n")
    (data / "complaints").mkdir()
    times = pl.read_parquet(data / "complaints.parquet").with_columns(pl.col("opened_at").cast(pl.Datetime("us")))
    times.write_parquet(data / "complaints/new.parquet")
    times.with_columns(pl.col("opened_at").cast(pl.Date)).write_parquet(data / "complaints/old.parquet")
    (data / "complaints.parquet").unlink()
    refused = run(home, "score", data, "--horizon", "90d", "--as-of", UNTIL, "--engine", "spark", "--out", out)
    assert refused.exit_code == 3, refused.output
    assert "complaints.opened_at: cannot be one column" in refused.output
    assert "java" not in refused.output.lower()
    assert not out.exists()

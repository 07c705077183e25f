"""Scores made on Spark are those of the local path, to the last bit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from datasets.simulate import simulate
from decisions.policy import Policy
from features.assemble import assemble
from features.config import CompanyConfig
from keepwell.errors import ConfigError, HistoryError, ModelError
from serving.policy import read_policy
from serving.scoring import score_company
from tests.serving.conftest import AS_OF, scorer_for
from training.scorer import Scorer

HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
pytestmark = pytest.mark.skipif(not HAS_JAVA and "CI" not in os.environ, reason="no Java on this machine")

POLICY = read_policy()
EARLIER = AS_OF - timedelta(days=60)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from features.spark import local_session

    place = tmp_path_factory.mktemp("spark")
    small = {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "3", "spark.driver.memory": "1g"}
    apart = {"spark.sql.adaptive.coalescePartitions.enabled": "false"}  # customers do lie in several partitions
    folders = {"spark.local.dir": str(place / "scratch"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    session = local_session(**small, **apart, **folders)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The raw tables of a small shop."""
    folder = tmp_path_factory.mktemp("raw") / "shop"
    simulate(folder, customers=150, months=12, seed=5, until=AS_OF)
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def model_of(tables: Mapping[str, pl.DataFrame]) -> Scorer:
    return scorer_for(assemble(tables, key="shop"))


@pytest.fixture(scope="module")
def model(tables: dict[str, pl.DataFrame]) -> Scorer:
    return model_of(tables)


def on_spark(
    spark: Any,
    folder: Path,
    tables: Mapping[str, pl.DataFrame],
    scorer: Scorer,
    *,
    policy: Policy = POLICY,
    previous: pl.DataFrame | None = None,
    config: CompanyConfig = CompanyConfig(),
    **options: Any,
) -> pl.DataFrame:
    """The scores that Spark makes of the tables, as one frame sorted by id."""
    from serving.spark_scoring import spark_scores

    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    frames = {name: spark.read.parquet(str(folder / f"{name}.parquet")) for name in tables}
    before = None
    if previous is not None:
        previous.write_parquet(folder / "before.parquet")
        before = spark.read.parquet(str(folder / "before.parquet"))
    with spark_scores(frames, config, scorer, AS_OF, policy, previous=before, **options) as scores:
        return pl.DataFrame(pl.from_arrow(scores.toArrow())).sort("customer_id")


def assert_same_scores(made: pl.DataFrame, whole: pl.DataFrame) -> None:
    assert made.columns == whole.columns
    reasons = made["reasons"].cast(whole.schema["reasons"])
    assert_frame_equal(made.with_columns(reasons), whole, check_exact=True)


def test_every_column_is_that_of_the_local_path(
    spark: Any, tables: dict[str, pl.DataFrame], model: Scorer, tmp_path: Path
) -> None:
    company = assemble(tables, key="shop")
    before = score_company(company, model, EARLIER, POLICY, allow_hindsight=True)
    whole = score_company(company, model, AS_OF, POLICY, previous=before, most_explained=20)
    assert whole["reasons"].null_count() == whole.height - 20
    assert whole["moves"].null_count() < whole.height
    assert_same_scores(on_spark(spark, tmp_path, tables, model, previous=before, most_explained=20), whole)

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
from keepwell.errors import ConfigError, ModelError
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


def odd(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The shop with odd ids, one customer of thousands of orders, one of finer amounts, and one who only ever complained."""
    ids = tables["transactions"]["customer_id"].unique().sort().cast(pl.String)
    names = {ids[0]: "🌶️ chili", ids[1]: "Ünal, A.", ids[2]: "0012"}
    renamed = {name: frame.with_columns(pl.col("customer_id").cast(pl.String).replace(names)) for name, frame in tables.items()}
    orders, complaints = renamed["transactions"], renamed["complaints"]
    one = orders.filter(pl.col("customer_id") == "0012").head(1)
    many = pl.concat([one] * 3_000).with_columns(order_id=pl.format("many-{}", pl.int_range(3_000)))
    fine = orders.with_columns(amount=pl.when(pl.col("customer_id") == "Ünal, A.").then(0.125).otherwise("amount"))
    last = complaints.tail(1).with_columns(
        customer_id=pl.lit("only complained"),
        opened_at=pl.lit(datetime(2024, 12, 31, 12)).cast(complaints.schema["opened_at"]),
    )
    return {**renamed, "transactions": pl.concat([fine, many]), "complaints": pl.concat([complaints, last])}


@pytest.mark.slow
def test_odd_ids_a_huge_customer_finer_amounts_and_a_complaint_alone_change_nothing(
    spark: Any, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    strange = odd(tables)
    model = model_of({name: frame.with_columns(pl.col("customer_id").cast(pl.String)) for name, frame in tables.items()})
    whole = score_company(assemble(strange, key="shop"), model, AS_OF, POLICY)
    assert whole["data_until"][0] == date(2024, 12, 31)
    assert "only complained" not in whole["customer_id"]
    assert_same_scores(on_spark(spark, tmp_path, strange, model), whole)


def test_what_spark_may_not_score_is_refused_before_the_job(
    spark: Any, tables: dict[str, pl.DataFrame], model: Scorer, tmp_path: Path
) -> None:
    of_contracts = replace(model, info=replace(model.info, churn="contracts"))
    with pytest.raises(ModelError, match="on Spark only purchases are scored"):
        on_spark(spark, tmp_path, tables, of_contracts)
    with pytest.raises(ModelError, match="belongs to company 'shop'"):
        on_spark(spark, tmp_path, tables, model, config=CompanyConfig(company="other"))
    with pytest.raises(ConfigError, match="their ids are not given"):
        on_spark(spark, tmp_path, tables, model, config=CompanyConfig(leave_out_customers="gone.csv"))
    later = {name: frame for name, frame in tables.items() if name == "transactions"}
    with pytest.raises(ModelError, match="have no table"):
        on_spark(spark, tmp_path, later, model)
